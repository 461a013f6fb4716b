import { z } from "zod";
import { type AllFenced, joined, ours, own } from "../core/model/fenced.ts";
import { answerOf } from "./result.ts";
import { createBareServer, type UnshipServer } from "./server.ts";

/** What is wrong with a configuration: where, and what to do. `line` and `column` count from 1; null: it is about the whole file. */
export interface ConfigurationProblem {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
  readonly fix: string | null;
}

const NAME = "get_configuration_problems";
/** So many are shown; whoever fixes these sees the rest. */
const SHOWN = 50;

const Output = z.strictObject({
  problems: z.array(
    z.strictObject({
      file: z.string(),
      line: z.number().nullable(),
      column: z.number().nullable(),
      message: z.string(),
      fix: z.string().nullable(),
    }),
  ),
  total: z.number(),
  next: z.string(),
});

const DESCRIPTION =
  "unship did not start: its configuration is wrong. Says what is wrong, each with file, line and fix, as the file is now. Nothing " +
  "is watched, recorded or executed meanwhile, and nothing of production is known here.";

const INSTRUCTIONS = `unship's configuration is wrong, so that it knows nothing of production and can do nothing. Call ${NAME}, show a person what to fix, and have this server started again.`;

/**
 * A server with one tool, which says why there is no other (S8). `problems`: read anew at each call; empty: the file is right by
 * now. It holds no source, no ledger and no gate.
 */
export function createDiagnosticServer(
  version: string,
  problems: () => Promise<readonly ConfigurationProblem[]>,
): UnshipServer {
  const tool = {
    name: NAME,
    title: "Get the configuration's problems",
    description: DESCRIPTION,
    output: Output,
    answer: async () => answerOf(viewOf(await problems())),
  };
  return createBareServer(tool, { version, title: "unship (not started)", instructions: INSTRUCTIONS });
}

function viewOf(problems: readonly ConfigurationProblem[]): AllFenced<z.infer<typeof Output>> {
  const shown = problems.slice(0, SHOWN).map(({ file, line, column, message, fix }) => ({
    file: ours(file),
    line,
    column,
    message: ours(message),
    fix: fix === null ? null : ours(fix),
  }));
  const files = joined([...new Set(shown.map(({ file }) => file))], ", ");
  const next =
    shown.length === 0
      ? own`the configuration is right by now: start this server again`
      : own`have a person fix ${files} (\`unship check --offline\` says the same), then start this server again`;
  return { problems: shown, total: problems.length, next };
}
