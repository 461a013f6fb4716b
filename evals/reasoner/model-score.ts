import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import type { Scores } from "../replay/score.ts";
import type { Argued } from "./argued.ts";

const Share = z.number().min(0).max(1).nullable();

/** What a model reached on a set of bundles: the figures of the deterministic reasoner, and what only a model has. */
export const ModelFigures = z.strictObject({
  /** The ids of the bundles: figures on other bundles cannot be compared. */
  bundles: z.array(z.string()),
  precision: Share,
  recall: Share,
  culpritTop1: Share,
  brier: z.number().nullable(),
  /** Answers whose every claim was found in the tools' results at the first try, of all answers that were given. */
  groundedness: Share,
  /** Steps with a checked answer, of all that were asked. */
  answered: Share,
  tokensPerIncident: z.number().nullable(),
  /** In the currency of the prices; null: none are configured. */
  costPerIncident: z.number().nullable(),
});
export type ModelFigures = Readonly<z.infer<typeof ModelFigures>>;

/** Figures by the model's name. */
export const Baselines = z.record(z.string(), ModelFigures);
export type Baselines = Readonly<z.infer<typeof Baselines>>;

/** Puts the figures together; `scores` are those of the model's own episodes. */
export function modelFigures(ids: readonly string[], scores: Scores, argued: readonly Argued[]): ModelFigures {
  const steps = argued.flatMap((one) => one.steps);
  const given = steps.filter(({ outcome }) => outcome === "answered" || outcome === "dropped");
  const grounded = given.filter(({ outcome, refused }) => outcome === "answered" && refused === 0);
  const answered = steps.filter(({ outcome }) => outcome === "answered");
  const tokens = argued.map(({ spent }) => spent.inputTokens + spent.outputTokens);
  const costs = argued.flatMap(({ spent }) => (spent.cost === null ? [] : [spent.cost]));
  return {
    bundles: [...ids].sort(),
    precision: scores.precision,
    recall: scores.recall,
    culpritTop1: scores.culpritTop1,
    brier: scores.brier,
    groundedness: share(grounded.length, given.length),
    answered: share(answered.length, steps.length),
    tokensPerIncident: mean(tokens),
    costPerIncident: mean(costs),
  };
}

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length;

/**
 * A model samples its words, so that two runs differ: a share may be two in a hundred worse, and tokens and cost a
 * tenth, before it counts.
 */
const SHARE_SLACK = 0.02;
const COST_SLACK = 0.1;

const MORE_IS_BETTER = ["precision", "recall", "culpritTop1", "groundedness", "answered"] as const;
const COSTS = ["tokensPerIncident", "costPerIncident"] as const;

/**
 * Where these figures are worse than those kept for the model, one line each; empty: nowhere. A figure that was there
 * and is not any more is worse. Throws "input.invalid" where the bundles are not the same.
 */
export function worseThan(now: ModelFigures, before: ModelFigures): readonly string[] {
  if (JSON.stringify([...now.bundles].sort()) !== JSON.stringify([...before.bundles].sort())) {
    throw new UnshipError("input.invalid", {
      what: "--baseline",
      reason: `it was made on ${before.bundles.length} other bundles; replay those, or save a new one with --save-baseline`,
    });
  }
  const lost = (name: keyof ModelFigures) => before[name] !== null && now[name] === null;
  const line = (name: keyof ModelFigures) => `${name} ${text(now[name])}, before ${text(before[name])}`;
  const lower = MORE_IS_BETTER.filter((name) => lost(name) || (now[name] ?? 1) < (before[name] ?? 0) - SHARE_SLACK);
  const brier = lost("brier") || (now.brier ?? 0) > (before.brier ?? Number.POSITIVE_INFINITY) + SHARE_SLACK;
  const dearer = COSTS.filter(
    (name) => (now[name] ?? 0) > (before[name] ?? Number.POSITIVE_INFINITY) * (1 + COST_SLACK),
  );
  return [...lower.map(line), ...(brier ? [line("brier")] : []), ...dearer.map(line)];
}

const text = (value: unknown): string =>
  typeof value === "number" ? String(Number(value.toPrecision(4))) : value === null ? "none" : String(value);

/** The figures for a terminal. */
export function modelLines(name: string, figures: ModelFigures): readonly string[] {
  return [
    `model ${name} on ${figures.bundles.length} bundles`,
    `precision ${text(figures.precision)}  recall ${text(figures.recall)}  culprit first ${text(figures.culpritTop1)}  Brier ${text(figures.brier)}`,
    `groundedness ${text(figures.groundedness)}  steps answered ${text(figures.answered)}`,
    `an incident: ${text(figures.tokensPerIncident)} tokens, cost ${text(figures.costPerIncident)}`,
  ];
}
