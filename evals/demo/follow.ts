import { setTimeout as wait } from "node:timers/promises";
import { cameToNothing } from "../../core/model/incident.ts";
import type { SandboxEvent } from "../sandbox/acts.ts";
import type { DemoResult } from "./result.ts";
import type { Trouble } from "./troubles.ts";
import type { WatchLine, WatchProcess } from "./watch-process.ts";

/** When a trouble began: with the last thing that was done, or, where there are several troubles, with what was done to its own object. */
export function onsetOf({ culprit }: Trouble, several: boolean, happened: readonly SandboxEvent[]): number {
  const done = happened.filter(({ event }) => event !== "played");
  const own = done.findLast((event) => event.event === "deployed" && event.service === culprit);
  return (several ? own : undefined)?.at ?? done.at(-1)?.at ?? happened.at(-1)?.at ?? Date.now();
}

export interface Follow {
  readonly scenario: string;
  readonly onset: number;
  readonly before: number;
  /** Whether a line is about the trouble that is followed. */
  readonly about: (line: WatchLine) => boolean;
}

/**
 * Follows the first incident of a trouble after the break until it is closed, or its act was verified in vain, and its
 * postmortem stands, or the time is over.
 */
export async function followIncident(
  watch: WatchProcess,
  {
    scenario,
    onset,
    before,
    about,
    timeoutMs,
    afterHeldMs,
  }: Follow & { readonly timeoutMs: number; readonly afterHeldMs: number },
): Promise<DemoResult> {
  const end = Date.now() + timeoutMs;
  const rest = () => Math.max(0, end - Date.now());
  const late = (line: WatchLine) => Date.parse(line.at) >= onset && about(line);
  const isOver = (line: WatchLine) =>
    late(line) &&
    (line.event === "incident.closed" || line.event === "incident.verified") &&
    line.incident?.outcome !== "no-action" &&
    !cameToNothing(line.incident?.outcome ?? null);
  const first = await watch.until((line) => isOver(line) || (late(line) && line.event === "incident.held"), rest());
  // A plan that is held may go on by itself once a policy's condition holds, and is then verified. A person who would
  // answer is not here: nobody waits for one longer than that.
  const closed = first?.event === "incident.held" ? await watch.until(isOver, Math.min(rest(), afterHeldMs)) : first;
  if (closed?.incident == null) {
    const last = watch.lines.slice(before).findLast((line) => line.incident !== null && about(line));
    return { scenario, onset, incident: last?.incident ?? null, postmortem: null };
  }
  const { id } = closed.incident;
  const written =
    closed.incident.gate === null
      ? null
      : await watch.until(
          (line) => line.event === "postmortem.written" && line.incident?.id === id,
          Math.min(rest(), 15_000),
        );
  return {
    scenario,
    onset,
    incident: closed.incident,
    postmortem: written === null ? null : { at: Date.parse(written.at), path: written.text },
  };
}

/** Watches on while nothing should be done, then takes the worst that was decided. */
export async function followQuiet(
  watch: WatchProcess,
  { scenario, onset, before, about, forMs, abort }: Follow & { readonly forMs: number; readonly abort: AbortSignal },
): Promise<DemoResult> {
  await wait(forMs, undefined, { signal: abort });
  const incidents = watch.lines
    .slice(before)
    .filter(about)
    .flatMap(({ incident }) => (incident === null ? [] : [incident]));
  const byId = new Map(incidents.map((incident) => [incident.id, incident]));
  const last = [...byId.values()];
  const acted =
    last.find(({ gate }) => gate?.executedAt != null) ??
    last.find(
      ({ decision, outcome }) => !cameToNothing(outcome) && decision !== null && decision.action !== "no_action",
    );
  return { scenario, onset, incident: acted ?? last.at(-1) ?? null, postmortem: null };
}
