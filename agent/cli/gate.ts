import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { say } from "./output.ts";

/**
 * `unship gate`: the gate as a process of its own, in the foreground, with the credentials that can write. Ends on SIGINT or
 * SIGTERM; what it was carrying out is taken up by the next one.
 */
export async function gate(
  to: Composition,
  options: { readonly config?: string; readonly mode?: string },
  abort: AbortSignal,
): Promise<ExitCode> {
  const { config, file } = await to.config(options, "gate");
  say(to, [`unship ${to.version} is the gate, by ${file}. Ctrl-C ends it.`, (await to.explain(config))[0] ?? ""]);
  await to.gate(config, abort);
  return EXIT.ok;
}
