import { type Composition, EXIT, type ExitCode } from "./composition.ts";

/** `unship mcp`: serves the tools on stdio until the client goes. Standard output belongs to the protocol. */
export async function mcp(
  to: Composition,
  options: { readonly config?: string; readonly readOnly?: boolean },
  abort: AbortSignal,
): Promise<ExitCode> {
  const { config } = await to.config(options, "sources");
  await to.mcp(config, { readOnly: options.readOnly === true }, abort);
  return EXIT.ok;
}
