import type { UnshipError } from "../../core/errors.ts";
import { type ConfigurationProblem, createDiagnosticServer } from "../../mcp-tools/diagnostic.ts";
import { serveStdio } from "../../mcp-tools/stdio.ts";
import { ConfigProblems } from "./config-file.ts";

/**
 * Serves the one tool that says what is wrong with a configuration, on standard input and output, until the client goes. Opens no
 * source and no ledger. `why`: asked at each call; null: the file is right by now.
 */
export async function serveDiagnostic(
  version: string,
  why: () => Promise<UnshipError | null>,
  abort: AbortSignal,
): Promise<void> {
  const problems = async () => problemsOf(await why());
  await serveStdio(createDiagnosticServer(version, problems), abort);
}

function problemsOf(error: UnshipError | null): readonly ConfigurationProblem[] {
  if (error === null) return [];
  const { cause, facts, message } = error;
  if (cause instanceof ConfigProblems) {
    return cause.problems.map(({ file, line, column, message: what, hint }) => ({
      ...{ file, line, column, message: what, fix: hint },
    }));
  }
  const file = String(facts.file ?? facts.what ?? "the configuration");
  return [{ file, line: null, column: null, message, fix: null }];
}
