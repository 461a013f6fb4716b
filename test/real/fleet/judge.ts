import type { Incident } from "../../../core/model/incident.ts";
import type { WatchLine } from "../../../evals/demo/watch-process.ts";
import { FLEET_DURATIONS } from "./configuration.ts";
import type { Fleet } from "./fleet.ts";
import type { Entry } from "./troubles.ts";
import type { Stretch } from "./truth.ts";

export interface Report {
  readonly lines: readonly string[];
  /** All that is wrong, a line each; empty: everything held. */
  readonly wrong: readonly string[];
  /** Bad changes that were not undone, but put before people as what they are, a line each. */
  readonly asked: readonly string[];
  /** Changes that unship undid or aborted itself, as far as the harness saw the write. */
  readonly undone: number;
}

/** Whether at least 95 of 100 bad changes that can be undone were; of fewer than twenty, that is all of them. */
export const isEnoughUndone = ({ asked, undone }: Pick<Report, "asked" | "undone">): boolean =>
  20 * asked.length <= asked.length + undone;

/** So many evaluations after an incident's last signal is back it must have ended. */
const EVALUATIONS = 20;
/** What the queries look back over: a signal is back for whoever measures once this has passed. */
const WINDOW_MS = 15_000;
/** Of a line of the report; the rest of a reason stands in the watch's own lines. */
const LONGEST = 600;
/** The recovery of the real pods is seen by the harness up to this much later than by the cluster. */
const SLACK_MS = 2000;
/** What lasts no longer is the last requests of a pod that goes. */
const PASSING_MS = 3000;
/** A pod that is not ready for no longer is one that starts; nobody calls that degraded. */
const STARTING_MS = 10_000;
/** Where evaluations keep up with their step, every incident has ended by then. */
export const ENDS_WITHIN_MS = WINDOW_MS + EVALUATIONS * FLEET_DURATIONS.stepMs;

interface Told {
  /** As it stood last. */
  readonly incident: Incident;
  readonly since: number;
}

/** Every incident that was told of, oldest first. */
export function incidentsTold(fleet: Fleet): readonly Told[] {
  const byId = new Map<string, Told>();
  for (const { at, incident } of fleet.watch.lines) {
    if (incident === null) continue;
    const since = byId.get(incident.id)?.since ?? Date.parse(at);
    byId.set(incident.id, { incident, since });
  }
  return [...byId.values()];
}

/** Judges what the harness did and saw; `now` is the end of the run. */
export function judge(fleet: Fleet, entries: readonly Entry[], now: number): Report {
  const wrong = entries.flatMap(({ kind, service, wrong }) => wrong.map((what) => `${kind} of ${service}: ${what}`));
  const accounted = new Set(entries.flatMap(({ act }) => act ?? []));
  for (const { at, name, verb, resource } of fleet.acts()) {
    // Broken pods of an undone StatefulSet are deleted after it.
    if (
      resource === "pods" &&
      entries.some(({ service, act }) => act !== null && act <= at && name.startsWith(`${service}-`))
    )
      continue;
    if (!accounted.has(at))
      wrong.push(`${verb} of ${resource} ${name} at ${clock(at)}: nothing there was to be undone`);
  }
  for (const told of incidentsTold(fleet)) wrong.push(...endOf(fleet, told, now));
  if (fleet.watch.ended) wrong.push("the watch ended by itself");
  const told = [...entries]
    .sort((a, b) => a.at - b.at)
    .map(
      ({ at, kind, service, happened, wrong, asked }) =>
        `${wrong.length > 0 ? "WRONG" : asked === undefined ? "ok   " : "ASKED"} ${clock(at)} ${service}, ${kind}: ${happened}`,
    );
  const incidents = incidentsTold(fleet).map(({ incident, since }) => {
    const { id, closedAt, outcome, stage, service, affectedServices } = incident;
    const until = closedAt === null ? "…" : clock(closedAt);
    return `      ${clock(since)} to ${until} ${id} ${service} [${affectedServices.join(", ")}]: ${outcome ?? stage}`;
  });
  const asked = entries.flatMap(({ kind, service, asked }) =>
    asked === undefined ? [] : [`${kind} of ${service}: ${asked}`],
  );
  const [shownWrong, shownAsked] = [wrong, asked].map((all) => all.map((one) => one.slice(0, LONGEST)));
  return {
    lines: [...told, "Incidents:", ...incidents],
    wrong: shownWrong ?? [],
    asked: shownAsked ?? [],
    undone: accounted.size,
  };
}

