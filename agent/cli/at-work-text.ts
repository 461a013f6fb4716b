import type { AtWorkMode } from "../../core/config/at-work-mode.ts";
import type { Config, Mode } from "../../core/config/config.ts";
import type { AtTheLedger } from "../../core/guardrails/carried-out-by.ts";
import { clockText, rfc3339 } from "../../core/model/time.ts";
import type { WhoIsAtWork } from "./composition.ts";

const NAMES = { watch: "the watch", gate: "the gate", mcp: "an MCP server" } as const;

/** Who may execute plans on a ledger, and in which mode each, for people; "": nobody. `now`: Unix ms. */
export function atWorkText({ processes, gate }: WhoIsAtWork, now: number): string {
  const named = processes.map(
    ({ work, pid, host, since, mode }) =>
      `${NAMES[work]} (process ${pid} on ${host}, since ${clockText(since, now)}, ${inMode(mode)})`,
  );
  return [...(gate === null ? [] : [`the gate at ${gate.at} (${inMode(gate.mode)})`]), ...named].join(", ");
}

/** Who carries out what is approved on a ledger. */
export const carriersOf = ({ processes, gate }: WhoIsAtWork): AtTheLedger => ({
  isGateApart: gate !== null,
  isWatched: gate === null ? processes.some(({ work }) => work === "watch") : gate.watched,
});

/** Whether a watch runs on a ledger, and since when the longest has (Unix ms); null: that cannot be seen from here. */
export function watchingOf(who: WhoIsAtWork): { readonly isWatched: boolean | null; readonly since: number | null } {
  const { isWatched } = carriersOf(who);
  return { isWatched, since: who.processes.find(({ work }) => work === "watch")?.since ?? null };
}

/** That nothing is watched where no watch runs, for people, whoever else is at work; null: one runs. */
export function noWatchText(who: WhoIsAtWork): string | null {
  const { isWatched } = carriersOf(who);
  if (isWatched === true) return null;
  const whose = who.gate === null ? "runs on this ledger" : "is connected to the gate";
  if (isWatched === null) return `Whether a watch ${whose} cannot be seen from here.`;
  return `NOT WATCHING: no watch ${whose}, so nothing is detected, decided or verified. Start it: unship watch`;
}

const inMode = (mode: Mode | null): string => (mode === null ? "its mode is not known" : `in mode ${mode}`);

/** The same for machines; `config`: the file that is looked at, for which it is said whether each obeys it as it is now. */
export function atWorkView({ processes, gate }: WhoIsAtWork, config: Config) {
  const obeys = (version: string | null) =>
    version === null || config.version === undefined
      ? ("not_known" as const)
      : version === config.version
        ? ("this_file" as const)
        : ("another_version" as const);
  const view = <T extends { readonly version: string | null; readonly since?: number | undefined }>(one: T) => {
    const { version, since, ...rest } = one;
    return { ...rest, ...(since === undefined ? {} : { since: rfc3339(since) }), obeys: obeys(version) };
  };
  return [...(gate === null ? [] : [view({ work: "gate" as const, ...gate })]), ...processes.map(view)];
}

const obeyed = (work: string, { mode, modeIsAsked, version, since }: Omit<AtWorkMode, "work">): AtWorkMode => ({
  ...{ work, mode, modeIsAsked: modeIsAsked ?? null, version: version ?? null },
  ...(since === undefined ? {} : { since }),
});

/** In which mode each of them runs, and what else it obeys. */
export const modesAtWork = ({ processes, gate }: WhoIsAtWork): readonly AtWorkMode[] => [
  ...(gate === null ? [] : [obeyed(NAMES.gate, gate)]),
  ...processes.map((one) => obeyed(NAMES[one.work], one)),
];
