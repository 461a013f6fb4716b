import { describe, expect, it } from "vitest";
import { passedBefore } from "../../../core/correlation/past-rollouts.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { change, MINUTE, T0 } from "./fixtures.ts";

const STEP = 15_000;
const START = T0 - 120 * MINUTE;
const last = change({ id: "last", startedAt: T0 - 60 * MINUTE, finishedAt: T0 - 58 * MINUTE });
const now = change({ id: "now", startedAt: T0, finishedAt: T0 + 2 * MINUTE });

/** Latency of 100 ms, with a factor from the rollout's start for so many minutes, at the last rollout and at this one. */
const series = (
  then: { factor: number; minutes: number; tail?: number },
  present: number,
  metric = "p99_latency",
  usual = 100,
) => ({
  service: "cart",
  metric,
  unit: "ms",
  worse: "up" as const,
  labels: {},
  startAt: START + STEP,
  stepMs: STEP,
  values: Array.from({ length: 500 }, (_, i) => {
    const at = START + (i + 1) * STEP;
    if (at > last.startedAt && at <= last.startedAt + then.minutes * MINUTE) return usual * then.factor;
    if (at > last.startedAt && at <= last.startedAt + 6 * MINUTE) return usual * (then.tail ?? 1);
    return at > T0 ? usual * present : usual;
  }),
});
const asked = (all: readonly ReturnType<typeof series>[], changes = [last, now], minutes = 1) =>
  passedBefore(
    indexSeries(all, "version"),
    now,
    changes,
    new Set(all.map(({ metric }) => metric)),
    { earliest: T0 },
    T0 + minutes * MINUTE,
  );

describe("what the last rollout of a service cost", () => {
  it("says how long after its end it had passed", () => {
    expect(asked([series({ factor: 1.8, minutes: 3 }, 1.8)])).toMatchObject({
      change: { id: "last" },
      metric: "p99_latency",
      overAfterMs: MINUTE,
    });
    expect(asked([series({ factor: 1.8, minutes: 1 }, 1.6)])?.overAfterMs).toBe(0);
  });

  it("is over only when nearly nothing of it is left", () => {
    const easing = series({ factor: 3, minutes: 2, tail: 1.5 }, 2);
    expect(asked([easing], [last, now], 4)).toMatchObject({ overAfterMs: 4 * MINUTE });
  });

  const rows: readonly (readonly [string, ReturnType<typeof asked>])[] = [
    ["where it cost nothing", asked([series({ factor: 1, minutes: 3 }, 1.8)])],
    ["where this one costs far more", asked([series({ factor: 1.3, minutes: 3 }, 3)])],
    [
      "where it had eased by the time at which this one has not",
      asked([series({ factor: 3, minutes: 2, tail: 1.3 }, 3)], [last, now], 4),
    ],
    ["where it did not pass", asked([series({ factor: 1.8, minutes: 60 }, 1.8)])],
    [
      "where it ended only as it was rolled back",
      asked(
        [series({ factor: 1.8, minutes: 5 }, 1.8)],
        [last, change({ id: "own", startedAt: last.startedAt + 4 * MINUTE, ownRollback: true }), now],
      ),
    ],
    ["where there was none", asked([series({ factor: 1.8, minutes: 3 }, 1.8)], [now])],
    [
      "where by one metric this one costs far more",
      asked([series({ factor: 1.8, minutes: 3 }, 1.8), series({ factor: 1.1, minutes: 3 }, 4, "p50_latency")]),
    ],
    [
      "where this one fails requests and that one did not",
      asked([series({ factor: 1.8, minutes: 3 }, 1.8), series({ factor: 1, minutes: 3 }, 20, "error_rate", 0.001)]),
    ],
    [
      "where it is no deploy",
      passedBefore(
        indexSeries([series({ factor: 1.8, minutes: 3 }, 1.8)], "version"),
        { ...now, kind: "config" },
        [last, now],
        new Set(["p99_latency"]),
        { earliest: T0 },
        T0 + MINUTE,
      ),
    ],
  ];
  it.each(rows)("tells nothing %s", (_, found) => {
    expect(found).toBeNull();
  });
});
