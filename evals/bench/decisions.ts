import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBundle, readTruth } from "../replay/bundle.ts";
import { judge } from "../replay/judge.ts";
import { replayAll } from "../replay/replay-pool.ts";
import { type Figures, type Scored, type Scores, score } from "../replay/score.ts";
import { createDraw } from "../scenarios/draw.ts";
import { families, generateBundle, type Which } from "../scenarios/generate.ts";
import type { BundleFiles } from "../scenarios/observe/bundle.ts";
import { atStep, sparse, withoutLogs, withoutVersionSplit } from "../scenarios/variants.ts";
import { writeBundle } from "../scenarios/write.ts";
import type { BenchOutcome } from "./catalog.ts";
import { bootstrapLimits, clopperPearson, drawnAgain, type Limits, limitsText, medianLimits } from "./intervals.ts";
import { blameTheLatestChange } from "./latest-change.ts";

/** The same bundles, and what is often missing. */
const VARIANTS: readonly (readonly [string, (files: BundleFiles) => BundleFiles])[] = [
  ["as recorded", (files) => files],
  ["without logs", withoutLogs],
  ["without version split", withoutVersionSplit],
  ["60 s samples", (files) => atStep(files, 60)],
  ["60 s, short, no rates", sparse],
];

const TARGET = { precision: 0.98, recall: 0.98, culpritTop1: 0.97, brier: 0.03, decisionDelaySeconds: 60 } as const;
/** Without logs the culprit must still be first this often. */
const TARGET_WITHOUT_LOGS = 0.9;

export interface DecisionsReport {
  readonly benchmark: "decisions";
  readonly which: Which;
  readonly seed: number;
  readonly bundles: number;
  readonly families: number;
  readonly variants: readonly ({ readonly name: string } & Compared)[];
  readonly met: boolean;
}

/** 95 % limits of the figures that are no shares; null where there are too few to tell. */
export interface FigureLimits {
  readonly brier: Limits | null;
  readonly decisionDelaySeconds: Limits | null;
}

interface Compared {
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

/**
 * Decisions over generated incidents: `count` bundles, families in turn, each replayed whole and with less evidence,
 * beside "a threshold, then blame the latest change" on the same bundles. Replays run on all cores.
 */
export async function measureDecisions(count: number, seed: number, which: Which): Promise<DecisionsReport> {
  const seeds = createDraw(`seeds/${seed}`);
  const names = families(which);
  const chosen = Array.from({ length: count }, (_, i) => ({
    family: names[i % names.length] ?? "",
    seed: seeds.integer(0, 2 ** 31 - 1),
  }));
  const variants = [];
  for (const [name, transform] of VARIANTS) variants.push({ name, ...(await measure(chosen, transform, seed)) });
  const [whole, withoutLogs_] = variants;
  const met =
    whole !== undefined && reached(whole.ours) && (withoutLogs_?.ours.culpritTop1 ?? 0) >= TARGET_WITHOUT_LOGS;
  return { benchmark: "decisions", which, seed, bundles: count, families: names.length, variants, met };
}

async function measure(
  chosen: readonly { readonly family: string; readonly seed: number }[],
  transform: (files: BundleFiles) => BundleFiles,
  seed: number,
): Promise<Compared> {
  const directory = mkdtempSync(join(tmpdir(), "unship-decisions-"));
  try {
    const places = chosen.map(({ family, seed }) => join(directory, `${family}-${seed}`));
    chosen.forEach(({ family, seed }, i) => {
      writeBundle(places[i] ?? "", transform(generateBundle(family, seed)));
    });
    const replayed = await replayAll(places, { version: "bench" }, new AbortController().signal);
    const ours: Scored[] = [];
    const latest: Scored[] = [];
    for (const { directory: place, result } of replayed) {
      const truth = readTruth(place);
      if (truth === null) continue;
      ours.push({ id: place.slice(directory.length + 1), truth, episodes: result.episodes });
      latest.push({ id: result.id, truth, episodes: blameTheLatestChange(readBundle(place)) });
    }
    return {
      ours: score(ours),
      oursLimits: figureLimits(ours, seed),
      latestChange: score(latest),
      latestChangeLimits: figureLimits(latest, seed),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function reached(scores: Scores): boolean {
  return (
    (scores.precision ?? 0) >= TARGET.precision &&
    (scores.recall ?? 0) >= TARGET.recall &&
    (scores.culpritTop1 ?? 0) >= TARGET.culpritTop1 &&
    (scores.brier ?? 1) <= TARGET.brier &&
    (scores.decisionDelaySeconds ?? Number.POSITIVE_INFINITY) <= TARGET.decisionDelaySeconds
  );
}

/** The benchmark as the catalog runs it; default: five bundles of each family. */
export async function benchDecisions(trials: number | undefined, seed: number, which: Which): Promise<BenchOutcome> {
  const value = await measureDecisions(trials ?? 5 * families(which).length, seed, which);
  return { lines: decisionLines(value), value, met: value.met };
}

export function decisionLines({
  bundles,
  families: kinds,
  which,
  seed,
  variants,
  met,
}: DecisionsReport): readonly string[] {
  const rows = variants.flatMap(({ name, ours, oursLimits, latestChange, latestChangeLimits }) => [
    row(name, ours, oursLimits),
    row("  latest change blamed", latestChange, latestChangeLimits),
  ]);
  const wrong = variants.flatMap(({ name, ours }) =>
    ours.wrong.map(({ id, because }) => `  ${name}, ${id}: ${because}`),
  );
  return [
    `${bundles} generated incidents of ${kinds} families (${which}), seed ${seed}; 95 % intervals of shares after Clopper and Pearson, of the Brier score by a bootstrap over bundles, of the median delay from order statistics.`,
    "",
    `${"".padEnd(24)}precision             recall                culprit first         Brier                onset to decision`,
    ...rows,
    "",
    `claimed: precision and recall ≥ ${TARGET.precision}, culprit first ≥ ${TARGET.culpritTop1} (without logs ≥ ${TARGET_WITHOUT_LOGS}), Brier ≤ ${TARGET.brier}, median ≤ ${TARGET.decisionDelaySeconds} s: ${met ? "reached" : "not reached"}`,
    ...(wrong.length === 0 ? [] : ["", "wrong:", ...wrong]),
  ];
}

function row(name: string, figures: Figures, limits: FigureLimits): string {
  const { truePositives, falsePositives, faulty, culpritTop1, brier, decisionDelaySeconds } = figures;
  const first = culpritTop1 === null ? 0 : Math.round(culpritTop1 * faulty);
  const seconds =
    decisionDelaySeconds === null
      ? "–"
      : `${decisionDelaySeconds.toFixed(0)} s${limitsText(limits.decisionDelaySeconds, (value) => value.toFixed(0))}`;
  const score = brier === null ? "–" : `${brier.toFixed(3)}${limitsText(limits.brier, (value) => value.toFixed(3))}`;
  return `${name.padEnd(24)}${share(truePositives, truePositives + falsePositives)}${share(truePositives, faulty)}${share(first, faulty)}${score.padEnd(21)}${seconds}`;
}

function share(part: number, whole: number): string {
  if (whole === 0) return "–".padEnd(22);
  const { rate, lower, upper } = clopperPearson(part, whole);
  return `${rate.toFixed(3)} (${lower.toFixed(3)}–${upper.toFixed(3)})`.padEnd(22);
}
