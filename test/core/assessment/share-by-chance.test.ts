import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { baselines } from "../../../core/assessment/baselines.ts";
import { shareByChance } from "../../../core/assessment/share-by-chance.ts";
import type { Config } from "../../../core/config/config.ts";
import { judgeRecovery } from "../../../core/guardrails/recovery.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Series } from "../../../core/model/signal.ts";
import { createRandom, type Random } from "../../../evals/bench/random.ts";

const STEP = 2_000;
const NOW = Date.parse("2026-03-02T12:00:00Z");
const BROKEN = 0.02;
const policies: Config["policies"] = [
  {
    name: "broken",
    action: "rollback_immediate",
    notification: [],
    conditions: [
      {
        ...{ kind: "threshold", metric: "error_rate", comparison: "greater_than", threshold: BROKEN },
        ...{ upperBound: null, durationMs: 0, text: "" },
      },
    ],
  },
];

const series = (metric: string, values: readonly number[], until: number): Series => ({
  ...{ service: "cart", metric, unit: metric === "error_rate" ? "ratio" : "req/s", labels: {}, stepMs: STEP, values },
  worse: metric === "error_rate" ? "up" : "either",
  startAt: until - (values.length - 1) * STEP,
});
const caseOf = (...all: readonly Series[]): CaseFile => ({
  ...{ at: NOW, series: all, findings: [], conditions: [], changes: [], topology: null, logs: [], spans: [] },
  ...{ flags: [], rollouts: [], alerts: [], gaps: [] },
});

/** Shares of failed requests in so many samples of a service of which `rate` of the requests fail. */
const drawn = (random: Random, samples: number, requests: number, rate: number): number[] =>
  Array.from({ length: samples }, () => random.binomial(requests, rate) / requests);

const limitOf = (values: readonly number[], requests: number, given = policies): number | undefined => {
  const file = caseOf(
    series("error_rate", values, NOW),
    series(
      "request_rate",
      values.map(() => (requests * 1_000) / STEP),
      NOW,
    ),
  );
  return baselines(file, ["cart"], given).find(({ metric }) => metric === "error_rate")?.upper;
};

/** Whether a rollback after which `rate` of the requests fail is called a recovery at any of 20 evaluations. */
function isCalledRecovered(random: Random, requests: number, before: number, rate: number): boolean {
  const history = drawn(random, 40, requests, before);
  const traffic = history.map(() => (requests * 1_000) / STEP);
  const kept = baselines(
    caseOf(series("error_rate", history, NOW), series("request_rate", traffic, NOW)),
    ["cart"],
    policies,
  ).filter(({ metric }) => metric === "error_rate");
  const since = drawn(random, 20, requests, rate);
  return since.some((_, index) => {
    const now = NOW + (index + 1) * STEP;
    const values = since.slice(0, index + 1);
    const recovery = judgeRecovery({
      ...{ baselines: kept, conditions: [], acts: [{ service: "cart", complete: true }], now, executedAt: NOW },
      series: [
        series("error_rate", values, now),
        series(
          "request_rate",
          values.map(() => (requests * 1_000) / STEP),
          now,
        ),
      ],
      ...{ brokenAt: { error_rate: BROKEN }, timeoutMs: 60_000 },
    });
    return recovery.verdict === "recovered";
  });
}

describe("what chance shows of few requests", () => {
  it("is reached at least twice in a hundred samples, and exceeded no more often, at the highest mean that the median allows", () => {
    const probability = (mean: number, upTo: number): number => {
      let term = Math.exp(-mean);
      let sum = term;
      for (let count = 1; count <= upTo; count++) {
        term *= mean / count;
        sum += term;
      }
      return sum;
    };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 1, max: 5_000 }), (median, more) => {
        const requests = median * 2 + more;
        const failed = Math.round(shareByChance(median / requests, requests) * requests);
        const mean = median + Math.LN2;
        if (failed < requests) expect(probability(mean, failed)).toBeGreaterThanOrEqual(0.98);
        if (failed > 0) expect(1 - probability(mean, failed - 1)).toBeGreaterThanOrEqual(0.02);
      }),
    );
  });

  it("of many requests is no more than the steady rate itself", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.3, noNaN: true }), (rate) => {
        expect(shareByChance(rate, 1e9)).toBeCloseTo(rate, 4);
      }),
    );
  });
});

describe("the limit of errors after a short history", () => {
  it("lets one failed request of ninety be where none is usual, and stays below what a policy calls broken", () => {
    const quiet = Array.from({ length: 40 }, () => 0);
    expect(limitOf(quiet, 90)).toBe(BROKEN);
    expect(limitOf(quiet, 1_000)).toBeCloseTo(0.006, 6);
    expect(limitOf(quiet, 90, [])).toBeCloseTo(0.006, 6);
  });

  const CASES = [60, 90, 300].flatMap((requests) => [0, 0.002, 0.005].map((rate) => ({ requests, rate })));

  it.each(CASES)("a rollback that helped is called so: $requests requests a sample, $rate of them fail", (one) => {
    const random = createRandom(7);
    const times = 200;
    const called = Array.from({ length: times }, () => isCalledRecovered(random, one.requests, one.rate, one.rate));
    expect(called.filter(Boolean).length).toBeGreaterThanOrEqual(0.95 * times);
  });

  it.each(CASES)(
    "one that left twice what a policy calls broken is not: $requests requests a sample, $rate of them failed before",
    (one) => {
      const random = createRandom(8);
      const times = 200;
      const called = Array.from({ length: times }, () => isCalledRecovered(random, one.requests, one.rate, 2 * BROKEN));
      expect(called.filter(Boolean).length).toBeLessThanOrEqual(0.05 * times);
    },
  );
});
