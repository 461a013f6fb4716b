import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { podsMoved } from "../../../core/correlation/pods-moved.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, MINUTE, T0 } from "./fixtures.ts";

const STEP = 15_000;
const AT = T0 + 90 * MINUTE;

/** Failed checks of a service in the last 90 minutes: pods that move fail some at these minutes before the end. */
const readiness = (service: string, minutesAgo: readonly number[]): Series => ({
  service,
  metric: "health_check_failures",
  unit: "count",
  labels: {},
  worse: "up",
  startAt: AT - 90 * MINUTE,
  stepMs: STEP,
  values: Array.from({ length: 361 }, (_, i) => {
    const ago = (360 - i) / 4;
    return minutesAgo.some((minute) => ago <= minute && ago > minute - 0.75) ? 2 : 0;
  }),
});
const deployed = (service: string, minutesAgo: number): Change =>
  change({ id: service, service, startedAt: AT - minutesAgo * MINUTE, finishedAt: AT - (minutesAgo - 1) * MINUTE });

const movedIn = (moved: Readonly<Record<string, readonly number[]>>, changes: readonly Change[] = [], calm = 20) => {
  const others = Array.from({ length: calm }, (_, i) => readiness(`calm-${i}`, []));
  const own = Object.entries(moved).map(([service, minutes]) => readiness(service, minutes));
  return podsMoved({ at: AT, readiness: [...own, ...others], changes });
};

describe("pods that are moved from node to node", () => {
  it("show at several services that nobody changed, one after the other", () => {
    expect(movedIn({ a: [9], b: [6], c: [3], d: [1] })).toEqual(["a", "b", "c", "d"]);
  });

  it.each([
    ["two services are too few", movedIn({ a: [9], b: [6] })],
    [
      "each was deployed",
      movedIn(
        { a: [9], b: [6], c: [3] },
        ["a", "b", "c"].map((one) => deployed(one, 10)),
      ),
    ],
    ["it has been so for an hour", movedIn({ a: [9, 29, 49], b: [6, 25, 44], c: [3, 22, 41] }, [], 3)],
    ["it was half an hour ago", movedIn({ a: [39], b: [36], c: [33], d: [31] })],
  ])("are not seen where %s", (_, services) => {
    expect(services).toEqual([]);
  });

  it("are never those of a service that was just changed", () => {
    const minutes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(minutes, { minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 9 }), (all, ago) => {
        const moved = Object.fromEntries(all.map((one, i) => [`s${i}`, one]));
        expect(movedIn(moved, [deployed("s0", ago)])).not.toContain("s0");
      }),
    );
  });
});
