import { UnshipError } from "../../../core/errors.ts";
import type { Target } from "../../../core/model/plan.ts";
import { cleanText } from "../../../core/model/untrusted-text.ts";
import { type Ended, runCommand } from "./command.ts";

/** One schema that migrations move, and the commands that the file names for it. */
export interface Database {
  readonly name: string;
  readonly service: string;
  readonly namespace: string;
  /** Prints the version that the schema is at: the first word of its last line. null: nothing tells. */
  readonly status: readonly string[] | null;
  /** Takes the last migration back; "{restore}" and "{expected}" in an argument stand for versions. */
  readonly rollback: readonly string[] | null;
  readonly directory: string | null;
  /** All that the commands see of the environment; every value may be a secret. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** What people read of an argument, and of what a command printed: names of variables, not their values (S10). Absent: all. */
  readonly asWritten?: { readonly argument: (text: string) => string; readonly output: (text: string) => string };
  /** The least time between two looks at the status. */
  readonly everyMs: number;
}

/** What migration tools call versions. One that looks otherwise could be read as an option, and is never put into a command. */
const VERSION = /^[A-Za-z0-9][A-Za-z0-9._:+-]{0,199}$/;
/** A status is a question: longer than this it hangs. */
const STATUS_TIMEOUT_MS = 20_000;
/** A shorter value is no secret, and hiding it would garble the text. */
const SECRET_MIN_CHARS = 6;
const SHOWN_CHARS = 400;

export const isVersion = (text: string): boolean => VERSION.test(text);

/** The version that the schema is at. Throws `source.unavailable` where the command does not say one. */
export async function readVersion(database: Database, abort: AbortSignal): Promise<string> {
  const { name, status } = database;
  const source = `migrations of ${name}`;
  if (status === null)
    throw new UnshipError("source.unavailable", {
      source,
      because: "no status command",
      reason: "it has no status command",
    });
  const ended = await run(database, status, STATUS_TIMEOUT_MS, abort);
  const version = lastLine(ended.printed).split(/\s+/)[0] ?? "";
  if (ended.code === 0 && !ended.killed && isVersion(version)) return version;
  const because = ended.code === 0 && !ended.killed ? "it printed no version" : endText(ended);
  throw new UnshipError(
    "source.unavailable",
    { source, because, reason: because },
    { cause: new Error(shown(database, ended)) },
  );
}

export const run = (
  { directory, environment }: Database,
  argv: readonly string[],
  timeoutMs: number,
  abort: AbortSignal,
): Promise<Ended> => runCommand(argv, { directory, environment, timeoutMs }, abort);

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1)?.trim() ?? "";

/** The rollback's arguments for one target; null where a version could be taken for something else. */
export function rollbackArguments(database: Database, { expected, restore }: Target): readonly string[] | null {
  if (database.rollback === null || !isVersion(expected.version) || !isVersion(restore.version)) return null;
  return database.rollback.map((one) =>
    one.replaceAll("{restore}", restore.version).replaceAll("{expected}", expected.version),
  );
}

export function endText({ started, code, killed }: Ended): string {
  if (!started) return "there is no such program";
  if (killed) return "it took too long and was killed";
  return code === null ? "a signal ended it" : `it ended with code ${code}`;
}

/** The end of what it printed, without what the file gave it as its environment or by variables (S10), for people to read. */
export function shown({ environment, asWritten }: Database, { output }: Ended): string {
  const secrets = Object.values(environment).filter((value) => value.length >= SECRET_MIN_CHARS);
  const text = secrets.reduce((rest, one) => rest.replaceAll(one, "***"), asWritten?.output(output) ?? output);
  return cleanText(text.trim().split("\n").slice(-5).join(" / "), SHOWN_CHARS);
}

/** The same with its commands as the file writes them: for people to read, never to run. */
export function readable(database: Database): Database {
  const { status, rollback, asWritten } = database;
  const hidden = (argv: readonly string[] | null) => argv?.map((one) => asWritten?.argument(one) ?? one) ?? null;
  return { ...database, status: hidden(status), rollback: hidden(rollback) };
}

/** What a person does by hand, in order; each command as it would have been run, but for the values of variables. */
export function stepsFor(database: Database, target: Target): readonly string[] {
  const shownAs = readable(database);
  const { name, status, rollback, directory } = shownAs;
  const argv = rollbackArguments(shownAs, target) ?? rollback;
  const where = directory === null ? "" : ` (in ${directory})`;
  const { expected, restore } = target;
  return [
    "stop what writes to it, and take a backup",
    status === null
      ? `check that ${name} is at ${expected.version}, with its migration tool`
      : `check that it is at ${expected.version}: ${words(status)}${where}`,
    argv === null
      ? `roll it back to ${restore.version} with its migration tool`
      : `roll it back to ${restore.version}: ${words(argv)}${where}`,
    `check that it is at ${restore.version} before anything serves again`,
  ];
}

export const stepsText = (database: Database, target: Target): string =>
  `by hand: ${stepsFor(database, target)
    .map((step, index) => `${index + 1}) ${step}`)
    .join("; ")}`;

/** A command as a person types it: what a shell would read otherwise is quoted, and the names of variables stay variables. */
const words = (argv: readonly string[]): string =>
  argv
    .map((one) => {
      if (/^[A-Za-z0-9_./:=@%+,-]+$/.test(one)) return one;
      if (/\$\{[A-Za-z_]\w*\}/.test(one)) return `"${one.replaceAll(/["\\`]|\$(?!\{[A-Za-z_]\w*\})/g, "\\$&")}"`;
      return `'${one.replaceAll("'", "'\\''")}'`;
    })
    .join(" ");
