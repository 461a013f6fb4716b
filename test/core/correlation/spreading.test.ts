import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Placed } from "../../../core/correlation/meeting.ts";
import { spreadingTo } from "../../../core/correlation/spreading.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const SECOND = 1000;
const STEP = 10 * SECOND;
/** A group that begins so many seconds after the pivot; `deployed`: its own rollout explains five minutes. */
const group = (name: string, atS: number, deployed = false): Placed => ({
  services: [name],
  part: new Set([name]),
  onset: onsetAt(T0 + atS * SECOND, STEP, STEP),
  stepMs: STEP,
  isChanged: deployed,
  explainedMs: deployed ? 5 * MINUTE : 0,
});
const pivot = group("pivot", 0, true);
const nobody = (...atS: readonly number[]) => atS.map((one, i) => group(`nobody-${i}`, one));
const changed = (...atS: readonly number[]) => atS.map((one, i) => group(`changed-${i}`, one, true));

describe("a cause that goes from one service to the next", () => {
  it.each<[string, readonly Placed[], number]>([
    ["two that nobody changed began in the two minutes before", nobody(-80, -40), 2],
    ["one began before and one after", nobody(-40, 40), 2],
    ["one that was deployed as well stands between", [...nobody(-120, -80), ...changed(-40)], 3],
    ["three at once, a minute before", nobody(-60, -60, -60), 3],
  ])("may have reached what was deployed: %s", (_, others, reached) => {
    const found = spreadingTo(pivot, [pivot, ...others]);
    expect(found?.others).toHaveLength(reached);
    expect(found?.byChance).toBeLessThan(0.01);
  });

  it.each<[string, readonly Placed[]]>([
    ["only one that nobody changed is near", nobody(-40)],
    ["two are near, each with a deploy of its own", changed(-80, -40)],
    ["they began minutes before, and minutes apart", nobody(-600, -300)],
    ["the one between them is missing", nobody(-240, -200)],
  ])("is not told of where %s", (_, others) => expect(spreadingTo(pivot, [pivot, ...others])).toBeNull());

  it("says the less, the more begins to be degraded at other times by itself", () => {
    const near = nobody(-80, -40);
    const chances = [0, 5, 20, 60].map((n) => {
      const elsewhere = Array.from({ length: n }, (_, i) => group(`elsewhere-${i}`, -1500 + 70 * (i % 15)));
      return (
        spreadingTo(pivot, [pivot, ...near, ...elsewhere.filter(({ onset }) => onset.at < T0 - 200 * SECOND)])
          ?.byChance ?? 1
      );
    });
    expect(chances).toEqual(chances.toSorted((a, b) => a - b));
    expect(chances.at(-1)).toBeGreaterThan(0.2);
  });

  it("is a chance, and asks for two others that nobody changed, whatever is degraded when", () => {
    const drawn = fc.array(fc.record({ atS: fc.integer({ min: -400, max: 400 }), deployed: fc.boolean() }), {
      maxLength: 9,
    });
    fc.assert(
      fc.property(drawn, (all) => {
        const others = all.map(({ atS, deployed }, i) => group(`s${i}`, atS, deployed));
        const found = spreadingTo(pivot, [pivot, ...others]);
        if (found === null) return;
        expect(found.byChance).toBeGreaterThanOrEqual(0);
        expect(found.byChance).toBeLessThanOrEqual(1);
        expect(found.others.filter(({ isChanged }) => !isChanged).length).toBeGreaterThanOrEqual(2);
        expect(found.others).not.toContain(pivot);
      }),
    );
  });
});
