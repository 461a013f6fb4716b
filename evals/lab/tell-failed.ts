import { type Composition, EXIT, type ExitCode } from "../../agent/cli/composition.ts";
import { exitCodeOf, failureLines } from "../../agent/cli/failure.ts";
import { plainLines } from "../../agent/cli/output.ts";
import type { Replays } from "../replay/replay-pool.ts";

/**
 * Names each bundle that was not replayed, last, where it is seen. Exit code 1: some were not, and the result holds the
 * others; 2: not one could be read.
 */
export function tellFailed(to: Composition, { replayed, failed }: Replays): ExitCode {
  if (failed.length === 0) return EXIT.ok;
  for (const { error } of failed) to.terminal.err(`${plainLines(failureLines(error))}\n`);
  const all = replayed.length + failed.length;
  to.terminal.err(`${failed.length} of ${all} bundles could not be replayed; the result holds the others\n`);
  return replayed.length === 0 && failed.every(({ error }) => exitCodeOf(error) === EXIT.input) ? EXIT.input : EXIT.no;
}