/**
 * Ended once its signals are back and not before. One that ended as unknown could not be measured: the watch said that its
 * signals were silent, or what goes on is told of in another incident within as many evaluations as an end may take.
 */
function endOf(fleet: Fleet, { incident, since }: Told, now: number): readonly string[] {
  const services = [...new Set([incident.service, ...incident.affectedServices])];
  const { id, closedAt, outcome } = incident;
  const end = closedAt ?? now;
  const stretches = services.flatMap((service) =>
    fleet.truth.degraded(service, since - 60_000, end).map((stretch) => ({ service, ...stretch })),
  );
  const back = Math.max(since, ...stretches.map(({ to }) => Math.min(to, end)));
  // By its end, not beyond it: of what began a moment before, nobody could tell then that it would last.
  const lasts = ({ from, to, because }: Stretch) =>
    Math.min(to, end) - from >= (because.endsWith("not ready") ? STARTING_MS : PASSING_MS);
  // Degraded at its end, and for longer than the harness may be behind the cluster.
  const beyond = closedAt === null ? now - SLACK_MS : closedAt + SLACK_MS;
  const lasting = stretches.filter((stretch) => stretch.to >= beyond && lasts(stretch));
  const name = `incident ${id} (${services.join(", ")}, since ${clock(since)})`;
  const silence = incident.timeline.findLast(({ detail }) => detail.includes(" have no data "))?.detail ?? "";
  const isTold = ({ service }: { readonly service: string }) =>
    silence.includes(`${service} `) ||
    incidentsTold(fleet).some(
      (other) =>
        other.incident.id !== id &&
        [other.incident.service, ...other.incident.affectedServices].includes(service) &&
        (other.incident.closedAt ?? now) >= end &&
        other.since <= end + ENDS_WITHIN_MS,
    );
  // What began when the queries' windows still held the calm before it is the next incident's, which has to tell of it.
  const isNext = (stretch: Stretch & { readonly service: string }) =>
    closedAt !== null && end - stretch.from < WINDOW_MS && isTold(stretch);
  const still = lasting.filter((stretch) => !isNext(stretch));
  // A signal belongs to one incident: what another one that was open then has taken over is judged there.
  const isTakenOver = ({ service }: { readonly service: string }) =>
    incidentsTold(fleet).some(
      (other) =>
        other.incident.id !== id &&
        [other.incident.service, ...other.incident.affectedServices].includes(service) &&
        other.since <= end &&
        (other.incident.closedAt ?? now) > end,
    );
  const isExcused =
    outcome === "superseded" || (outcome === "unknown" && still.every(isTold)) || still.every(isTakenOver);
  if (closedAt !== null && !isExcused && still.length > 0)
    return still.map(({ service, because }) => `${name} ended as ${outcome} while ${service} was degraded: ${because}`);
  if (still.length > 0)
    return closedAt === null
      ? still.map(({ service, because }) => `${name}: ${service} is degraded at the end: ${because}`)
      : [];
  const took = evaluations(fleet.watch.lines, Math.min(end, back + WINDOW_MS), end);
  if (took <= EVALUATIONS) return [];
  return [
    `${name} ${closedAt === null ? "is open" : "ended"} ${Math.round((end - back) / 1000)} s and ${Math.round(took)} evaluations after its last signal was back`,
  ];
}

/**
 * Evaluations of the watch in a stretch of time, by its own count in its signs of life; between two of those they are
 * taken to be evenly spaced, and after the last one to take a step each.
 */
export function evaluations(lines: readonly WatchLine[], from: number, to: number): number {
  const marks = lines.flatMap(({ at, event, status }) => {
    if (event === "watch.started") return [{ at: Date.parse(at), looks: 0 }];
    return status === undefined ? [] : [{ at: Date.parse(at), looks: status.looks }];
  });
  const countAt = (time: number): number => {
    const before = marks.findLast(({ at }) => at <= time);
    if (before === undefined) return 0;
    const after = marks.find(({ at }) => at > time);
    if (after === undefined) return before.looks + (time - before.at) / FLEET_DURATIONS.stepMs;
    return before.looks + ((after.looks - before.looks) * (time - before.at)) / (after.at - before.at);
  };
  return countAt(to) - countAt(from);
}

const clock = (at: number): string => new Date(at).toISOString().slice(11, 19);
