import { existsSync, readFileSync } from "node:fs";
import type { Config, ConfigProblem, Mode } from "../../core/config/config.ts";
import { withMode } from "../../core/config/defaults.ts";
import { formatProblem, loadConfig } from "../../core/config/load.ts";
import { isNeeded, type Process, secretsIn } from "../../core/config/secrets.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Environment } from "./secrets.ts";

/** Every problem of a file, a line each; the cause of "config.invalid". */
export class ConfigProblems extends Error {
  readonly lines: readonly string[];
  constructor(problems: readonly ConfigProblem[]) {
    super("the configuration has problems");
    this.lines = problems.map(formatProblem);
  }
}

/** Reads and checks a file; `mode` overrides what it says. Throws "config.unreadable", "config.invalid", "input.invalid". */
export function readConfig(
  file: string,
  environment: Environment,
  mode: string | undefined,
  secrets: "needed" | "unused" = "needed",
  process: Process = "agent",
): Config {
  const loaded = loadConfig(readText(file), file, environment, { secrets, process });
  if (!loaded.ok) {
    throw new UnshipError(
      "config.invalid",
      { file, count: loaded.problems.length },
      { cause: new ConfigProblems(loaded.problems) },
    );
  }
  const missing = secrets === "needed" ? missingFiles(loaded.config, process) : [];
  if (missing.length > 0)
    throw new UnshipError("input.invalid", { what: file, reason: `no such file: ${missing.join(", ")}` });
  return mode === undefined ? loaded.config : inMode(loaded.config, mode);
}

/** The configuration in another mode, as the command line asks for it. Throws "input.invalid" for a mode that is none. */
export function inMode(config: Config, mode: string): Config {
  const known = MODES.find((one) => one === mode);
  if (known !== undefined) return withMode(config, known);
  throw new UnshipError("input.invalid", { what: "--mode", reason: `"${mode}" is none; choose ${MODES.join(", ")}` });
}

const MODES: readonly Mode[] = ["observe", "approve", "auto"];

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const reason = existsSync(file)
      ? "it is there, but not readable"
      : "there is no such file; name one with --config, or start from examples/unship.yaml";
    throw new UnshipError("config.unreadable", { file, reason }, { cause });
  }
}

/** Files behind `${file:…}` that do not exist, each with its key: found now rather than at three in the night. */
function missingFiles(config: Config, process: Process): readonly string[] {
  const needed = secretsIn(config).filter(({ key }) => isNeeded(key, process, config.gate !== undefined));
  return needed.flatMap(({ key, secret }) =>
    secret.from === "file" && !existsSync(secret.path) ? [`${key} names ${secret.path}`] : [],
  );
}
