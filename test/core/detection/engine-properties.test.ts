import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDetectionEngine } from "../../../core/detection/engine.ts";
import type { Finding } from "../../../core/model/finding.ts";
import type { Series } from "../../../core/model/signal.ts";
import { testConfig } from "../assessment/config.ts";
import { normals, seriesOf, T0, traffic } from "./series.ts";

const STEP = 15_000;
const config = testConfig();

/** Ninety samples of a service: errors that may rise at some time, by some factor, with gaps. */
const system = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  rate: fc.constantFrom(0.5, 5, 60),
  usual: fc.constantFrom(0.002, 0.03),
  rise: fc.constantFrom(1, 4, 20),
  from: fc.integer({ min: 30, max: 80 }),
  gaps: fc.uniqueArray(fc.integer({ min: 0, max: 89 }), { maxLength: 8 }),
});
const STEPS = 90;

type System = typeof system extends fc.Arbitrary<infer T> ? T : never;

function seriesFor({ seed, rate, usual, rise, from, gaps }: System, service = "cart"): readonly Series[] {
  return traffic(STEPS, (i) => Math.min(0.6, i < from ? usual : usual * rise), { rate, seed, service }).map((one) => ({
    ...one,
    values: one.values.map((value, i) => (gaps.includes(i) ? null : value)),
  }));
}

const part = (series: readonly Series[], from: number, to: number): readonly Series[] =>
  series.map((one) => ({
    ...one,
    startAt: one.startAt + from * one.stepMs,
    values: one.values.slice(from, to),
  }));

/** Findings after each of the samples from `from` on. */
function watched(series: readonly Series[], engine = createDetectionEngine(config), from = 0) {
  const seen: (readonly Finding[])[] = [];
  for (let i = from; i < STEPS; i++) {
    engine.ingest(part(series, i, i + 1), "statistics");
    seen.push(engine.evaluate(T0 + (i + 1) * STEP).findings);
  }
  return seen;
}

const check = (holds: (one: System) => void) => fc.assert(fc.property(system, holds), { numRuns: 15 });

describe("whatever the traffic", () => {
  /** Any time: by whole steps, whole days, or a few milliseconds. */
  const later = fc.oneof(
    fc.integer({ min: 1, max: 40 }).map((steps) => steps * STEP),
    fc.integer({ min: 1, max: 20 }).map((days) => days * 86_400_000),
    fc.integer({ min: 1, max: 10 * 86_400_000 }),
  );
  const moved = (finding: Finding, by: number): Finding => ({
    ...finding,
    detectedAt: finding.detectedAt + by,
    ...(finding.limitAt === undefined ? {} : { limitAt: finding.limitAt + by }),
    onset: finding.onset && {
      at: finding.onset.at + by,
      earliest: finding.onset.earliest + by,
      latest: finding.onset.latest + by,
    },
  });
  const movedSeries = (series: readonly Series[], by: number) =>
    series.map((one) => ({ ...one, startAt: one.startAt + by }));

  it("a shift in time, by however much, shifts the answers and nothing else", () => {
    fc.assert(
      fc.property(system, later, (one, by) => {
        const engine = createDetectionEngine(config);
        engine.ingest(movedSeries(seriesFor(one), by), "statistics");
        const there = engine.evaluate(T0 + by + STEPS * STEP).findings;
        const fixed = createDetectionEngine(config);
        fixed.ingest(seriesFor(one), "statistics");
        const here = fixed.evaluate(T0 + STEPS * STEP).findings;
        expect(there).toEqual(here.map((finding) => moved(finding, by)));
      }),
      { numRuns: 30 },
    );
  });

  it("so it does for a leak, sample after sample", () => {
    const steps = 240;
    const leak = (seed: number): Series => {
      const normal = normals(seed);
      const values = Array.from({ length: steps }, (_, i) => 0.3 + 0.002 * Math.max(0, i - 100) + 0.01 * normal());
      return seriesOf("memory_usage", values);
    };
    /** The first sample after which it was told of, and how. */
    const told = (series: Series, by: number) => {
      const engine = createDetectionEngine(config);
      for (let i = 0; i < steps; i++) {
        engine.ingest(
          movedSeries([series], by).map((one) => part([one], i, i + 1)[0] ?? one),
          "statistics",
        );
        const drift = engine.evaluate(T0 + by + (i + 1) * STEP).findings.find(({ detector }) => detector === "drift");
        if (drift !== undefined) return { i, drift };
      }
      return null;
    };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), later, (seed, by) => {
        const here = told(leak(seed), 0);
        expect(here).not.toBeNull();
        expect(told(leak(seed), by)).toEqual(here && { i: here.i, drift: moved(here.drift, by) });
      }),
      { numRuns: 5 },
    );
  });

  it("another name of the service changes its name alone", () => {
    check((one) => {
      const renamed = watched(seriesFor(one, "basket")).map((findings) =>
        findings.map((finding) => ({
          ...finding,
          service: finding.service.replace("basket", "cart"),
          because: finding.because.replaceAll("basket", "cart"),
        })),
      );
      expect(renamed).toEqual(watched(seriesFor(one)));
    });
  });

  it("another service beside it changes nothing that is said of it", () => {
    fc.assert(
      fc.property(system, system, (one, other) => {
        const together = watched([...seriesFor(other, "search"), ...seriesFor(one)]);
        const own = together.map((findings) => findings.filter(({ service }) => service === "cart"));
        expect(own).toEqual(watched(seriesFor(one)));
      }),
      { numRuns: 10 },
    );
  });

  it("a state that is stored anywhere and restored goes on as if nothing had been", () => {
    fc.assert(
      fc.property(system, fc.integer({ min: 1, max: STEPS - 1 }), (one, cut) => {
        const series = seriesFor(one);
        const whole = watched(series);
        const first = createDetectionEngine(config);
        for (let i = 0; i < cut; i++) {
          first.ingest(part(series, i, i + 1), "statistics");
          first.evaluate(T0 + (i + 1) * STEP);
        }
        const second = createDetectionEngine(config);
        second.restore(JSON.parse(JSON.stringify(first.state())));
        expect(watched(series, second, cut)).toEqual(whole.slice(cut));
      }),
      { numRuns: 15 },
    );
  });

  it("silence turns what was said into unknown, never into health", () => {
    check((one) => {
      const engine = createDetectionEngine(config);
      engine.ingest(seriesFor({ ...one, gaps: [] }), "statistics");
      engine.evaluate(T0 + STEPS * STEP);
      const silent = engine.evaluate(T0 + STEPS * STEP + 600_000).findings;
      for (const metric of ["request_rate", "error_rate"]) {
        const verdicts = silent.filter((finding) => finding.metric === metric).map(({ verdict }) => verdict);
        expect(verdicts).toContain("unknown");
        expect(verdicts).not.toContain("no-worse");
      }
    });
  });
});

