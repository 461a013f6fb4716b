import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refused } from "../../../core/canary/closed-testing.ts";
import type { CanaryInput } from "../../../core/canary/model.ts";
import { judgeSequentially } from "../../../core/canary/sequential.ts";
import { clopperPearson } from "../../../evals/bench/intervals.ts";
import { createRandom } from "../../../evals/bench/random.ts";
import { drawCanary } from "../../../evals/canary/null-canary.ts";
import { changed, SAMPLES, sideBySide, without } from "./versions.ts";

const version = fc.record({
  rate: fc.double({ min: 1, max: 60, noNaN: true }),
  errors: fc.constantFrom(0, 0.01, 0.02, 0.1),
  p99: fc.constantFrom(200, 230, 300, 600),
  memory: fc.constantFrom(0.5, 0.6),
});

describe("rules of the sequential judge over all inputs", () => {
  it("removing samples never makes a pass of what was none", () => {
    const holes = fc.record({
      side: fc.constantFrom("baseline" as const, "canary" as const),
      metric: fc.constantFrom("error_rate", "p99_latency", "p50_latency", "memory_usage", "request_rate"),
      missing: fc.uniqueArray(fc.nat(SAMPLES - 1), { minLength: 1, maxLength: SAMPLES }),
    });
    let passes = 0;
    fc.assert(
      fc.property(version, fc.array(holes, { minLength: 1, maxLength: 3 }), (canary, removed) => {
        const whole = sideBySide(canary, {}, { complete: true });
        const before = judgeSequentially(whole).verdict;
        const offset = { baseline: 240, canary: 0 };
        const less = removed.reduce<CanaryInput>(
          (input, { side, metric, missing }) =>
            changed(input, side, (series) =>
              series.metric === metric ? without(series, (i) => missing.includes(i - offset[side])) : series,
            ),
          whole,
        );
        if (before === "pass") passes += 1;
        else expect(judgeSequentially(less).verdict).not.toBe("pass");
      }),
      { numRuns: 60, seed: 1 },
    );
    expect(passes).toBeLessThan(60);
  });

  it("nothing hangs on the order or the names of metrics", () => {
    fc.assert(
      fc.property(version, fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), (canary, order) => {
        const names = ["p99_latency", "p50_latency", "memory_usage"];
        const custom = ["alpha", "beta", "gamma"];
        const renamed = (input: CanaryInput, to: readonly string[]): CanaryInput => {
          const rename = (metric: string) => to[names.indexOf(metric)] ?? metric;
          const both = (["baseline", "canary"] as const).reduce<CanaryInput>(
            (all, side) => changed(all, side, (series) => ({ ...series, metric: rename(series.metric) })),
            input,
          );
          return { ...both, metrics: [...to].reverse() };
        };
        const input = sideBySide(canary);
        const one = judgeSequentially(renamed(input, custom));
        const other = judgeSequentially(
          renamed(
            input,
            order.map((index) => custom[index] ?? ""),
          ),
        );
        expect([other.verdict, other.samples]).toEqual([one.verdict, one.samples]);
        for (const [index, place] of order.entries()) {
          const verdictOf = (result: typeof one, metric: string | undefined) =>
            result.metrics.find((metricResult) => metricResult.metric === metric)?.verdict;
          expect(verdictOf(other, custom[place])).toBe(verdictOf(one, custom[index]));
        }
      }),
      { numRuns: 25, seed: 2 },
    );
  });

  it("shifting time shifts the span and nothing else", () => {
    fc.assert(
      fc.property(version, fc.integer({ min: -1e9, max: 1e9 }), (canary, ms) => {
        const input = sideBySide(canary);
        const later = (["baseline", "canary"] as const).reduce<CanaryInput>(
          (all, side) => changed(all, side, (series) => ({ ...series, startAt: series.startAt + ms })),
          { ...input, since: (input.since ?? 0) + ms, now: input.now + ms },
        );
        const { since, until, ...rest } = judgeSequentially(input);
        const moved = judgeSequentially(later);
        expect(moved).toEqual({ ...rest, since: (since ?? 0) + ms, until: (until ?? 0) + ms });
      }),
      { numRuns: 15, seed: 3 },
    );
  });
});

describe("the error rate of the sequential judge", () => {
  it("stays below 1 − confidence for canaries that are no worse, looked at after every sample", () => {
    const trials = 40;
    let failed = 0;
    for (let trial = 0; trial < trials; trial++) {
      const setting = { metrics: 10, samples: 60, history: null, share: null, leastRate: null };
      if (judgeSequentially(drawCanary(createRandom(trial), setting, 0.95)).verdict === "fail") failed += 1;
    }
    // Two of forty may be expected; more than six have a chance of 0.3 %. The run that measures is `null-trials.ts`.
    expect(failed).toBeLessThanOrEqual(6);
  });

  it("is what every verdict rests on: none is given on less evidence than 1 − confidence asks for", () => {
    let failed = 0;
    let passed = 0;
    fc.assert(
      fc.property(version, (canary) => {
        const { verdict, metrics } = judgeSequentially(sideBySide(canary));
        const evidence = metrics.map((one) => one.evidence ?? { worse: Number.NaN, noWorse: Number.NaN });
        if (verdict === "fail") {
          failed += 1;
          const named = refused(
            evidence.map(({ worse }) => ({ nats: worse, weight: 1 })),
            0.05,
          );
          for (const [i, one] of metrics.entries()) if (one.verdict === "worse") expect(named[i]).toBe(true);
        }
        if (verdict === "pass") {
          passed += 1;
          for (const { noWorse } of evidence) expect(noWorse).toBeGreaterThanOrEqual(Math.log(20));
        }
      }),
      { numRuns: 60, seed: 5 },
    );
    expect(failed).toBeGreaterThan(20);
    expect(passed).toBeGreaterThan(0);
  });

  /** The share of runs in which any of `metrics` true hypotheses is refused, each at the height of its evidence. */
  const familywise = (metrics: number, alpha: number, runs: number) => {
    const random = createRandom(4);
    let wrong = 0;
    for (let run = 0; run < runs; run++) {
      // The sharpest e-process there is: its highest value is one over a uniform draw; the others have lost by then.
      const best = Math.min(...Array.from({ length: metrics }, () => random.uniform()));
      const tests = Array.from({ length: metrics }, (_, i) => ({
        nats: i === 0 ? -Math.log(best) : Number.NEGATIVE_INFINITY,
        weight: 1,
      }));
      if (refused(tests, alpha).some(Boolean)) wrong += 1;
    }
    return clopperPearson(wrong, runs);
  };

  it("is that of all 300 metrics together, and spends nearly all that it may", () => {
    const { rate, lower } = familywise(300, 0.05, 4000);
    expect(lower).toBeLessThanOrEqual(0.05);
    expect(rate).toBeGreaterThan(0.035);
  });

  it("would be seen to be twice as high if twice the error were spent", () => {
    expect(familywise(300, 0.1, 4000).lower).toBeGreaterThan(0.05);
  });
});
