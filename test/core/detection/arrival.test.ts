import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDetectionEngine } from "../../../core/detection/engine.ts";
import type { Series } from "../../../core/model/signal.ts";
import { testConfig } from "../assessment/config.ts";
import { T0, traffic } from "./series.ts";

const STEP = 15_000;
const STEPS = 90;
const config = testConfig();

const errors = fc
  .record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    rate: fc.constantFrom(2, 60),
    to: fc.constantFrom(0.003, 0.02, 0.2),
    from: fc.integer({ min: 40, max: 80 }),
  })
  .map(({ seed, rate, to, from }) => traffic(STEPS, (i) => (i < from ? 0.003 : to), { rate, seed }));

/** One sample of each series. */
const sample = (series: readonly Series[], i: number): readonly Series[] =>
  series.map((one) => ({ ...one, startAt: one.startAt + i * STEP, values: [one.values[i] ?? null] }));

function atOnce(series: readonly Series[]) {
  const engine = createDetectionEngine(config);
  engine.ingest(series, "statistics");
  return engine.evaluate(T0 + STEPS * STEP).findings;
}
const told = (findings: ReturnType<typeof atOnce>) =>
  findings.map(({ metric, verdict, strength, samples }) => ({ metric, verdict, strength, samples }));

describe("samples", () => {
  it("that arrive in any order after the first, once or several times, say what they say in order", () => {
    fc.assert(
      fc.property(
        errors,
        fc.shuffledSubarray(
          Array.from({ length: STEPS - 1 }, (_, i) => i + 1),
          { minLength: STEPS - 1 },
        ),
        fc.array(fc.integer({ min: 0, max: STEPS - 1 }), { maxLength: 20 }),
        (series, order, again) => {
          const engine = createDetectionEngine(config);
          for (const i of [0, ...order, ...again]) engine.ingest(sample(series, i), "statistics");
          expect(engine.evaluate(T0 + STEPS * STEP).findings).toEqual(atOnce(series));
        },
      ),
      { numRuns: 25 },
    );
  });

  it("whose times are off by less than half a step from one another belong to the steps that they are nearest to", () => {
    fc.assert(
      fc.property(errors, fc.infiniteStream(fc.integer({ min: -3500, max: 3500 })), (series, off) => {
        const engine = createDetectionEngine(config);
        for (let i = 0; i < STEPS; i++)
          for (const one of sample(series, i))
            engine.ingest([{ ...one, startAt: one.startAt + (off.next().value ?? 0) }], "statistics");
        expect(told(engine.evaluate(T0 + STEPS * STEP).findings)).toEqual(told(atOnce(series)));
      }),
      { numRuns: 25 },
    );
  });

  it("that come after newer ones were judged change nothing that was said: they count as missing, not twice", () => {
    fc.assert(
      fc.property(errors, fc.integer({ min: 20, max: 84 }), fc.integer({ min: 2, max: 5 }), (series, late, by) => {
        const walk = (arrives: boolean) => {
          const engine = createDetectionEngine(config);
          let findings: ReturnType<typeof atOnce> = [];
          for (let i = 0; i < STEPS; i++) {
            if (i !== late) engine.ingest(sample(series, i), "statistics");
            if (arrives && i === late + by) engine.ingest(sample(series, late), "statistics");
            findings = engine.evaluate(T0 + (i + 1) * STEP).findings;
          }
          return findings.map(({ metric, verdict, samples }) => ({ metric, verdict, samples }));
        };
        expect(walk(true)).toEqual(walk(false));
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    ["NaN", Number.NaN],
    ["an infinity", Number.POSITIVE_INFINITY],
    ["minus infinity", Number.NEGATIVE_INFINITY],
  ])("that are %s are missing, wherever they stand", (_name, value) => {
    fc.assert(
      fc.property(errors, fc.uniqueArray(fc.integer({ min: 1, max: STEPS - 1 }), { maxLength: 15 }), (series, at) => {
        const by = (put: number | null) =>
          series.map((one) => ({ ...one, values: one.values.map((was, i) => (at.includes(i) ? put : was)) }));
        expect(atOnce(by(value))).toEqual(atOnce(by(null)));
      }),
      { numRuns: 8 },
    );
  });

  it("of a step that is not over yet are not judged before a newer step, or the same one when it is read again, is there", () => {
    const series = traffic(STEPS, () => 0.003, { rate: 60, seed: 3 });
    const engine = createDetectionEngine(config);
    for (let i = 0; i < STEPS; i++) {
      // The newest step comes as missing, as every source gives an incomplete one, and whole with the next read.
      engine.ingest(
        series.map((one) => ({
          ...one,
          startAt: one.startAt + Math.max(0, i - 1) * STEP,
          values: [...one.values.slice(Math.max(0, i - 1), i), null],
        })),
        "statistics",
      );
      expect(engine.evaluate(T0 + (i + 1) * STEP).findings).toEqual([]);
    }
  });
});
