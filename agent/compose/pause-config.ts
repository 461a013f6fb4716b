import { existsSync, readFileSync } from "node:fs";
import type { Config } from "../../core/config/config.ts";
import { loadConfig } from "../../core/config/load.ts";
import { remainsOf } from "../../core/config/remains.ts";
import { UnshipError } from "../../core/errors.ts";
import { atWork } from "../../knowledge/ledger/at-work.ts";
import { absoluteIn, readConfig, realPathOf } from "./config-file.ts";
import type { Environment } from "./secrets.ts";

/** What a pause goes by. */
export interface PauseConfig {
  readonly config: Config;
  /** Why the file was not used, and what was not checked because of it; absent: it was. */
  readonly instead?: { readonly reason: string; readonly services: readonly string[] | null };
}

/**
 * The configuration for a pause. Where the file is missing, half-written or wrong at that moment, the pause still goes to the
 * ledger, or the gate, that is certainly the file's: it names the place itself, or a process that was started with this very
 * file is at work there. Throws "input.invalid", which says that nothing was paused and what to do, where that is not so.
 */
export function configToPause(file: string, environment: Environment): PauseConfig {
  try {
    return { config: readConfig(file, environment, { secrets: "unused" }) };
  } catch (error) {
    if (!(error instanceof UnshipError) || !(error.code === "config.invalid" || error.code === "config.unreadable")) {
      throw error;
    }
    const real = realPathOf(file);
    for (const { text, isNamed, services } of remainsOf(textOf(file))) {
      const loaded = loadConfig(text, file, environment, { secrets: "unused" });
      if (!loaded.ok) continue;
      const config = absoluteIn(loaded.config, file);
      if (isCertain(config, isNamed, real)) return { config, instead: { reason: error.message, services } };
    }
    const reason =
      "NOTHING WAS PAUSED: it cannot be used as it is now, and which ledger it belongs to cannot be known with certainty. " +
      "Fix it, or name a version of it that is whole: unship pause --config FILE. What must stop at once stops with its " +
      "process: end `unship watch`, `unship gate` and `unship mcp`";
    throw new UnshipError("input.invalid", { what: file, reason }, { cause: error.cause });
  }
}

/** A place that was named is right where something is; any other one only where this file's own process is. */
function isCertain({ ledger, gate }: Config, isNamed: boolean, file: string): boolean {
  if (gate !== undefined || ledger.type !== "sqlite") return isNamed;
  if (!existsSync(ledger.path)) return false;
  return isNamed || atWork(ledger.path).some((one) => one.file === file);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
