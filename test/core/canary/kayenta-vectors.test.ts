import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { classifyByMeans, classifyByRanks, KAYENTA_DEFAULTS } from "../../../core/canary/kayenta/classify.ts";
import { scoreMetrics } from "../../../core/canary/kayenta/score.ts";
import { cles, cohenD, meanRatio, percentile, summary } from "../../../core/canary/kayenta/statistics.ts";

// Kayenta's own test vectors; origin and licence stand in the README beside them.
const FOLDER = join(import.meta.dirname, "../../../evals/data/kayenta");
const vectors = <T>(name: string, schema: z.ZodType<T>): T[] =>
  z.array(schema).parse(JSON.parse(readFileSync(join(FOLDER, `${name}.json`), "utf8")));

const named = { id: z.string(), name: z.string() };
const values = z.array(z.number());
const thresholds = z.tuple([z.number(), z.number()]).nullable();
const Classifying = z.strictObject({
  ...named,
  kind: z.enum(["mann-whitney", "mean-inequality"]),
  options: z.strictObject({
    direction: z.enum(["increase", "decrease", "either"]),
    nanStrategy: z.enum(["remove", "replace"]),
    critical: z.boolean(),
    tolerance: z.number().default(KAYENTA_DEFAULTS.tolerance),
    confidenceLevel: z.number().default(KAYENTA_DEFAULTS.confidence),
    effectSizeMeasure: z.enum(["meanRatio", "cles"]).default("meanRatio"),
    effectSizeThresholds: thresholds.default(null),
    criticalThresholds: thresholds.default(null),
  }),
  control: values,
  experiment: values,
  expected: z.strictObject({
    classification: z.string().optional(),
    critical: z.boolean().optional(),
    deviation: z.literal("NaN").optional(),
    reasonNotEmpty: z.literal(true).optional(),
  }),
});
const Scoring = z.strictObject({
  ...named,
  groupWeights: z.record(z.string(), z.number()),
  metrics: z.array(
    z.strictObject({
      name: z.string(),
      classification: z.enum(["Pass", "High", "Low", "Nodata"]),
      groups: z.array(z.string()),
      critical: z.boolean(),
    }),
  ),
  expected: z.strictObject({ summaryScore: z.number(), groupScoresSorted: values.optional() }),
});
const Computing = z.strictObject({
  ...named,
  fn: z.enum(["summary", "percentile", "meanRatio", "cohenD", "cles"]),
  args: z.record(z.string(), z.union([z.number(), values])),
  expected: z.union([z.number(), z.record(z.string(), z.number())]),
  tolerance: z.number(),
});

describe("Kayenta's classifier vectors", () => {
  const all = vectors("classifier", Classifying);

  it("are all here", () => expect(all).toHaveLength(19));

  it.each(all)("$id: $name", ({ kind, options, control, experiment, expected }) => {
    const common = {
      direction: options.direction,
      nanStrategy: options.nanStrategy,
      critical: options.critical,
      mustHaveData: false,
    };
    const result =
      kind === "mean-inequality"
        ? classifyByMeans(control, experiment, common)
        : classifyByRanks(control, experiment, {
            ...common,
            tolerance: options.tolerance,
            confidence: options.confidenceLevel,
            measure: options.effectSizeMeasure,
            effect: options.effectSizeThresholds ?? KAYENTA_DEFAULTS.effect,
            criticalEffect: options.criticalThresholds ?? KAYENTA_DEFAULTS.criticalEffect,
          });
    if (expected.reasonNotEmpty === true) expect(result.reason).not.toBe("");
    if (expected.classification !== undefined) expect(result.classification).toBe(expected.classification);
    if (expected.critical !== undefined) expect(result.critical).toBe(expected.critical);
    if (expected.deviation === "NaN") expect(result.deviation).toBeNaN();
  });
});

describe("Kayenta's scorer vectors", () => {
  const all = vectors("scorer", Scoring);

  it("are all here", () => expect(all).toHaveLength(7));

  it.each(all)("$id: $name", ({ groupWeights, metrics, expected }) => {
    const score = scoreMetrics(metrics, groupWeights);
    expect(score.summary).toBe(expected.summaryScore);
    if (expected.groupScoresSorted !== undefined)
      expect(score.groups.map((group) => group.score).sort((a, b) => a - b)).toEqual(expected.groupScoresSorted);
  });
});

describe("Kayenta's statistics vectors", () => {
  const all = vectors("statistics", Computing);
  const list = (value: unknown) => z.array(z.number()).parse(value);

  it("are all here", () => expect(all).toHaveLength(11));

  it.each(all)("$id: $name", ({ fn, args, expected, tolerance }) => {
    if (typeof expected !== "number") {
      const figures = Object.entries(summary(list(args.values)));
      expect(figures).toHaveLength(Object.keys(expected).length);
      for (const [name, value] of figures)
        expect(Math.abs(value - (expected[name] ?? Number.NaN))).toBeLessThanOrEqual(tolerance);
      return;
    }
    const result = {
      percentile: () => percentile(list(args.values), z.number().parse(args.p)),
      meanRatio: () => meanRatio(list(args.control), list(args.experiment)),
      cohenD: () => cohenD(list(args.first), list(args.second)),
      cles: () => cles(list(args.control), list(args.experiment)),
      summary: () => Number.NaN,
    }[fn]();
    expect(Math.abs(result - expected)).toBeLessThanOrEqual(tolerance);
  });
});
