import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apartFrom, chanceBeside, meetings, type Placed } from "../../../core/correlation/meeting.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const SECOND = 1000;
/** A group of one service; `deployed`: how long its own change explains an onset, null where nobody changed it. */
const group = (name: string, atS: number, deployed: number | null): Placed => ({
  services: [name],
  part: new Set([name]),
  onset: onsetAt(T0 + atS * SECOND, 15 * SECOND, 15 * SECOND),
  stepMs: 15 * SECOND,
  isChanged: deployed !== null,
  explainedMs: deployed ?? 0,
});
const many = (n: number, atS: number, deployed: number | null, from = 0) =>
  Array.from({ length: n }, (_, i) => group(`s${from + i}`, atS, deployed));
/** The same groups, in one call graph: what begins one of them may begin them all. */
const joined = (groups: readonly Placed[]): readonly Placed[] => {
  const part = new Set(groups.flatMap(({ services }) => services));
  return groups.map((one) => ({ ...one, part }));
};
const ROLLOUT = 5 * MINUTE;

describe("services that begin together, each with a change of its own", () => {
  it.each<[string, readonly Placed[], number]>([
    ["five whose rollouts explain five minutes each", many(5, 0, ROLLOUT), 5],
    ["three of them beside two that nobody changed", [...many(3, 0, ROLLOUT), ...many(2, 0, null, 3)], 5],
    ["one beside three that nobody changed", [...many(1, 0, ROLLOUT), ...many(3, 0, null, 1)], 4],
  ])("share more than chance: %s", (_, groups, services) => {
    const found = meetings(groups, 16);
    expect([...found.keys()]).toEqual(groups.filter(({ isChanged }) => isChanged));
    for (const met of found.values()) expect(met).toMatchObject({ services, measured: 16 });
  });

  it.each<[string, readonly Placed[]]>([
    ["two", many(2, 0, ROLLOUT)],
    ["three whose onsets are minutes apart", [0, 180, 360].map((atS, i) => group(`s${i}`, atS, ROLLOUT))],
    ["one, of which another began at once that nobody changed", [...many(1, 0, ROLLOUT), ...many(1, 0, null, 1)]],
  ])("say nothing of each other: %s", (_, groups) => {
    expect(meetings(groups, 16).size).toBe(0);
  });

  it("meet by no other services than those that are degraded, whatever else is measured and healthy", () => {
    const drawn = fc.array(
      fc.record({ atS: fc.integer({ min: 0, max: 120 }), deployed: fc.constantFrom(null, MINUTE, ROLLOUT) }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(drawn, fc.integer({ min: 0, max: 1000 }), (all, more) => {
        const groups = all.map(({ atS, deployed }, i) => group(`s${i}`, atS, deployed));
        const alone = meetings(groups, 10);
        const beside = meetings(groups, 10 + more);
        expect([...beside.keys()]).toEqual([...alone.keys()]);
        for (const met of alone.keys()) expect(met.isChanged).toBe(true);
      }),
    );
  });
});

describe("how often another one begins with a change by chance", () => {
  const pivot = group("pivot", 0, ROLLOUT);
  const beside = (others: readonly Placed[], elsewhere: readonly Placed[] = []) =>
    chanceBeside(pivot, others, [pivot, ...others, ...elsewhere]);

  it("is a few times in a hundred for one that nobody changed, in samples of a quarter of a minute", () => {
    expect(beside([group("a", 0, null)])).toBeGreaterThan(0.01);
    expect(beside([group("a", 0, null)])).toBeLessThan(0.05);
  });

  it("is as seldom for one that was changed itself, since few changes are bad", () => {
    expect(beside([group("a", 0, ROLLOUT)])).toBeLessThan(0.05);
  });

  it("grows with what is degraded at other times: where much is, some always begin together", () => {
    const elsewhere = Array.from({ length: 60 }, (_, i) => group(`other${i}`, 120 + 60 * i, null));
    expect(beside([group("a", 0, null)], elsewhere)).toBeGreaterThan(0.9);
  });

  it("falls with each more that begins with it", () => {
    expect(beside(many(2, 0, null))).toBeLessThan(beside(many(1, 0, null)) / 5);
  });

  it("is the greater, the coarser their samples are", () => {
    const coarse = (one: Placed): Placed => ({ ...one, stepMs: 5 * MINUTE });
    expect(chanceBeside(coarse(pivot), [coarse(group("a", 0, null))], [])).toBeGreaterThan(
      3 * beside([group("a", 0, null)]),
    );
  });
});

describe("what begins in one call graph beside another", () => {
  const pivot = group("pivot", 0, ROLLOUT);

  it("S16: is one, however many of its services are degraded", () => {
    expect([...meetings([pivot, ...many(5, 0, null)], 16).keys()]).toEqual([pivot]);
    expect([...meetings([pivot, ...joined(many(5, 0, null))], 16).keys()]).toEqual([]);
  });

  it("S16: counts the first of each other call graph, and all of the pivot's own", () => {
    const theirs = joined([group("late", 30, null), group("first", 0, null)]);
    const own = joined([pivot, group("own", 0, null)]);
    const alone = group("alone", 15, null);
    const [me = pivot, mine = pivot] = own;
    expect(apartFrom(me, [...own, ...theirs, alone])).toEqual([me, mine, theirs[1], alone]);
  });
});
