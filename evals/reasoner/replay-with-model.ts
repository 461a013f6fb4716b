import { readFileSync } from "node:fs";
import { type Composition, EXIT, type ExitCode } from "../../agent/cli/composition.ts";
import { plain, plainLines } from "../../agent/cli/output.ts";
import { UnshipError } from "../../core/errors.ts";
import { tellFailed } from "../lab/tell-failed.ts";
import { readTruth } from "../replay/bundle.ts";
import { replayEach } from "../replay/replay-pool.ts";
import { score } from "../replay/score.ts";
import { scoreLines } from "../replay/score-text.ts";
import { Baselines, type ModelFigures, modelFigures, modelLines, worseThan } from "./model-score.ts";
import { openReasoner, type ReasonerChoice } from "./open-reasoner.ts";

export interface ModelReplay extends ReasonerChoice {
  readonly mode?: string | undefined;
  readonly baseline?: string | undefined;
  readonly saveBaseline: boolean;
  readonly json?: boolean | string | undefined;
}

/**
 * `unship replay --reasoner NAME`: the core watches and detects, and the model's answers are scored in the place of the
 * core's. One bundle after the other, since a vendor limits its callers. Exit code 1: worse than its baseline.
 */
export async function replayWithModel(
  to: Composition,
  directories: readonly string[],
  options: ModelReplay,
  abort: AbortSignal,
): Promise<ExitCode> {
  const { name, reasoner } = await openReasoner(to, options);
  const { config, mode, json } = options;
  const choice = { ...(config === undefined ? {} : { config }), ...(mode === undefined ? {} : { mode }) };
  const replays = await replayEach(directories, { version: to.version, ...choice, reasoner }, abort, { workers: 1 });
  const { replayed, warnings } = replays;
  for (const warning of warnings) to.terminal.err(`${plain(warning)}\n`);
  const argued = replayed.flatMap(({ result }) => result.argued ?? []);
  const scored = replayed.flatMap(({ directory, result }) => {
    const truth = readTruth(directory);
    const episodes = (result.argued ?? []).map(({ episode }) => episode);
    return truth === null ? [] : [{ id: result.id, truth, episodes }];
  });
  const scores = score(scored);
  const ids = replayed.map(({ result }) => result.id);
  const figures = modelFigures(ids, scores, argued);
  const value = {
    model: name,
    figures,
    bundles: replayed.map(({ result: { id, argued: of } }) => ({ id, argued: of })),
  };
  if (json === true) to.terminal.out(`${JSON.stringify(value, null, 1)}\n`);
  else {
    if (typeof json === "string") await to.writeFile(json, `${JSON.stringify(value, null, 1)}\n`);
    to.terminal.out(`${plainLines([...scoreLines(scores), "", ...modelLines(name, figures)])}\n`);
  }
  const code = tellFailed(to, replays);
  return code !== EXIT.ok || options.baseline === undefined
    ? code
    : compareWith(to, options.baseline, name, figures, options.saveBaseline);
}

async function compareWith(
  to: Composition,
  file: string,
  name: string,
  figures: ModelFigures,
  save: boolean,
): Promise<ExitCode> {
  const known = readBaselines(file, save);
  if (save) {
    const all = Object.entries({ ...known, [name]: figures }).sort(([a], [b]) => (a < b ? -1 : 1));
    await to.writeFile(file, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
    to.terminal.err(`kept as the baseline of ${name} in ${file}\n`);
    return EXIT.ok;
  }
  const before = known[name];
  if (before === undefined) {
    const there = Object.keys(known).join(", ") || "none";
    throw new UnshipError("input.invalid", {
      what: "--baseline",
      reason: `it has no ${name} (it has ${there}); keep one with --save-baseline`,
    });
  }
  const worse = worseThan(figures, before);
  to.terminal.err(
    worse.length === 0 ? "not worse than its baseline\n" : `worse than its baseline:\n  ${worse.join("\n  ")}\n`,
  );
  return worse.length === 0 ? EXIT.ok : EXIT.no;
}

/** The kept figures; a file that is not there yet is empty where it is about to be written. */
function readBaselines(file: string, mayBeNew: boolean): Baselines {
  try {
    return Baselines.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    if (mayBeNew && (cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new UnshipError(
      "input.invalid",
      { what: file, reason: "it cannot be read as baselines of models" },
      { cause },
    );
  }
}
