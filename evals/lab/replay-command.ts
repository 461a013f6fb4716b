import { basename, extname } from "node:path";
import { z } from "zod";
import { type Composition, EXIT, type ExitCode } from "../../agent/cli/composition.ts";
import { failureLines } from "../../agent/cli/failure.ts";
import { plain, plainLines } from "../../agent/cli/output.ts";
import { likelihood } from "../../core/model/likelihood.ts";
import { findBundles, readTruth } from "../replay/bundle.ts";
import type { TruthFile } from "../replay/bundle-schema.ts";
import type { Episode } from "../replay/episode.ts";
import { type Replayed, type Replays, replayEach } from "../replay/replay-pool.ts";
import { type Scores, score } from "../replay/score.ts";
import { scoreLines } from "../replay/score-text.ts";
import { createProgress } from "./progress.ts";
import { tellFailed } from "./tell-failed.ts";

const Options = z.looseObject({
  config: z.string().optional(),
  mode: z.string().optional(),
  score: z.boolean().default(false),
  report: z.union([z.boolean(), z.string()]).default(true),
  reasoner: z.string().optional(),
  model: z.string().optional(),
  baseUrl: z.string().optional(),
  baseline: z.string().optional(),
  saveBaseline: z.boolean().default(false),
  workers: z.coerce.number().int().min(1).optional(),
  json: z.union([z.boolean(), z.string()]).optional(),
});
type Options = z.infer<typeof Options>;

const DEFAULT_REPORT = "unship-replay.html";

/** `unship replay`: all bundles on all cores, results sorted by id; timing and progress go to standard error. */
export async function replayCommand(
  to: Composition,
  paths: readonly string[],
  given: Record<string, unknown>,
  abort: AbortSignal,
): Promise<ExitCode> {
  const options = Options.parse(given);
  if (options.reasoner !== undefined && options.reasoner !== "deterministic") {
    const { replayWithModel } = await import("../reasoner/replay-with-model.ts");
    return replayWithModel(to, findBundles(paths), { ...options, reasoner: options.reasoner }, abort);
  }
  const reportFile = reportPath(options);
  const replays = await replay(to, findBundles(paths), options, reportFile !== null, abort);
  const { replayed } = replays;
  const value = replayed.map(({ result: { id, episodes, samples } }) => ({ id, episodes, samples }));
  const { json } = options;
  if (json === true) to.terminal.out(`${JSON.stringify(value, null, 1)}\n`);
  else {
    if (typeof json === "string") await to.writeFile(json, `${JSON.stringify(value, null, 1)}\n`);
    for (const { id, episodes } of value) to.terminal.out(`${plainLines(words(id, episodes))}\n`);
  }
  if (!options.score && reportFile === null) return tellFailed(to, replays);
  const say = json === true ? to.terminal.err : to.terminal.out;
  // Only now, after the last decision, is any truth opened.
  const { truths, code } = readTruths(to, replayed);
  const scores = scored(replayed, truths);
  if (options.score && truths.size > 0) say(`${plainLines(scoreLines(scores))}\n`);
  if (reportFile !== null) {
    await writeReport(to, reportFile, options, { replayed, truths, scores });
    say(`\nreport: ${reportFile}\n`);
  }
  const failed = tellFailed(to, replays);
  return failed === EXIT.ok && options.score ? code : failed;
}

/** `--report FILE`; else, where scores are wanted, beside the JSON file, or here; `--no-report`: none. */
function reportPath({ report, score: wanted, json }: Options): string | null {
  if (typeof report === "string") return report;
  if (!report || !wanted) return null;
  return typeof json === "string" ? `${json.slice(0, json.length - extname(json).length)}.html` : DEFAULT_REPORT;
}