describe("what a sample means", () => {
  const clean = traffic(STEPS, (i) => (i < 60 ? 0.003 : 0.1), { rate: 50, seed: 4 });
  const answerTo = (take: (engine: ReturnType<typeof createDetectionEngine>) => void) => {
    const engine = createDetectionEngine(config);
    take(engine);
    return engine.evaluate(T0 + STEPS * STEP).findings;
  };
  const usual = answerTo((engine) => engine.ingest(clean, "statistics"));
  const mapped = (change: (value: number | null, i: number) => number | null) =>
    clean.map((one) => ({ ...one, values: one.values.map(change) }));
  const without = (indices: readonly number[]) => mapped((value, i) => (indices.includes(i) ? null : value));

  it("the reference is a shift that is found", () => {
    expect(usual.map(({ verdict }) => verdict)).toEqual(["worse"]);
  });

  it.each<[string, readonly Series[][], readonly Series[]]>([
    ["a sample that comes twice counts once", [[...clean], [...clean]], clean],
    [
      "a sample that comes again with another value does not change the first",
      [[...clean], mapped((value) => (value ?? 0) * 3)],
      clean,
    ],
    ["samples that come in two parts out of order are put in order", [[...part(clean, 0, 90)].toReversed()], clean],
    ["NaN is a missing sample", [mapped((value, i) => (i === 20 ? Number.NaN : value))], without([20])],
    ["infinity is a missing sample", [mapped((value, i) => (i === 20 ? Infinity : value))], without([20])],
    [
      "a time that is off by a third of a step belongs to the nearest step",
      [clean.map((one) => ({ ...one, startAt: one.startAt + (one.metric === "error_rate" ? 5000 : 0) }))],
      clean.map((one) => ({ ...one, startAt: one.startAt + (one.metric === "error_rate" ? 5000 : 0) })),
    ],
    ["an incomplete last step that is given as missing is waited for", [without([89])], part(clean, 0, 89)],
  ])("%s", (_name, given, same) => {
    const left = answerTo((engine) => {
      for (const one of given) engine.ingest(one, "statistics");
    });
    const right = answerTo((engine) => engine.ingest(same, "statistics"));
    expect(left).toEqual(right);
  });

  it("a late sample is judged when it comes, as if it had been there", () => {
    const late = answerTo((engine) => {
      engine.ingest(part(clean, 0, 88), "statistics");
      engine.evaluate(T0 + 88 * STEP);
      engine.ingest(part(clean, 89, 90), "statistics");
      engine.ingest(part(clean, 88, 89), "statistics");
    });
    expect(late).toEqual(usual);
  });

  it("no traffic in a step says nothing about errors", () => {
    const [rate, errors] = traffic(STEPS, () => 0.003, { rate: 50, seed: 4 });
    const idle = (i: number) => i >= 60;
    const still = [
      { ...rate, values: (rate?.values ?? []).map((value, i) => (idle(i) ? 0 : value)) },
      { ...errors, values: (errors?.values ?? []).map((value, i) => (idle(i) ? 1 : value)) },
    ] as readonly Series[];
    expect(answerTo((engine) => engine.ingest(still, "statistics"))).toEqual([]);
  });

  it("a counter that starts anew shows as a missing step, not as a fall: the level before and after is one level", () => {
    const values = Array.from({ length: STEPS }, (_, i) => (i === 45 ? null : 100 + (i % 3)));
    expect(answerTo((engine) => engine.ingest([seriesOf("p99_latency", values)], "statistics"))).toEqual([]);
  });
});
