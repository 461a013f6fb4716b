import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";

type LedgerConfig = Config["ledger"];

/** The file that commands read where none is named. */
export const DEFAULT_CONFIG_FILE = "unship.yaml";

export interface LedgerQuestion {
  /** The configuration file, as it was named. */
  readonly file: string;
  /** Its ledger as written, or the default; and the same with an absolute path. */
  readonly written: LedgerConfig;
  readonly kept: LedgerConfig;
  /** Where the command runs. */
  readonly folder: string;
}

/**
 * One installation has one ledger (S2, S14): throws "input.invalid" where a relative path leaves open which one it is.
 * That is so where the configuration file is itself a link into another folder, which another command may read by its
 * other name, or which may lead elsewhere tomorrow; and where a ledger lies at the place that versions before this one
 * would have used, which counted from the folder in which the command runs: its budgets, pauses and open incidents
 * would be left behind.
 */
export function mustBeOneLedger({ file, written, kept, folder }: LedgerQuestion): void {
  if (written.type !== "sqlite" || kept.type !== "sqlite" || isAbsolute(written.path)) return;
  const named = realpathSync(dirname(resolve(folder, file)));
  const real = realpathSync(resolve(folder, file));
  if (named !== dirname(real)) {
    throw refused(
      `${file} is a link to ${real}, so that "${written.path}" could count from either folder. ` +
        "Name the ledger by an absolute path",
    );
  }
  const before = resolve(folder, written.path);
  if (!existsSync(before) || samePlace(before, kept.path)) return;
  // The ledger of the file that lies in this folder, which is not the file that was named.
  const others = join(folder, DEFAULT_CONFIG_FILE);
  if (existsSync(kept.path) && existsSync(others) && realpathSync(others) !== real) return;
  const both = existsSync(kept.path) ? `, and another one at ${kept.path}, where ${file} keeps it` : "";
  const move = `mkdir -p ${dirname(kept.path)} && mv ${before}* ${dirname(kept.path)}/`;
  throw refused(
    `a ledger lies at ${before}, where earlier versions kept it when they ran in this folder${both}. ` +
      "Its budgets, pauses and open incidents would be lost. End what runs on it, then " +
      `${both === "" ? `move it to where ${file} keeps it: ${move}` : "keep the one that counts there, and move the other away"}. ` +
      "Where it belongs to another configuration, run in another folder",
  );
}

const refused = (reason: string): UnshipError => new UnshipError("input.invalid", { what: "ledger.path", reason });

/** Whether two paths name one file, or would. */
function samePlace(one: string, other: string): boolean {
  return realOf(one) === realOf(other);
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realOf(folder), basename(path));
  }
}
