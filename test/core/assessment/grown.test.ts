import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { episodeOnset } from "../../../core/assessment/episodes.ts";
import { GROWN, grownAfterChange, grownSince, withGrown } from "../../../core/assessment/grown.ts";
import type { OwnAct } from "../../../core/assessment/own-acts.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import type { Decision } from "../../../core/model/decision.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, MINUTE, T0 } from "../correlation/fixtures.ts";
import { cartFails, STEP_MS } from "./cart-failing.ts";
import { rollbackOf } from "./rollback-decision.ts";

const act: OwnAct = { service: "stock", began: T0 - 5 * MINUTE, actedAt: T0 - 2000, doneAt: T0 };
/** Found before the act, and not over since. */
const finding = cartFails({ detectedAt: T0, current: 0.05 });
/** Samples since the act, after two that may hold some of what was before it. */
const since = (values: readonly (number | null)[], change: Partial<Series> = {}): Series => ({
  service: "cart",
  metric: "error_rate",
  unit: "ratio",
  worse: "up",
  labels: {},
  startAt: T0 - STEP_MS,
  stepMs: STEP_MS,
  values: [0.3, 0.3, 0.3, ...values],
  ...change,
});
const grown = (series: Series) => grownSince(finding, series, act, T0 + 60 * MINUTE);
/** About `level`, by a tenth to either side. */
const about = (level: number, count: number) =>
  Array.from({ length: count }, (_, i) => level * (1 + 0.1 * Math.sin(i)));

describe("trouble that stayed through our own rollback", () => {
  const rows: readonly (readonly [string, readonly (number | null)[], boolean])[] = [
    ["has grown where it is four times as bad from then on", [...about(0.05, 20), ...about(0.2, 8)], true],
    ["also long after it grew", [...about(0.05, 20), ...about(0.2, 200)], true],
    ["also where samples are missing", [...about(0.05, 20), ...about(0.2, 4), null, null, ...about(0.2, 4)], true],
    ["has not where it stays what it was", about(0.05, 60), false],
    ["nor where it is half as bad again", [...about(0.05, 20), ...about(0.075, 20)], false],
    ["nor for a few samples", [...about(0.05, 20), ...about(0.2, 4)], false],
    [
      "nor where that comes and goes",
      [...about(0.05, 20), ...about(0.2, 5), ...about(0.05, 5), ...about(0.2, 5)],
      false,
    ],
    ["nor where it creeps up", Array.from({ length: 80 }, (_, i) => 0.05 + i * 0.002), false],
    ["nor where it has not stayed for long", [...about(0.05, 8), ...about(0.2, 20)], false],
    ["nor where it is over", [...about(0.05, 20), ...about(0.002, 20)], false],
    ["S9: nor where nothing is heard", [...about(0.05, 20), ...Array.from({ length: 20 }, () => null)], false],
  ];
  it.each(rows)("%s", (_, values, expected) => {
    expect(grown(since(values)) !== null).toBe(expected);
  });

  it("is dated by its growth, and told with both levels", () => {
    const found = grown(since([...about(0.05, 20), ...about(0.2, 10)]));
    const began = T0 - STEP_MS + 22 * STEP_MS;
    expect(found?.detector).toBe(GROWN);
    expect(Math.abs((found?.onset?.at ?? 0) - began)).toBeLessThanOrEqual(STEP_MS);
    expect(found?.because).toMatch(
      /^error_rate of cart stayed at 5\.\d+ % after our own rollback of stock, and went to /,
    );
  });

  it("is never dated before the act", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 80 }), (values) => {
        const found = grown(since(values));
        expect(found?.onset?.earliest ?? T0).toBeGreaterThanOrEqual(T0);
      }),
    );
  });

  it("has grown by no noise about one level, whatever that is", () => {
    const noise = fc.array(fc.double({ min: 0.7, max: 1.4, noNaN: true }), { minLength: 15, maxLength: 80 });
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 0.6, noNaN: true }), noise, (level, factors) => {
        expect(grown(since(factors.map((factor) => level * factor)))).toBeNull();
      }),
    );
  });

  it("says nothing of a signal whose samples are not at hand, of one that hurts nobody, and of one that is worse when lower", () => {
    const values = [...about(0.05, 20), ...about(0.2, 10)];
    expect(grownSince(finding, undefined, act, T0)).toBeNull();
    expect(grown(since(values, { worse: "down" }))).toBeNull();
    expect(grownSince({ ...finding, metric: "cpu_usage" }, since(values), act, T0 + MINUTE)).toBeNull();
    expect(grownSince({ ...finding, baseline: null }, since(values), act, T0 + MINUTE)).toBeNull();
  });
});

describe("trouble that was there before a change of its own service", () => {
  const changed = [change({ startedAt: T0 + 2 * STEP_MS })];
  const changedInIt = (values: readonly (number | null)[]) =>
    grownAfterChange(finding, since(values), changed, T0 + 60 * MINUTE) !== null;
  const rows: readonly (readonly [string, readonly (number | null)[], boolean])[] = [
    ["has grown where it is four times as bad from the fifth sample on", [...about(0.05, 4), ...about(0.2, 8)], true],
    ["also when that is asked half an hour later", [...about(0.05, 4), ...about(0.2, 120)], true],
    ["has not where two samples are all that it stayed for", [...about(0.05, 2), ...about(0.2, 20)], false],
    [
      "nor where it had not come to a level",
      [0.05, 0.07, 0.09, 0.11, 0.13, 0.15, 0.17, 0.19, ...about(0.2, 20)],
      false,
    ],
    ["nor where it stays what it was", about(0.05, 40), false],
  ];
  it.each(rows)("%s", (_, values, expected) => {
    expect(changedInIt(values)).toBe(expected);
  });

  it("has not grown by rising evenly, however steeply", () => {
    const slope = fc.double({ min: 0.002, max: 0.05, noNaN: true });
    fc.assert(
      fc.property(slope, fc.nat({ max: 4 }), fc.integer({ min: 4, max: 12 }), (by, first, steps) => {
        const top = finding.baseline ?? 0;
        const rising = Array.from({ length: steps }, (_, i) => top + by * (i + first));
        const level = Array.from({ length: 12 }, () => top + by * (steps + first));
        expect(changedInIt([...rising, ...level])).toBe(false);
      }),
    );
  });
});

describe("an episode in which something has grown", () => {
  it("began with the growth: what stayed beside it is known", () => {
    const onset = { at: T0 + 8 * MINUTE, earliest: T0 + 8 * MINUTE, latest: T0 + 9 * MINUTE };
    const stayed = { ...finding, metric: "p99_latency", strength: 300 };
    expect(episodeOnset([stayed, { ...finding, detector: GROWN, onset }], indexSeries([], "version"))).toEqual(onset);
    expect(episodeOnset([stayed], indexSeries([], "version"))).toEqual(finding.onset);
  });
});

describe("a decision on what has grown", () => {
  const decision = rollbackOf("cart", "second", 0.95);

  it("needs a person, and says why", () => {
    const held = withGrown(decision, [{ ...finding, detector: GROWN }]);
    expect(held).toMatchObject({ action: "rollback", changeIds: ["second"] });
    expect(held.needsPerson).toEqual([expect.stringMatching(/whether second is behind that is for people to say$/)]);
  });

  it("is what it was where nothing has grown, or nothing is to be done", () => {
    expect(withGrown(decision, [finding])).toBe(decision);
    const nothing: Decision = { ...decision, action: "no_action" };
    expect(withGrown(nothing, [{ ...finding, detector: GROWN }])).toBe(nothing);
  });
});
