import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atLeast, type Degraded, wideCauses } from "../../../core/correlation/wide-cause.ts";
import { onsetAt, T0 } from "./fixtures.ts";

const SECOND = 1000;
const group = (name: string, atS: number, isChanged = false): Degraded => ({
  services: [name],
  onset: onsetAt(T0 + atS * SECOND, 15 * SECOND, 15 * SECOND),
  isChanged,
});
const many = (n: number, atS: number, isChanged = false, from = 0) =>
  Array.from({ length: n }, (_, i) => group(`s${from + i}`, atS, isChanged));
const fleet = { systems: 100, measured: 100, stepMs: 15 * SECOND };

describe("one onset that a large part of all shares", () => {
  it.each([
    ["a third of a hundred", many(33, 0), 33],
    ["five of a hundred where all else is well", many(5, 0), 5],
    ["three of fifteen", many(3, 0), 3],
    ["with what it reaches within a minute", [...many(20, 0), ...many(5, 50, false, 50)], 25],
  ])("is one cause: %s", (_, groups, services) => {
    const [cause] = wideCauses(groups, { ...fleet, systems: groups.length > 3 ? 100 : 15 });
    expect(cause?.coincidence.services).toBe(services);
  });

  it.each([
    ["two, however well all else is", many(2, 0)],
    ["five that were all changed at it", many(5, 0, true)],
    ["half of which were changed", [...many(4, 0), ...many(4, 0, true, 10)]],
    ["degradations that are minutes apart", Array.from({ length: 8 }, (_, i) => group(`s${i}`, i * 180))],
    [
      "three in a fleet of a thousand where a hundred are degraded at other times",
      [...many(3, 0), ...Array.from({ length: 100 }, (_, i) => group(`other${i}`, 120 + 60 * i))],
    ],
  ])("is none: %s", (_, groups) => {
    expect(wideCauses(groups, { ...fleet, systems: groups.length > 50 ? 1000 : 100 })).toEqual([]);
  });

  it("keeps those that were changed at the onset apart from those that were not", () => {
    const [cause] = wideCauses([...many(20, 0), ...many(4, 0, true, 50)], fleet);
    expect(cause?.unchanged).toHaveLength(20);
    expect(cause?.changed).toHaveLength(4);
    expect(cause?.coincidence).toMatchObject({ services: 20, measured: 100 });
  });

  it("reaches a service of which something else is worse by now, where a signal of it began with the rest", () => {
    const late = { ...group("late", 300), began: [group("", 300).onset, group("", 2).onset] };
    expect(wideCauses([...many(20, 0), late], fleet)[0]?.coincidence.services).toBe(21);
    expect(wideCauses([...many(20, 0), group("late", 300)], fleet)[0]?.coincidence.services).toBe(20);
  });

  it("always takes three that were not changed, whatever is drawn", () => {
    const groups = fc.array(fc.record({ atS: fc.integer({ min: 0, max: 600 }), isChanged: fc.boolean() }), {
      minLength: 3,
      maxLength: 12,
    });
    fc.assert(
      fc.property(groups, (drawn) => {
        const all = drawn.map(({ atS, isChanged }, i) => group(`s${i}`, atS, isChanged));
        expect(wideCauses(all, fleet).every(({ unchanged }) => unchanged.length >= 3)).toBe(true);
      }),
    );
  });
});

describe("the chance that at least so many of n happen", () => {
  it("is the binomial's tail", () => {
    expect(atLeast(0, 10, 0.3)).toBe(1);
    expect(atLeast(1, 10, 0.1)).toBeCloseTo(1 - 0.9 ** 10, 10);
    expect(atLeast(2, 3, 0.5)).toBeCloseTo(0.5, 10);
    expect(atLeast(11, 10, 0.5)).toBeCloseTo(0, 10);
  });
});
