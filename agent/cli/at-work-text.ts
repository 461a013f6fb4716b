import type { AtWorkMode } from "../../core/config/at-work-mode.ts";
import type { Mode } from "../../core/config/config.ts";
import { rfc3339 } from "../../core/model/time.ts";
import type { WhoIsAtWork } from "./composition.ts";

const NAMES = { watch: "the watch", gate: "the gate", mcp: "an MCP server" } as const;

/** Who may execute plans on a ledger, and in which mode each, for people; "": nobody. */
export function atWorkText({ processes, gate }: WhoIsAtWork): string {
  const named = processes.map(
    ({ work, pid, host, since, mode }) =>
      `${NAMES[work]} (process ${pid} on ${host}, since ${rfc3339(since)}, ${inMode(mode)})`,
  );
  return [...(gate === null ? [] : [`the gate at ${gate.at} (${inMode(gate.mode)})`]), ...named].join(", ");
}

const inMode = (mode: Mode | null): string => (mode === null ? "its mode is not known" : `in mode ${mode}`);

/** The same for machines. */
export function atWorkView({ processes, gate }: WhoIsAtWork) {
  return [
    ...(gate === null ? [] : [{ work: "gate" as const, ...gate }]),
    ...processes.map(({ since, ...one }) => ({ ...one, since: rfc3339(since) })),
  ];
}

/** In which mode each of them runs. */
export const modesAtWork = ({ processes, gate }: WhoIsAtWork): readonly AtWorkMode[] => [
  ...(gate === null ? [] : [{ work: NAMES.gate, mode: gate.mode }]),
  ...processes.map(({ work, mode }) => ({ work: NAMES[work], mode })),
];
