import { rfc3339 } from "../../core/model/time.ts";
import type { WhoIsAtWork } from "./composition.ts";

const NAMES = { watch: "the watch", gate: "the gate", mcp: "an MCP server" } as const;

/** Who may execute plans on a ledger, for people; "": nobody. */
export function atWorkText({ processes, gate }: WhoIsAtWork): string {
  const named = processes.map(
    ({ work, pid, host, since }) => `${NAMES[work]} (process ${pid} on ${host}, since ${rfc3339(since)})`,
  );
  return [...(gate === null ? [] : [`the gate at ${gate}`]), ...named].join(", ");
}

/** The same for machines. */
export function atWorkView({ processes, gate }: WhoIsAtWork) {
  return [
    ...(gate === null ? [] : [{ work: "gate" as const, at: gate }]),
    ...processes.map(({ since, ...one }) => ({ ...one, since: rfc3339(since) })),
  ];
}
