import { UnshipError } from "../../core/errors.ts";
import { CLIENTS } from "./client-config.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { failureLines } from "./failure.ts";
import { plain } from "./output.ts";

export interface McpOptions {
  readonly config?: string;
  readonly readOnly?: boolean;
  readonly http?: string;
  readonly printConfig?: string;
}

/**
 * `unship mcp`: serves the tools on stdio until the client goes (standard output belongs to the protocol then), or
 * with `http` (host:port) over Streamable HTTP until interrupted. A client that starts it on a wrong configuration gets one tool
 * that says what is wrong; the exit code is then that of a wrong configuration.
 */
export async function mcp(to: Composition, options: McpOptions, abort: AbortSignal): Promise<ExitCode> {
  if (options.printConfig !== undefined) return printConfig(to, options, options.printConfig);
  const { http } = options;
  const read = async () => to.config(options, "sources");
  let known: Awaited<ReturnType<typeof read>>;
  try {
    known = await read();
  } catch (error) {
    // Nobody listens at a terminal; over HTTP there are no tokens to tell callers by.
    if (!isOfTheFile(error) || http !== undefined || to.terminal.isTty) throw error;
    for (const line of failureLines(error)) to.terminal.err(`${line}\n`);
    await to.diagnose(async () => {
      try {
        await read();
        return null;
      } catch (again) {
        if (!isOfTheFile(again)) throw again;
        return again;
      }
    }, abort);
    return EXIT.input;
  }
  await to.mcp(known.config, { readOnly: options.readOnly === true, ...(http === undefined ? {} : { http }) }, abort);
  return EXIT.ok;
}

/** Whether the file, or what it names, is what keeps the command from starting. */
const isOfTheFile = (error: unknown): error is UnshipError =>
  error instanceof UnshipError && /^(?:config|input)\./.test(error.code);

/** The client's own configuration on standard output, and where it belongs on standard error. Reads the file for the names in it. */
async function printConfig(to: Composition, options: McpOptions, client: string): Promise<ExitCode> {
  const make = Object.hasOwn(CLIENTS, client) ? CLIENTS[client] : undefined;
  if (make === undefined) {
    const reason = `"${client}" is none that is known; choose ${Object.keys(CLIENTS).join(", ")}`;
    throw new UnshipError("input.invalid", { what: "--print-config", reason });
  }
  if (options.http !== undefined) {
    const reason = "it is for clients that start the server themselves; leave out --http";
    throw new UnshipError("input.invalid", { what: "--print-config", reason });
  }
  const { path, variables } = await to.variables(options.config ?? "unship.yaml");
  const { command, args } = to.start;
  const only = options.readOnly === true ? ["--read-only"] : [];
  const { text, goesTo, notes } = make({ command, args: [...args, "mcp", "--config", path, ...only], variables });
  to.terminal.out(text);
  const names = variables.length === 0 ? [] : [`Variables to pass: ${variables.join(", ")}.`];
  for (const line of [`Goes to: ${goesTo}.`, ...names, ...notes]) to.terminal.err(`${plain(line)}\n`);
  return EXIT.ok;
}
