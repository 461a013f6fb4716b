import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wideCauseReason } from "../../../core/correlation/unmeasured-cause.ts";
import { atLeast, beginsWith, type Degraded, wideCauses } from "../../../core/correlation/wide-cause.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const SECOND = 1000;
const group = (name: string, atS: number, isChanged = false): Degraded => ({
  services: [name],
  onset: onsetAt(T0 + atS * SECOND, 15 * SECOND, 15 * SECOND),
  stepMs: 15 * SECOND,
  isChanged,
});
const many = (n: number, atS: number, isChanged = false, from = 0) =>
  Array.from({ length: n }, (_, i) => group(`s${from + i}`, atS, isChanged));
const MEASURED = 100;

describe("one onset that a large part of all shares", () => {
  it.each([
    ["a third of a hundred", many(33, 0), 33],
    ["five of a hundred where all else is well", many(5, 0), 5],
    ["three where all else is well", many(3, 0), 3],
    ["with what it reaches within a minute", [...many(20, 0), ...many(5, 50, false, 50)], 25],
  ])("is one cause: %s", (_, groups, services) => {
    const [cause] = wideCauses(groups, MEASURED);
    expect(cause?.coincidence.services).toBe(services);
  });

  it.each([
    ["two, however well all else is", many(2, 0)],
    ["five that were all changed at it", many(5, 0, true)],
    ["half of which were changed", [...many(4, 0), ...many(4, 0, true, 10)]],
    ["degradations that are minutes apart", Array.from({ length: 8 }, (_, i) => group(`s${i}`, i * 180))],
    [
      "three where a hundred are degraded at other times",
      [...many(3, 0), ...Array.from({ length: 100 }, (_, i) => group(`other${i}`, 120 + 60 * i))],
    ],
  ])("is none: %s", (_, groups) => {
    expect(wideCauses(groups, MEASURED)).toEqual([]);
  });

  it("keeps those that were changed at the onset apart from those that were not", () => {
    const [cause] = wideCauses([...many(20, 0), ...many(4, 0, true, 50)], MEASURED);
    expect(cause?.unchanged).toHaveLength(20);
    expect(cause?.changed).toHaveLength(4);
    expect(cause?.coincidence).toMatchObject({ services: 20, measured: MEASURED });
  });

  it("reaches a service of which something else is worse by now, where a signal of it began with the rest", () => {
    const late = { ...group("late", 300), began: [group("", 300).onset, group("", 2).onset] };
    expect(wideCauses([...many(20, 0), late], MEASURED)[0]?.coincidence.services).toBe(21);
    expect(wideCauses([...many(20, 0), group("late", 300)], MEASURED)[0]?.coincidence.services).toBe(20);
  });

  it("is found beside another one as alone: what one cause reached is one degradation at another time", () => {
    const causes = wideCauses([...many(40, 0), ...many(4, 600, false, 50)], MEASURED);
    expect(causes.map(({ coincidence }) => coincidence.services)).toEqual([40, 4]);
  });

  it("is as near as the samples of those that are compared can tell, and no nearer", () => {
    const at = (atS: number, stepMs: number) => ({
      ...group("", atS),
      onset: onsetAt(T0 + atS * SECOND, 0, 0),
      stepMs,
    });
    expect(beginsWith(at(0, 10 * SECOND), at(40, 10 * SECOND))).toBe(false);
    expect(beginsWith(at(0, 10 * SECOND), at(40, MINUTE))).toBe(true);
    expect(beginsWith(at(0, MINUTE), at(40, 10 * SECOND))).toBe(true);
  });

  it("always takes three that were not changed, whatever is drawn, and does not depend on how many are well", () => {
    const groups = fc.array(fc.record({ atS: fc.integer({ min: 0, max: 600 }), isChanged: fc.boolean() }), {
      minLength: 3,
      maxLength: 12,
    });
    fc.assert(
      fc.property(groups, fc.integer({ min: 0, max: 2000 }), (drawn, more) => {
        const all = drawn.map(({ atS, isChanged }, i) => group(`s${i}`, atS, isChanged));
        const found = wideCauses(all, MEASURED);
        expect(found.every(({ unchanged }) => unchanged.length >= 3)).toBe(true);
        const services = ({ unchanged, changed }: (typeof found)[number]) => ({ unchanged, changed });
        expect(wideCauses(all, MEASURED + more).map(services)).toEqual(found.map(services));
      }),
    );
  });

  it("is as good an explanation of a service with a change of its own beside forty that are well as beside none", () => {
    const how = { stepMs: 15 * SECOND, windowMs: 60 * MINUTE, theirs: "without a change of their own" };
    const among = (measured: number) =>
      wideCauseReason({ services: 4, measured, onset: group("", 0).onset }, -1, how)?.logOdds;
    expect(among(52)).toBe(among(12));
    expect(among(4)).toBe(among(12));
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
