import { type Claim, type Judged, judge, type Scored } from "./judge.ts";
import { type Reliability, reliability } from "./reliability.ts";

export type { Scored } from "./judge.ts";

/** The figures of a set of bundles; null where there is nothing to divide by. */
export interface Figures {
  readonly bundles: number;
  readonly faulty: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly culpritTop1: number | null;
  readonly brier: number | null;
  /** Seconds from true onset; medians over found bundles. */
  readonly decisionDelaySeconds: number | null;
  readonly executionDelaySeconds: number | null;
}

export interface Group extends Figures {
  readonly name: string;
}

export interface Scores extends Figures {
  /** By what is right: the truth's action. */
  readonly byTruth: readonly Group[];
  /** By the truth's `family`, where bundles name one; empty where none does. */
  readonly byFamily: readonly Group[];
  readonly reliability: readonly Reliability[];
  /** Seconds from true onset, of found bundles, ascending. */
  readonly decisionDelays: readonly number[];
  readonly executionDelays: readonly number[];
  readonly wrong: readonly { readonly id: string; readonly because: string }[];
}

/** Scores replayed bundles as the incident bundle's format defines: TP, FP, precision, recall, culprit, Brier, delays. */
export function score(results: readonly Scored[]): Scores {
  const judged = results.map(judge);
  return {
    ...figures(judged),
    byTruth: groups(judged, ({ truth }) => truth.action),
    byFamily: groups(judged, ({ truth }) => (typeof truth.family === "string" ? truth.family : null)),
    reliability: reliability(judged.flatMap(({ claims }) => claims)),
    decisionDelays: delays(judged, ({ decisionSeconds }) => decisionSeconds),
    executionDelays: delays(judged, ({ executionSeconds }) => executionSeconds),
    wrong: judged.flatMap(({ id, because }) => (because === null ? [] : [{ id, because }])),
  };
}

function figures(judged: readonly Judged[]): Figures {
  const faulty = judged.filter(({ truth }) => truth.faulty);
  const truePositives = judged.filter(({ found }) => found !== null).length;
  const falsePositives = judged.reduce((sum, { falseActions }) => sum + falseActions, 0);
  return {
    bundles: judged.length,
    faulty: faulty.length,
    truePositives,
    falsePositives,
    precision: ratio(truePositives, truePositives + falsePositives),
    recall: ratio(truePositives, faulty.length),
    culpritTop1: ratio(faulty.filter(({ culpritFirst }) => culpritFirst === true).length, faulty.length),
    brier: brier(judged.flatMap(({ claims }) => claims)),
    decisionDelaySeconds: quantile(
      delays(judged, ({ decisionSeconds }) => decisionSeconds),
      0.5,
    ),
    executionDelaySeconds: quantile(
      delays(judged, ({ executionSeconds }) => executionSeconds),
      0.5,
    ),
  };
}

function groups(judged: readonly Judged[], nameOf: (one: Judged) => string | null): readonly Group[] {
  const named = judged.flatMap((one) => {
    const name = nameOf(one);
    return name === null ? [] : [{ name, one }];
  });
  return [...Map.groupBy(named, ({ name }) => name)]
    .map(([name, all]) => ({ name, ...figures(all.map(({ one }) => one)) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const delays = (judged: readonly Judged[], of: (one: Judged) => number | null): readonly number[] =>
  judged
    .map(of)
    .filter((seconds) => seconds !== null)
    .sort((a, b) => a - b);

const brier = (claims: readonly Claim[]): number | null =>
  ratio(
    claims.reduce((sum, { probability, isTrue }) => sum + (probability - (isTrue ? 1 : 0)) ** 2, 0),
    claims.length,
  );

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

/** Of sorted values, interpolated between neighbours (Hyndman & Fan type 7); null of nothing. */
export function quantile(sorted: readonly number[], q: number): number | null {
  const place = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low === undefined || high === undefined ? null : low + (high - low) * (place - Math.floor(place));
}
