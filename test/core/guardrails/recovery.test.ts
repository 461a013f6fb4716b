import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeRecovery, type RecoveryInput } from "../../../core/guardrails/recovery.ts";
import { errors, fill, inputOf, latency, STEP, seriesOf, traffic } from "./recovery-inputs.ts";
import { MINUTE, NOW } from "./rule-inputs.ts";

const rows: readonly (readonly [string, Partial<RecoveryInput>, string, string])[] = [
  [
    "back inside, long enough, over enough requests",
    {},
    "recovered",
    "samples in a row within it; over all 3,000 requests at most",
  ],
  [
    "still broken",
    { series: [seriesOf("error_rate", fill(0.3)), seriesOf("request_rate", fill(20))] },
    "not-recovered",
    "outside",
  ],
  [
    "better, but above its own baseline",
    { series: [seriesOf("error_rate", fill(0.015)), seriesOf("request_rate", fill(20))] },
    "not-recovered",
    "outside its baseline (limit 1 %)",
  ],
  [
    "inside for too few samples",
    { series: [seriesOf("error_rate", [...fill(0.3, 6), ...fill(0.002, 4)]), seriesOf("request_rate", fill(20))] },
    "not-recovered",
    "4 of 5 samples",
  ],
  [
    "inside for exactly enough samples",
    { series: [seriesOf("error_rate", [...fill(0.3, 5), ...fill(0.002, 5)]), seriesOf("request_rate", fill(20))] },
    "recovered",
    "5 samples in a row",
  ],
  [
    "flapping",
    { series: [seriesOf("error_rate", [0.3, 0, 0.3, 0, 0.3, 0, 0.3, 0, 0.3, 0]), seriesOf("request_rate", fill(20))] },
    "not-recovered",
    "1 of 5",
  ],
  [
    "the rollout is not finished",
    { acts: [{ service: "checkout", complete: false }] },
    "not-recovered",
    "not finished",
  ],
  ["S9: nothing that was rolled back is known", { acts: [] }, "unknown", "could not be read"],
  [
    "S9: the rollout could not be read",
    { acts: [{ service: "checkout", complete: null }] },
    "unknown",
    "could not be read",
  ],
  ["S9: no series", { series: [] }, "unknown", "no data"],
  [
    "S9: only missing samples",
    { series: [seriesOf("error_rate", fill(null)), seriesOf("request_rate", fill(20))] },
    "unknown",
    "no sample since",
  ],
  [
    "S9: it went silent after it looked good",
    { series: [seriesOf("error_rate", [...fill(0.002, 6), ...fill(null, 4)]), seriesOf("request_rate", fill(20))] },
    "unknown",
    "the newest sample is 1m old",
  ],
  [
    "missing samples between do not break the run",
    {
      series: [
        seriesOf("error_rate", [0.002, null, 0.002, 0.002, null, 0.002, 0.002, 0.002, null, 0.002]),
        seriesOf("request_rate", fill(20)),
      ],
    },
    "recovered",
    "7 samples in a row",
  ],
  ["S9: no baseline was kept", { baselines: [] }, "unknown", "no baseline"],
  [
    "S9: of a signal that was wrong no baseline was kept, whatever the healthy one beside it says",
    { unmeasured: [{ service: "web", metric: "p99_latency" }] },
    "unknown",
    "no baseline was kept",
  ],
  [
    "a rollout that was stuck is complete, and its pods are ready",
    { baselines: [], unmeasured: [{ service: "checkout", metric: "health_check_failures", ready: true }] },
    "recovered",
    "its pods are ready",
  ],
  [
    "a rollout that was stuck still has pods that are not ready",
    { unmeasured: [{ service: "checkout", metric: "health_check_failures", ready: false }] },
    "not-recovered",
    "not every pod",
  ],
  [
    "S9: nobody can say whether the pods are ready",
    { unmeasured: [{ service: "checkout", metric: "health_check_failures", ready: null }] },
    "unknown",
    "nobody could say",
  ],
  [
    "S9: the baseline number of requests is not known",
    { baselines: [{ ...errors, requestRate: null }] },
    "unknown",
    "the baseline number of requests is not known",
  ],
  [
    "S9: latency while the baseline number of requests is not known",
    {
      baselines: [{ ...latency, requestRate: null }],
      series: [seriesOf("p99_latency", fill(200)), seriesOf("request_rate", fill(20))],
    },
    "unknown",
    "the baseline number of requests is not known",
  ],
  [
    "S9: nobody counted requests",
    { series: [seriesOf("error_rate", fill(0))] },
    "unknown",
    "the number of requests is unknown",
  ],
  [
    "drained traffic is no recovery",
    { series: [seriesOf("error_rate", fill(0)), seriesOf("request_rate", fill(2))] },
    "not-recovered",
    "only 2.00 requests a second, at least 10.00 are the baseline",
  ],
  [
    "drained below its own traffic baseline",
    { baselines: [errors, traffic], series: [seriesOf("error_rate", fill(0)), seriesOf("request_rate", fill(13))] },
    "not-recovered",
    "at least 14.00",
  ],
  [
    "more traffic than before is no reason to doubt",
    { baselines: [errors, traffic], series: [seriesOf("error_rate", fill(0)), seriesOf("request_rate", fill(60))] },
    "recovered",
    "lower limit 14",
  ],
  [
    "S9: too few requests to exclude what people call broken",
    {
      baselines: [{ ...errors, requestRate: 0.5 }],
      series: [seriesOf("error_rate", fill(0)), seriesOf("request_rate", fill(0.5))],
    },
    "unknown",
    "75 requests are too few to exclude 2 %; about 149",
  ],
  [
    "S9: p99 needs the requests that show one in a hundred",
    {
      baselines: [{ ...latency, requestRate: 1 }],
      series: [seriesOf("p99_latency", fill(200)), seriesOf("request_rate", fill(1))],
    },
    "unknown",
    "150 of the 299 requests",
  ],
  [
    "p99 back with enough requests",
    { baselines: [latency], series: [seriesOf("p99_latency", fill(200)), seriesOf("request_rate", fill(20))] },
    "recovered",
    "limit 260 ms, 10 samples in a row within it; over 3,000 requests",
  ],
  [
    "traffic that was too low is back",
    { baselines: [{ ...traffic, worse: "down" }], series: [seriesOf("request_rate", fill(20), { worse: "either" })] },
    "recovered",
    "lower limit 14",
  ],
  [
    "traffic that was too low is not back",
    { baselines: [{ ...traffic, worse: "down" }], series: [seriesOf("request_rate", fill(3), { worse: "either" })] },
    "not-recovered",
    "outside its baseline (lower limit 14",
  ],
  [
    "traffic that policy calls too high still is",
    { baselines: [{ ...traffic, worse: "up" }], series: [seriesOf("request_rate", fill(60), { worse: "either" })] },
    "not-recovered",
    "outside its baseline (limit 26",
  ],
  [
    "faster than ever is no reason to doubt",
    { baselines: [latency], series: [seriesOf("p99_latency", fill(20)), seriesOf("request_rate", fill(20))] },
    "recovered",
    "20 ms",
  ],
  [
    "one of two signals is still wrong",
    {
      baselines: [errors, latency],
      series: [
        seriesOf("error_rate", fill(0)),
        seriesOf("p99_latency", fill(2000)),
        seriesOf("request_rate", fill(20)),
      ],
    },
    "not-recovered",
    "2000 ms, outside",
  ],
  [
    "samples from before the rollback say nothing",
    {
      executedAt: NOW - 3 * STEP,
      series: [seriesOf("error_rate", fill(0.002)), seriesOf("request_rate", fill(20))],
    },
    "not-recovered",
    "3 of 5",
  ],
  [
    "a signal without requests of its own",
    {
      baselines: [{ ...errors, metric: "memory_usage", unit: "ratio", upper: 0.7, requestRate: null }],
      series: [seriesOf("memory_usage", fill(0.4))],
    },
    "recovered",
    "40 %",
  ],
  [
    "a custom signal that hurts when it falls",
    {
      baselines: [{ ...errors, metric: "orders", unit: "1/s", lower: 5, upper: 9, requestRate: null }],
      series: [seriesOf("orders", fill(4), { worse: "down" })],
    },
    "not-recovered",
    "lower limit 5",
  ],
  [
    "the share of one version is not the service",
    { series: [seriesOf("error_rate", fill(0), { labels: { version: "v1" } }), seriesOf("request_rate", fill(20))] },
    "unknown",
    "no data",
  ],
];

