import { type Composition, EXIT, type ExitCode } from "./composition.ts";

/**
 * `unship mcp`: serves the tools on stdio until the client goes (standard output belongs to the protocol then), or
 * with `http` (host:port) over Streamable HTTP until interrupted.
 */
export async function mcp(
  to: Composition,
  options: { readonly config?: string; readonly readOnly?: boolean; readonly http?: string },
  abort: AbortSignal,
): Promise<ExitCode> {
  const { config } = await to.config(options, "sources");
  const { http } = options;
  await to.mcp(config, { readOnly: options.readOnly === true, ...(http === undefined ? {} : { http }) }, abort);
  return EXIT.ok;
}