async function replay(
  to: Composition,
  directories: readonly string[],
  { config, mode, workers }: Options,
  sketch: boolean,
  abort: AbortSignal,
): Promise<Replays> {
  const started = performance.now();
  const progress = createProgress({
    write: to.terminal.err,
    isTty: process.stderr.isTTY === true,
    now: () => performance.now(),
  });
  const options = {
    version: to.version,
    sketch,
    ...(config === undefined ? {} : { config }),
    ...(mode === undefined ? {} : { mode }),
  };
  const ticking = setInterval(() => progress.again(), 500);
  try {
    const pool = {
      onDone: (done: number) => progress.step(done, directories.length),
      ...(workers === undefined ? {} : { workers }),
    };
    const replays = await replayEach(directories, options, abort, pool);
    const { replayed, warnings } = replays;
    const samples = replayed.reduce((sum, { result }) => sum + result.samples, 0);
    const seconds = (performance.now() - started) / 1000;
    progress.end();
    to.terminal.err(
      `${replayed.length} bundles, ${samples} samples in ${seconds.toFixed(1)} s (${Math.round(samples / seconds)} samples/s)\n`,
    );
    for (const warning of warnings) to.terminal.err(`${plain(warning)}\n`);
    return replays;
  } finally {
    clearInterval(ticking);
    progress.end();
  }
}

/** By folder. What cannot be read, and that there is nothing to score, is told; exit code 1: not all could be scored. */
function readTruths(
  to: Composition,
  replayed: readonly Replayed[],
): { readonly truths: ReadonlyMap<string, TruthFile>; readonly code: ExitCode } {
  const truths = new Map<string, TruthFile>();
  let failures = 0;
  for (const { directory } of replayed) {
    try {
      const truth = readTruth(directory);
      if (truth !== null) truths.set(directory, truth);
    } catch (error) {
      failures += 1;
      to.terminal.err(`${plainLines(failureLines(error))}\n`);
    }
  }
  if (failures > 0)
    to.terminal.err(`${failures} of ${replayed.length} bundles are not scored: their truth cannot be read\n`);
  else if (truths.size === 0 && replayed.length > 0)
    to.terminal.err("nothing is scored: no bundle has a truth.json (docs/incident-bundle.md has its format)\n");
  return { truths, code: failures > 0 || truths.size === 0 ? EXIT.no : EXIT.ok };
}

function scored(replayed: readonly Replayed[], truths: ReadonlyMap<string, TruthFile>): Scores {
  return score(
    replayed.flatMap(({ directory, result }) => {
      const truth = truths.get(directory);
      return truth === undefined ? [] : [{ id: result.id, truth, episodes: result.episodes }];
    }),
  );
}

async function writeReport(
  to: Composition,
  file: string,
  { config }: Options,
  told: {
    readonly replayed: readonly Replayed[];
    readonly truths: ReadonlyMap<string, TruthFile>;
    readonly scores: Scores;
  },
): Promise<void> {
  const { replayed, truths, scores } = told;
  const { reportPage } = await import("../replay/report/page.ts");
  const bundles = replayed.flatMap(({ directory, result: { id, episodes, sketch } }) =>
    sketch === undefined ? [] : [{ id, episodes, sketch, truth: truths.get(directory) ?? null }],
  );
  const configuration = config === undefined ? "the example configuration, in auto mode" : basename(config);
  await to.writeFile(file, await reportPage({ version: to.version, configuration, scores, bundles }));
}

function words(id: string, episodes: readonly Episode[]): readonly string[] {
  if (episodes.length === 0) return [`${id}  nothing called for a decision`];
  return episodes.flatMap((episode) => episodeWords(id, episode));
}

export function episodeWords(id: string, episode: Episode): readonly string[] {
  const { action, culprit, decided_at, executed_at, targets, guardrail } = episode;
  return [
    `${id}  ${action}${culprit === null ? "" : ` of ${culprit.change_id} (${likelihood(culprit.probability)})`}` +
      `${targets.length > 1 ? `, in the order ${targets.join(", ")}` : ""}`,
    `  decided ${decided_at ?? "never"}, ${executed_at === null ? `not executed${VERDICTS[guardrail?.verdict ?? ""] ?? ""}` : `executed ${executed_at}`}`,
  ];
}

const VERDICTS: Readonly<Record<string, string>> = {
  require_approval: ": it needs a person",
  deny: ": the gate denied it",
};
