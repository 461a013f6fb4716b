import { CommanderError } from "commander";
import { type ErrorCode, UnshipError } from "../../core/errors.ts";
import { EXIT, type ExitCode } from "./composition.ts";
import { plain } from "./output.ts";

const INPUT = /^(config|input|bundle|service|metric)\./;
const UNAVAILABLE: readonly ErrorCode[] = [
  "source.unavailable",
  "source.slow",
  "ledger.unavailable",
  "store.unavailable",
  "component.missing",
  "watch.running",
  "gate.unavailable",
];

/** What a failure means to a script; see `EXIT`. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.input;
  if (!(error instanceof UnshipError)) return EXIT.no;
  if (INPUT.test(error.code)) return EXIT.input;
  return UNAVAILABLE.includes(error.code) ? EXIT.unavailable : EXIT.no;
}

/** What a failure says to a person: our own sentence, and for a configuration each problem on a line. */
export function failureLines(error: unknown): readonly string[] {
  if (error instanceof CommanderError) return [];
  if (!(error instanceof UnshipError)) {
    return `unship: unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
      .split("\n")
      .map(plain);
  }
  const { cause } = error;
  const problems =
    cause instanceof Error && "lines" in cause && Array.isArray(cause.lines) ? cause.lines.map(String) : [];
  return [...problems, `unship: ${error.message}`].map(plain);
}