describe("recovery", () => {
  it.each(rows)("at the time-out: %s", (_, change, verdict, says) => {
    const input = inputOf({ ...change, timeoutMs: 1000 });
    const recovery = judgeRecovery(input);
    expect(recovery).toMatchObject({ verdict, at: NOW });
    expect(recovery.checks.map(({ because }) => because).join("\n")).toContain(says);
  });

  it.each(rows)("before the time-out what is not so yet is pending: %s", (_, change, verdict) => {
    const recovery = judgeRecovery(inputOf(change));
    expect(recovery.verdict).toBe(verdict === "recovered" ? "recovered" : "pending");
    expect(recovery.at).toBe(verdict === "recovered" ? NOW : null);
  });

  const anySeries = fc
    .array(
      fc.oneof(
        { arbitrary: fc.double({ min: 0, max: errors.upper, noNaN: true }), weight: 12 },
        { arbitrary: fc.double({ min: 0, max: 1, noNaN: true }), weight: 1 },
        { arbitrary: fc.constant(null), weight: 1 },
      ),
      { minLength: 1, maxLength: 30 },
    )
    .map((values) => seriesOf("error_rate", values));
  const anyTraffic = fc
    .array(fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { freq: 6 }), { minLength: 1, maxLength: 30 })
    .map((values) => seriesOf("request_rate", values));

  it("S9: is never proved by data that is not there: taking samples away never makes it recovered", () => {
    fc.assert(
      fc.property(anySeries, anyTraffic, fc.nat(29), (rate, requests, at) => {
        const whole = judgeRecovery(inputOf({ series: [rate, requests], timeoutMs: 0 }));
        const values = rate.values.map((value, index) => (index === at && (value ?? 0) <= errors.upper ? null : value));
        const less = judgeRecovery(inputOf({ series: [{ ...rate, values }, requests], timeoutMs: 0 }));
        if (whole.verdict !== "recovered") expect(less.verdict).not.toBe("recovered");
      }),
      { numRuns: 1000 },
    );
  });

  it("is recovered only if the newest samples lie inside the baseline", () => {
    let recovered = 0;
    fc.assert(
      fc.property(anySeries, anyTraffic, (rate, requests) => {
        const { verdict } = judgeRecovery(inputOf({ series: [rate, requests], timeoutMs: 0 }));
        const newest = rate.values.filter((value) => value !== null).at(-1);
        if (verdict !== "recovered") return;
        recovered += 1;
        expect(newest).toBeLessThanOrEqual(errors.upper);
      }),
      { numRuns: 1000 },
    );
    expect(recovered).toBeGreaterThan(10);
  });
});

