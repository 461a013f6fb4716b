import { rfc3339 } from "../model/time.ts";
import { type Config, MODES, type Mode } from "./config.ts";
import { withMode } from "./defaults.ts";

/** A process that may execute plans on a ledger ("the watch"), and its mode, which `--mode` may have set; null: it does not say. */
export interface AtWorkMode {
  readonly work: string;
  readonly mode: Mode | null;
  /** Whether `--mode` set it; null or absent: it does not say. */
  readonly modeIsAsked?: boolean | null;
  /** The version of the configuration that it obeys (`Config.version`); null or absent: it does not say. */
  readonly version?: string | null;
  /** When it read that, Unix ms; absent: it does not say. */
  readonly since?: number | undefined;
}

/**
 * The configuration as what is at work on its ledger obeys it: in the freest mode of those processes, as `--mode` changes a file's
 * mode. The file's own where nobody is at work, or nobody says a mode. What one that obeys another version of the file obeys
 * is not known here: `otherVersions` says so.
 */
export function asAtWork(config: Config, atWork: readonly AtWorkMode[]): Config {
  const mode = freestOf(atWork);
  if (mode === null) return config;
  const freest = atWork.filter((one) => one.mode === mode);
  const isAsked = freest.every(({ modeIsAsked }) => modeIsAsked === true);
  return mode === config.mode && !isAsked ? config : withMode(config, mode);
}

/** The mode in which plans may be executed, as a sentence; whose it is where the file says another one (S7, S15). */
export function modeText(config: Config, file: string, atWork: readonly AtWorkMode[]): string {
  const { mode } = asAtWork(config, atWork);
  const byDefault = config.modeIsDefault ? " (the default: the file names none)" : "";
  if (mode === config.mode) return `Mode ${mode}${byDefault}, by ${file}.`;
  const whose = [...new Set(atWork.flatMap((one) => (one.mode === mode ? one.work : [])))];
  return `Mode ${mode}, in which ${whose.join(" and ")} ${whose.length === 1 ? "runs" : "run"}; ${file} says ${config.mode}${byDefault}.`;
}

/** Those at work that obey another version of the configuration than this one. Nobody where this one was read from no file. */
export const otherVersions = <T extends AtWorkMode>({ version }: Config, atWork: readonly T[]): readonly T[] =>
  version === undefined ? [] : atWork.filter((one) => typeof one.version === "string" && one.version !== version);

/** What is to be said of those, a sentence each (S8, S15): what the file says now is not what may be executed by. */
export const otherVersionLines = (config: Config, file: string, atWork: readonly AtWorkMode[]): readonly string[] =>
  otherVersions(config, atWork).map(
    ({ work, since }) =>
      `CAUTION: ${work} obeys another version of ${file}${since === undefined ? "" : `, read at ${rfc3339(since)}`}: the file, or a variable in it, was changed since, or another file was named. Its limits, approvers and services are not those of ${file} now; start it again for these to count.`,
  );

function freestOf(atWork: readonly AtWorkMode[]): Mode | null {
  return MODES.findLast((mode) => atWork.some((one) => one.mode === mode)) ?? null;
}
