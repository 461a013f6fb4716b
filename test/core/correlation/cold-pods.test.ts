import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coldShare } from "../../../core/correlation/cold-pods.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, MINUTE, T0 } from "./fixtures.ts";

const STEP = 15_000;
const rollout = change();
/** Requests a second of both versions, a value each step from the start of the change on; `shares`: of the new one. */
const counted = (shares: readonly number[]) => {
  const row = (version: string, of: (share: number) => number): Series => ({
    ...{ service: "cart", metric: "request_rate", unit: "req/s", worse: "up", labels: { version } },
    ...{ startAt: T0 + STEP, stepMs: STEP, values: shares.map((share) => 80 * of(share)) },
  });
  return indexSeries([row("v1.0.0", (share) => 1 - share), row("v1.1.0", (share) => share)], "version");
};
const nobodyCounts = indexSeries([], "version");
const fill = (share: number, n: number) => Array.from({ length: n }, () => share);

describe("the share of a new version's requests that pods answer which have only just started", () => {
  it.each<[string, readonly number[], number]>([
    ["is all of it in its first minute", [0.25, 0.25, 0.5], 1],
    ["is what it serves more than a minute ago, while more pods start", [0.25, 0.25, 0.5, 0.75, 0.75], 2 / 3],
    ["is half of it once it has doubled", [...fill(0.25, 3), ...fill(0.5, 4)], 0.5],
    ["is none of a canary's that has served for more than a minute", fill(0.1, 6), 0],
    ["is none of it once it has served everything for a minute", [0.25, ...fill(1, 6)], 0],
  ])("%s", (_, shares, cold) => {
    expect(coldShare(rollout, T0 + shares.length * STEP, T0 + 10 * MINUTE, counted(shares))).toBeCloseTo(cold, 6);
  });

  it.each<[string, Parameters<typeof change>[0], number, number]>([
    ["half a rollout of four minutes is, after two of them", {}, 2, 1 / 2],
    ["a quarter of it is at its end", {}, 4, 1 / 4],
    ["none of it is a minute after its end", {}, 5, 0],
    ["none of a canary's is after a minute and more", { canary: 0.05 }, 1.5, 0],
    ["all of a canary's is within its first minute", { canary: 0.05 }, 0.9, 1],
  ])("where nobody counts by version, %s", (_, replaced, minutes, cold) => {
    expect(coldShare(change(replaced), T0 + minutes * MINUTE, T0 + 4 * MINUTE, nobodyCounts)).toBeCloseTo(cold, 6);
  });

  it("is a share, whatever was counted", () => {
    const shares = fc.array(fc.constantFrom(0, 0.1, 0.5, 1), { maxLength: 20 });
    fc.assert(
      fc.property(shares, fc.integer({ min: -4, max: 30 }), (drawn, steps) => {
        const cold = coldShare(rollout, T0 + steps * STEP, T0 + 2 * MINUTE, counted(drawn));
        expect(cold).toBeGreaterThanOrEqual(0);
        expect(cold).toBeLessThanOrEqual(1);
      }),
    );
  });
});
