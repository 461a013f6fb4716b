import type { Composition } from "../../agent/cli/composition.ts";
import { exitCodeOf, failureLines } from "../../agent/cli/failure.ts";
import { buildProgram, type Lab } from "../../agent/cli/program.ts";

/** What a person at a terminal of this width sees. */
export const COLUMNS = 120;

/** A terminal that keeps what is written to it, both streams in their order, as a person sees them. */
export function screenTerminal(secret: string | null = null, columns = COLUMNS) {
  const kept = { text: "" };
  const put = (text: string): void => {
    kept.text += text;
  };
  const terminal: Composition["terminal"] = {
    ...{ out: put, err: put, isTty: true, columns },
    askSecret:
      secret === null
        ? null
        : async (question) => {
            put(`${question}\n`);
            return secret;
          },
  };
  return { terminal, kept };
}

/** What was typed, and what the terminal showed for it; an exit code other than 0 is on a line of its own. */
export async function typed(
  line: string,
  make: (terminal: Composition["terminal"]) => Composition,
  {
    lab,
    secret = null,
    columns = COLUMNS,
  }: { readonly lab: Lab; readonly secret?: string | null; readonly columns?: number },
): Promise<string> {
  const { terminal, kept } = screenTerminal(secret, columns);
  let code: number = 0;
  const { signal } = new AbortController();
  const program = buildProgram(make(terminal), lab, signal, (answer) => {
    code = answer;
  });
  try {
    await program.parseAsync(["node", "unship", ...wordsOf(line)]);
  } catch (error) {
    for (const one of failureLines(error)) terminal.err(`${one}\n`);
    code = exitCodeOf(error);
  }
  return `$ unship ${line}\n${kept.text}${code === 0 ? "" : `[exit code ${code}]\n`}`;
}

/** A line as a shell splits it, with double quotes. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
