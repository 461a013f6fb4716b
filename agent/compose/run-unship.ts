import { exitCodeOf, failureLines } from "../cli/failure.ts";
import { buildProgram, type Lab } from "../cli/program.ts";
import { type CommandParts, composeCommands } from "./commands.ts";

export interface UnshipParts extends Omit<CommandParts, "openBundle"> {
  /** What the command line offers beside the product. */
  readonly lab: Lab & Pick<CommandParts, "openBundle">;
  /** Ends a command that would go on. */
  readonly abort: AbortSignal;
}

/**
 * Runs one command to its end and returns its exit code (`EXIT`). `words`: those after the program's name. A failure is told on
 * `terminal`; nothing is thrown. Relative paths are the process's working folder's, and the process itself is left as it is.
 */
export async function runUnship(words: readonly string[], { lab, abort, ...parts }: UnshipParts): Promise<number> {
  let code = 0;
  const commands = composeCommands({ ...parts, openBundle: lab.openBundle });
  const program = buildProgram(commands, lab, abort, (answer) => {
    code = answer;
  });
  try {
    await program.parseAsync(words, { from: "user" });
    return code;
  } catch (error) {
    if (abort.aborted) return code;
    for (const line of failureLines(error)) parts.terminal.err(`${line}\n`);
    return exitCodeOf(error);
  }
}
