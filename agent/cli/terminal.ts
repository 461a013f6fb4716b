import { createInterface } from "node:readline/promises";
import type { Terminal } from "./composition.ts";

const DEFAULT_COLUMNS = 80;

/** The process's own terminal. A question is asked only where a person sits at both ends of it. */
export function createTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  for (const stream of [stdout, stderr]) stream.on("error", ignoreClosedPipe);
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    isTty: stdout.isTTY === true,
    columns: stdout.columns ?? DEFAULT_COLUMNS,
    ask: stdin.isTTY === true && stderr.isTTY === true ? askLine : null,
    askSecret: stdin.isTTY === true && stderr.isTTY === true ? askSecret : null,
  };
}

/** Reads a line from the terminal, with its own editing. Ctrl-C and Ctrl-D give up: null. */
async function askLine(question: string): Promise<string | null> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const { promise: gone, resolve } = Promise.withResolvers<null>();
  lines.once("SIGINT", () => lines.close());
  lines.once("close", () => resolve(null));
  try {
    return await Promise.race([lines.question(question), gone]);
  } finally {
    lines.close();
  }
}

/** Whoever read along has gone (`unship … | head`): what is said then is said to nobody, and is no failure. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

/** Reads a line from the terminal without echo. Ctrl-C and Ctrl-D give up, as an empty answer. */
function askSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  return new Promise((resolve) => {
    let typed = "";
    const finish = (answer: string) => {
      stdin.off("data", listen);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
      resolve(answer);
    };
    const listen = (chunk: string) => {
      for (const key of chunk) {
        if (key === "\r" || key === "\n") return finish(typed);
        if (key === "\u0003" || key === "\u0004") return finish("");
        typed = key === "\u007f" || key === "\b" ? typed.slice(0, -1) : typed + key;
      }
    };
    stdin.on("data", listen);
    stdin.resume();
  });
}
