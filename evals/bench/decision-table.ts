import { basename } from "node:path";
import { readBundle, readTruth } from "../replay/bundle.ts";
import { judge } from "../replay/judge.ts";
import { replayAll } from "../replay/replay-pool.ts";
import { type Figures, type Scored, type Scores, score } from "../replay/score.ts";
import { bootstrapLimits, clopperPearson, drawnAgain, type Limits, limitsText, medianLimits } from "./intervals.ts";
import { blameTheLatestChange } from "./latest-change.ts";

/** What good decisions are, whoever made the incidents. */
export const TARGET = {
  precision: 0.98,
  recall: 0.98,
  culpritTop1: 0.97,
  brier: 0.03,
  decisionDelaySeconds: 60,
} as const;

/** 95 % limits of the figures that are no shares; null where there are too few to tell. */
export interface FigureLimits {
  readonly brier: Limits | null;
  readonly decisionDelaySeconds: Limits | null;
}

/** Decisions on some bundles, beside those of whoever blames the latest change. */
export interface Compared {
  readonly ours: Scores;
  readonly oursLimits: FigureLimits;
  readonly latestChange: Figures;
  readonly latestChangeLimits: FigureLimits;
}

/** Claims of one bundle are not independent of one another: whole bundles are drawn anew for Brier's score. */
export function figureLimits(scored: readonly Scored[], seed: number): FigureLimits {
  const judged = scored.map(judge);
  const brier = bootstrapLimits((random) => {
    const errors = drawnAgain(judged, random).flatMap(({ claims }) =>
      claims.map(({ probability, isTrue }) => (probability - (isTrue ? 1 : 0)) ** 2),
    );
    return errors.length === 0 ? null : errors.reduce((sum, one) => sum + one, 0) / errors.length;
  }, seed);
  const delays = judged.flatMap(({ decisionSeconds }) => (decisionSeconds === null ? [] : [decisionSeconds]));
  return { brier, decisionDelaySeconds: medianLimits(delays) };
}

/** Replays bundle folders on all cores, and scores what was decided beside what blaming the latest change would have. */
export async function compare(places: readonly string[], seed: number): Promise<Compared> {
  const replayed = await replayAll(places, { version: "bench" }, new AbortController().signal);
  const ours: Scored[] = [];
  const latest: Scored[] = [];
  for (const { directory, result } of replayed) {
    const truth = readTruth(directory);
    if (truth === null) continue;
    ours.push({ id: basename(directory), truth, episodes: result.episodes });
    latest.push({ id: result.id, truth, episodes: blameTheLatestChange(readBundle(directory)) });
  }
  return {
    ours: score(ours),
    oursLimits: figureLimits(ours, seed),
    latestChange: score(latest),
    latestChangeLimits: figureLimits(latest, seed),
  };
}

/** Whether every figure that is claimed is reached. */
export function reached(scores: Scores): boolean {
  return (
    (scores.precision ?? 0) >= TARGET.precision &&
    (scores.recall ?? 0) >= TARGET.recall &&
    (scores.culpritTop1 ?? 0) >= TARGET.culpritTop1 &&
    (scores.brier ?? 1) <= TARGET.brier &&
    (scores.decisionDelaySeconds ?? Number.POSITIVE_INFINITY) <= TARGET.decisionDelaySeconds
  );
}

export const INTERVALS =
  "95 % intervals of shares after Clopper and Pearson, of the Brier score by a bootstrap over bundles, of the median delay from order statistics.";
export const TITLE = `${"".padEnd(26)}precision             recall                culprit first         Brier                onset to decision`;

/** Two lines of the table: ours, and who blames the latest change. */
export const rowsOf = (
  name: string,
  { ours, oursLimits, latestChange, latestChangeLimits }: Compared,
): readonly string[] => [
  row(name, ours, oursLimits),
  row("  latest change suspected", latestChange, latestChangeLimits),
];

function row(name: string, figures: Figures, limits: FigureLimits): string {
  const { truePositives, falsePositives, faulty, culpritTop1, brier, decisionDelaySeconds } = figures;
  const first = culpritTop1 === null ? 0 : Math.round(culpritTop1 * faulty);
  const seconds =
    decisionDelaySeconds === null
      ? "–"
      : `${decisionDelaySeconds.toFixed(0)} s${limitsText(limits.decisionDelaySeconds, (value) => value.toFixed(0))}`;
  const score = brier === null ? "–" : `${brier.toFixed(3)}${limitsText(limits.brier, (value) => value.toFixed(3))}`;
  return `${name.padEnd(26)}${share(truePositives, truePositives + falsePositives)}${share(truePositives, faulty)}${share(first, faulty)}${score.padEnd(21)}${seconds}`;
}

function share(part: number, whole: number): string {
  if (whole === 0) return "–".padEnd(22);
  const { rate, lower, upper } = clopperPearson(part, whole);
  return `${rate.toFixed(3)} (${lower.toFixed(3)}–${upper.toFixed(3)})`.padEnd(22);
}
