import type { OpenContext, SystemParts } from "./system-parts.ts";

/** Opens logs and traces. */
export async function openEvidence({ config }: OpenContext, parts: SystemParts): Promise<void> {
  const { logs, traces } = config.dataSources;
  void logs;
  void traces;
  void parts;
}
