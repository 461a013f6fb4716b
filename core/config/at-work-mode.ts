import { type Config, MODES, type Mode } from "./config.ts";
import { withMode } from "./defaults.ts";

/** A process that may execute plans on a ledger ("the watch"), and its mode, which `--mode` may have set; null: it does not say. */
export interface AtWorkMode {
  readonly work: string;
  readonly mode: Mode | null;
}

/**
 * The configuration as what is at work on its ledger obeys it: in the freest mode of those processes, as `--mode` changes a file's
 * mode. The file's own where nobody is at work, or nobody says a mode.
 */
export function asAtWork(config: Config, atWork: readonly AtWorkMode[]): Config {
  const mode = freestOf(atWork);
  return mode === null || mode === config.mode ? config : withMode(config, mode);
}

/** The mode in which plans may be executed, as a sentence; whose it is where the file says another one (S7, S15). */
export function modeText(config: Config, file: string, atWork: readonly AtWorkMode[]): string {
  const { mode } = asAtWork(config, atWork);
  const byDefault = config.modeIsDefault ? " (the default: the file names none)" : "";
  if (mode === config.mode) return `Mode ${mode}${byDefault}, by ${file}.`;
  const whose = [...new Set(atWork.flatMap((one) => (one.mode === mode ? one.work : [])))];
  return `Mode ${mode}, in which ${whose.join(" and ")} ${whose.length === 1 ? "runs" : "run"}; ${file} says ${config.mode}${byDefault}.`;
}

function freestOf(atWork: readonly AtWorkMode[]): Mode | null {
  return MODES.findLast((mode) => atWork.some((one) => one.mode === mode)) ?? null;
}
