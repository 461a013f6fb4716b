import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Explained, meetings } from "../../../core/correlation/meeting.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const SECOND = 1000;
/** A group of one service; `deployed`: how long its own change explains an onset, null where nobody changed it. */
const group = (name: string, atS: number, deployed: number | null): Explained => ({
  services: [name],
  onset: onsetAt(T0 + atS * SECOND, 15 * SECOND, 15 * SECOND),
  isChanged: deployed !== null,
  explainedMs: deployed ?? 0,
});
const many = (n: number, atS: number, deployed: number | null, from = 0) =>
  Array.from({ length: n }, (_, i) => group(`s${from + i}`, atS, deployed));
const fleet = { systems: 16, measured: 16, stepMs: 15 * SECOND };
const ROLLOUT = 5 * MINUTE;

describe("services that begin together, each with a change of its own", () => {
  it.each<[string, readonly Explained[], number]>([
    ["five whose rollouts explain five minutes each", many(5, 0, ROLLOUT), 5],
    ["three of them beside two that nobody changed", [...many(3, 0, ROLLOUT), ...many(2, 0, null, 3)], 5],
    ["one beside three that nobody changed", [...many(1, 0, ROLLOUT), ...many(3, 0, null, 1)], 4],
  ])("share more than chance: %s", (_, groups, services) => {
    const found = meetings(groups, fleet);
    expect([...found.keys()]).toEqual(groups.filter(({ isChanged }) => isChanged));
    for (const met of found.values()) expect(met).toMatchObject({ services, measured: 16 });
  });

  it.each<[string, readonly Explained[]]>([
    ["two", many(2, 0, ROLLOUT)],
    ["three whose onsets are minutes apart", [0, 180, 360].map((atS, i) => group(`s${i}`, atS, ROLLOUT))],
    ["one, of which another began at once that nobody changed", [...many(1, 0, ROLLOUT), ...many(1, 0, null, 1)]],
  ])("say nothing of each other: %s", (_, groups) => {
    expect(meetings(groups, fleet).size).toBe(0);
  });

  it("meet by no other services than those that are degraded, whatever else is measured and healthy", () => {
    const drawn = fc.array(
      fc.record({ atS: fc.integer({ min: 0, max: 120 }), deployed: fc.constantFrom(null, MINUTE, ROLLOUT) }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(drawn, fc.integer({ min: 0, max: 40 }), (all, more) => {
        const groups = all.map(({ atS, deployed }, i) => group(`s${i}`, atS, deployed));
        const only = groups.filter(({ isChanged }) => isChanged);
        const alone = meetings(only, { ...fleet, systems: 10, measured: 10 });
        const beside = meetings(only, { ...fleet, systems: 10 + more, measured: 10 + more });
        expect([...beside.keys()]).toEqual([...alone.keys()]);
        for (const met of meetings(groups, fleet).keys()) expect(met.isChanged).toBe(true);
      }),
    );
  });
});
