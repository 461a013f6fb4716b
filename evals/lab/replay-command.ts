import { z } from "zod";
import { type Composition, EXIT, type ExitCode } from "../../agent/cli/composition.ts";
import { likelihood } from "../../agent/cli/words.ts";
import { findBundles, readTruth } from "../replay/bundle.ts";
import { type ReplayResult, replayBundle } from "../replay/replay.ts";
import { type Scores, score } from "../replay/score.ts";

const Options = z.looseObject({
  config: z.string().optional(),
  mode: z.string().optional(),
  score: z.boolean().default(false),
  json: z.union([z.boolean(), z.string()]).optional(),
});

/** `unship replay`: each bundle in turn, results sorted by id; timing goes to standard error. */
export async function replayCommand(
  to: Composition,
  paths: readonly string[],
  given: Record<string, unknown>,
  abort: AbortSignal,
): Promise<ExitCode> {
  const { config, mode, score: wanted, json } = Options.parse(given);
  const directories = findBundles(paths);
  const results: { readonly directory: string; readonly result: ReplayResult }[] = [];
  const started = performance.now();
  for (const [index, directory] of directories.entries()) {
    if (to.terminal.isTty) to.terminal.err(`\r${bar(index, directories.length)} ${directory}\u001b[K`);
    const options = {
      version: to.version,
      ...(config === undefined ? {} : { config }),
      ...(mode === undefined ? {} : { mode }),
    };
    results.push({ directory, result: await replayBundle(directory, options, abort) });
  }
  if (to.terminal.isTty) to.terminal.err("\r\u001b[K");
  results.sort((a, b) => (a.result.id < b.result.id ? -1 : a.result.id > b.result.id ? 1 : 0));
  const samples = results.reduce((sum, { result }) => sum + result.samples, 0);
  const seconds = (performance.now() - started) / 1000;
  to.terminal.err(
    `${results.length} bundles, ${samples} samples in ${seconds.toFixed(1)} s (${Math.round(samples / seconds)} samples/s)\n`,
  );

  const value = results.map(({ result }) => result);
  if (json === true) to.terminal.out(`${JSON.stringify(value, null, 1)}\n`);
  else {
    if (typeof json === "string") await to.writeFile(json, `${JSON.stringify(value, null, 1)}\n`);
    for (const { id, episodes } of value) to.terminal.out(`${words(id, episodes)}\n`);
  }
  if (wanted) {
    const scores = score(
      results.flatMap(({ directory, result }) => {
        const truth = readTruth(directory);
        return truth === null ? [] : [{ id: result.id, truth, episodes: result.episodes }];
      }),
    );
    (json === true ? to.terminal.err : to.terminal.out)(`${scoreWords(scores).join("\n")}\n`);
  }
  return EXIT.ok;
}

function words(id: string, episodes: ReplayResult["episodes"]): string {
  if (episodes.length === 0) return `${id}  nothing called for a decision`;
  return episodes
    .map(
      ({ action, culprit, decided_at, executed_at, targets, guardrail }) =>
        `${id}  ${action}${culprit === null ? "" : ` of ${culprit.change_id} (${likelihood(culprit.probability)})`}` +
        `${targets.length > 1 ? `, in the order ${targets.join(", ")}` : ""}\n` +
        `  decided ${decided_at ?? "never"}, ${executed_at === null ? `not executed${VERDICTS[guardrail?.verdict ?? ""] ?? ""}` : `executed ${executed_at}`}`,
    )
    .join("\n");
}

const VERDICTS: Readonly<Record<string, string>> = {
  require_approval: ": it needs a person",
  deny: ": the gate denied it",
};

function scoreWords(scores: Scores): readonly string[] {
  const figure = (value: number | null) => (value === null ? "–" : value.toFixed(3));
  return [
    "",
    `bundles ${scores.bundles}, faulty ${scores.faulty}: found ${scores.truePositives}, false actions ${scores.falsePositives}`,
    `precision ${figure(scores.precision)}  recall ${figure(scores.recall)}  culprit first ${figure(scores.culpritTop1)}  Brier ${figure(scores.brier)}`,
    `onset to decision, median ${scores.decisionDelaySeconds ?? "–"} s; to execution ${scores.executionDelaySeconds ?? "–"} s`,
    ...scores.wrong.map(({ id, because }) => `  ${id}: ${because}`),
  ];
}

const BAR_WIDTH = 24;

function bar(done: number, all: number): string {
  const filled = Math.round((done / Math.max(1, all)) * BAR_WIDTH);
  return `[${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}] ${done}/${all}`;
}