describe("S9: data that is late at the time-out", () => {
  const seconds = (late: number) => ({ timeoutMs: 2.5 * MINUTE, now: NOW + late * 1000 });
  const missing = { series: [seriesOf("error_rate", fill(0.002)), seriesOf("request_rate", fill(20))] };
  const bad = { series: [seriesOf("error_rate", fill(0.3)), seriesOf("request_rate", fill(20))] };
  const pods = { service: "checkout", metric: "health_check_failures" };
  it.each<[string, Partial<RecoveryInput>, string]>([
    ["a sample that was there a moment ago is waited for", { ...missing, ...seconds(50) }, "pending"],
    ["for no longer than silence takes", { ...missing, ...seconds(91) }, "unknown"],
    ["nor for ever, however often it is late", { ...missing, ...seconds(50), timeoutMs: MINUTE }, "unknown"],
    [
      "an act that could not be read for a moment is asked of again",
      { acts: [{ service: "checkout", complete: null }], timeoutMs: 2 * MINUTE },
      "pending",
    ],
    ["and so are pods", { unmeasured: [{ ...pods, ready: null }], timeoutMs: 2 * MINUTE }, "pending"],
    [
      "what is surely bad is not waited for",
      { ...bad, timeoutMs: 2 * MINUTE, acts: [{ service: "checkout", complete: null }] },
      "not-recovered",
    ],
    ["nor is what nobody can ever know", { baselines: [], timeoutMs: 2 * MINUTE }, "unknown"],
    ["nor an act of which nothing was done", { acts: [], timeoutMs: 2 * MINUTE }, "unknown"],
  ])("%s", (_name, change, verdict) => {
    const recovery = judgeRecovery(inputOf(change));
    expect(recovery.verdict).toBe(verdict);
    expect(recovery.checks.flatMap(Object.keys)).not.toContain("momentary");
  });
});
