import type { Classification } from "./classify.ts";

/** One classified metric as the scorer reads it. `critical`: it fails the whole unless it passed. */
export interface ScoredMetric {
  readonly name: string;
  readonly classification: Classification;
  readonly groups: readonly string[];
  readonly critical: boolean;
  readonly muted?: boolean;
}

export interface GroupScore {
  readonly group: string;
  /** 0–100; 0 where no metric of the group has data. */
  readonly score: number;
  readonly noData: boolean;
}

export interface Score {
  /** 0–100, two decimals. */
  readonly summary: number;
  readonly groups: readonly GroupScore[];
  /** Why the sum counts for nothing; null: it counts. */
  readonly reason: string | null;
}

/** From so many per cent of metrics without data the analysis scores 0. */
const NODATA_PERCENT = 50;

/**
 * Kayenta's weighted sum: of each group the share of its metrics that passed, groups weighed by `weights` (per cent),
 * those without one sharing what is left of 100. A group without any data counts as 100, a critical metric that did
 * not pass, or half of the metrics without data, makes it 0. `Error` counts nowhere, as in Kayenta.
 *
 * @see https://github.com/spinnaker/kayenta, WeightedSumScorer.scala
 */
export function scoreMetrics(all: readonly ScoredMetric[], weights: Readonly<Record<string, number>> = {}): Score {
  const metrics = all.filter(({ muted }) => muted !== true);
  const groups = groupScores(metrics);
  const critical = metrics.find((one) => one.critical && one.classification !== "Pass");
  if (critical !== undefined)
    return { summary: 0, groups, reason: `the critical metric ${critical.name} is ${critical.classification}` };
  const without = metrics.filter(({ classification }) => classification === "Nodata").length;
  if ((100 * without) / metrics.length >= NODATA_PERCENT)
    return { summary: 0, groups, reason: `${without} of ${metrics.length} metrics have no data` };
  return { summary: weighted(groups, weights), groups, reason: null };
}

function groupScores(metrics: readonly ScoredMetric[]): readonly GroupScore[] {
  const byGroup = new Map<string, Classification[]>();
  for (const { groups, classification } of metrics)
    for (const group of groups) byGroup.set(group, [...(byGroup.get(group) ?? []), classification]);
  return [...byGroup].map(([group, classes]) => {
    const counted = classes.filter((one) => one !== "Nodata" && one !== "Error");
    const passed = counted.filter((one) => one === "Pass").length;
    const noData = counted.length === 0;
    return { group, score: noData ? 0 : (100 * passed) / counted.length, noData };
  });
}

function weighted(groups: readonly GroupScore[], weights: Readonly<Record<string, number>>): number {
  const given = new Map(Object.entries(weights));
  const spent = [...given.values()].reduce((sum, weight) => sum + weight, 0);
  const open = groups.filter(({ group }) => !given.has(group)).length;
  const sum = groups.reduce((total, { group, score, noData }) => {
    const weight = given.get(group) ?? (100 - spent) / open;
    return total + ((noData ? 100 : score) * weight) / 100;
  }, 0);
  return Math.round(sum * 100 + Number.EPSILON) / 100;
}

/** Kayenta's verdict on a score: at least `pass`, at least `marginal`, or less. */
export function classifyScore(score: number, pass: number, marginal: number): "Pass" | "Marginal" | "Fail" {
  if (score >= pass) return "Pass";
  return score >= marginal ? "Marginal" : "Fail";
}
