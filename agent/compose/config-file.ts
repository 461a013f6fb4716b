import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { cwd } from "node:process";
import { type Config, type ConfigProblem, MODES } from "../../core/config/config.ts";
import { withMode } from "../../core/config/defaults.ts";
import { formatProblem, loadConfig } from "../../core/config/load.ts";
import { withAbsolutePaths } from "../../core/config/paths.ts";
import { isNeeded, type Process, secretsIn } from "../../core/config/secrets.ts";
import { variablesNamed } from "../../core/config/variables-named.ts";
import { policyText } from "../../core/config/version.ts";
import { UnshipError } from "../../core/errors.ts";
import { mustBeOneLedger } from "./one-ledger.ts";
import type { Environment } from "./secrets.ts";

/** Every problem of a file, a line each; the cause of "config.invalid". */
export class ConfigProblems extends Error {
  readonly lines: readonly string[];
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super("the configuration has problems");
    this.problems = problems;
    this.lines = problems.map(formatProblem);
  }
}

export interface ReadOptions {
  /** Overrides what the file says. */
  readonly mode?: string | undefined;
  /** `unused`: no source will be asked, so secrets need not be there. Default: needed. */
  readonly secrets?: "needed" | "unused";
  /** Who asks, where the file names a `gate`. Default: agent. */
  readonly process?: Process;
  /** The ledger that the file names is not used, wherever it is. */
  readonly replay?: boolean;
}

/**
 * Reads and checks a file → its configuration, every path in it absolute, counted from the folder of the file itself
 * (where `file` is a link: of what it leads to). Throws "config.unreadable", "config.invalid", and "input.invalid" for
 * a mode that is none, a secret's file that is missing, and a ledger that would not be the installation's one.
 */
export function readConfig(file: string, environment: Environment, options: ReadOptions = {}): Config {
  const { mode, secrets = "needed", process = "agent", replay = false } = options;
  const loaded = loadConfig(readText(file), file, environment, { secrets, process, replay });
  if (!loaded.ok) {
    throw new UnshipError(
      "config.invalid",
      { file, count: loaded.problems.length },
      { cause: new ConfigProblems(loaded.problems) },
    );
  }
  // Told by what it says, not by where: the same file in another folder, or on another machine, is the same version.
  const read = { ...loaded.config, version: versionOf(loaded.config), file: realPathOf(file) };
  const config = absoluteIn(read, file);
  if (!replay && (config.gate === undefined || process === "gate")) {
    mustBeOneLedger({ file, written: loaded.config.ledger, kept: config.ledger, folder: cwd() });
  }
  const missing = secrets === "needed" ? missingFiles(config, process) : [];
  if (missing.length > 0)
    throw new UnshipError("input.invalid", { what: file, reason: `no such file: ${missing.join(", ")}` });
  return mode === undefined ? config : inMode(config, mode);
}

/** The absolute path of a file, and the names of the variables that it needs. Throws "config.unreadable". */
export function variablesOf(file: string): { readonly path: string; readonly variables: readonly string[] } {
  return { path: resolve(file), variables: variablesNamed(readText(file)) };
}

/** The configuration in another mode, as the command line asks for it. Throws "input.invalid" for a mode that is none. */
export function inMode(config: Config, mode: string): Config {
  const known = MODES.find((one) => one === mode);
  if (known !== undefined) return withMode(config, known);
  throw new UnshipError("input.invalid", { what: "--mode", reason: `"${mode}" is none; choose ${MODES.join(", ")}` });
}

/** The configuration with every path absolute, counted from the folder of its file, wherever a link to it lies. */
export const absoluteIn = (config: Config, file: string): Config =>
  withAbsolutePaths(config, (path) => resolve(dirname(realPathOf(file)), path));

/** Where a file is, or would be if it is not there at this moment. */
export function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    const folder = dirname(resolve(file));
    return resolve(existsSync(folder) ? realpathSync(folder) : folder, basename(file));
  }
}

/** Characters of the digest that are kept: PostgreSQL shows 63 of a connection's name, which carries it (`announceOnServer`). */
const VERSION_CHARS = 8;

/** Tells versions of a file apart; two of them are taken for one by chance once in 4 billion. */
const versionOf = (config: Config): string =>
  createHash("sha256").update(policyText(config)).digest("hex").slice(0, VERSION_CHARS);

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const reason = existsSync(file)
      ? code === "EISDIR"
        ? "it is a folder; name the file in it"
        : "it is there, but not readable"
      : "there is no such file; name one with --config, or write one with unship init";
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
