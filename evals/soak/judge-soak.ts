import type { Incident } from "../../core/model/incident.ts";
import { imageSet } from "../demo/result.ts";
import type { SandboxWrite } from "../sandbox/writes.ts";
import type { Planned } from "./schedule.ts";

/** A deploy that was made, at this moment (Unix ms), and the images that ran before it and since. */
export interface Deployed extends Planned {
  readonly at: number;
  readonly image: string;
  readonly before: string;
}

export interface SoakRecord {
  /** Ascending in time. */
  readonly deployed: readonly Deployed[];
  /** What others than the sandbox's own people wrote. */
  readonly writes: readonly SandboxWrite[];
  /** Each incident as it was last told of. */
  readonly incidents: readonly Incident[];
  /** When the harness put back what nobody had undone; everything is well from then on. */
  readonly mendedAt: number;
  /** Why the end says nothing: a watch that did not look on, visitors who are not served. */
  readonly blind: readonly string[];
}

export interface SoakFigures {
  readonly bad: number;
  readonly undone: number;
  readonly innocent: number;
  readonly innocentUndone: number;
  readonly incidents: number;
  readonly open: number;
  /** Bad deploys made while that of another world was not undone yet. */
  readonly overlapping: number;
  /** Seconds from a bad deploy to its rollback, ascending. */
  readonly secondsToUndo: readonly number[];
}

export interface SoakJudged {
  readonly ok: boolean;
  readonly reasons: readonly string[];
  readonly figures: SoakFigures;
}

/**
 * Whether each bad deploy was rolled back to what ran before it, by one write; no innocent one was; and every incident ended
 * once everything was well, none of them as recovered before its rollback. By the sandbox's own record of writes.
 */
export function judgeSoak({ deployed, writes, incidents, mendedAt, blind }: SoakRecord): SoakJudged {
  const bad = deployed.filter(({ kind }) => kind !== "innocent");
  const undone = new Map(bad.map((one) => [one, undoOf(one, deployed, writes, mendedAt)]));
  const used = new Set([...undone.values()]);
  const stray = writes.filter((write) => !used.has(write)).map((write) => ({ write, on: runningAt(write, deployed) }));
  const open = incidents.filter(({ closedAt }) => closedAt === null);
  const missed = bad.filter((one) => undone.get(one) === undefined);
  const reasons = [
    ...blind,
    ...missed.map((one) => `${nameOf(one)} was not rolled back`),
    ...stray.map(({ write, on }) => strayText(write, on)),
    ...open.map(({ id, service, stage }) => `${id} (${service}) is ${stage} though every signal is back`),
    ...incidents.flatMap((incident) => endedEarly(incident, undone)),
  ];
  const seconds = [...undone].flatMap(([one, write]) => (write === undefined ? [] : [(write.at - one.at) / 1000]));
  return {
    ok: reasons.length === 0,
    reasons,
    figures: {
      bad: bad.length,
      undone: bad.length - missed.length,
      innocent: deployed.length - bad.length,
      innocentUndone: stray.filter(({ on }) => on?.kind === "innocent").length,
      incidents: incidents.length,
      open: open.length,
      overlapping: bad.filter((one) =>
        bad.some(
          (other) => other.world !== one.world && other.at < one.at && (undone.get(other)?.at ?? mendedAt) > one.at,
        ),
      ).length,
      secondsToUndo: seconds.toSorted((a, b) => a - b),
    },
  };
}

const isOn = ({ path }: SandboxWrite, service: string): boolean =>
  (path.split("?")[0] ?? "").endsWith(`/deployments/${service}`);

/** The first write that gives a bad deploy's object back what ran before, while the bad version is what should run. */
function undoOf(
  { service, at, before }: Deployed,
  deployed: readonly Deployed[],
  writes: readonly SandboxWrite[],
  mendedAt: number,
): SandboxWrite | undefined {
  const next = deployed.find((other) => other.service === service && other.at > at)?.at ?? Number.POSITIVE_INFINITY;
  const until = Math.min(next, mendedAt);
  return writes.find(
    (write) => isOn(write, service) && write.at > at && write.at < until && imageSet(write.body) === before,
  );
}

/** The newest deploy of the object of a write. */
function runningAt(write: SandboxWrite, deployed: readonly Deployed[]): Deployed | undefined {
  return deployed.findLast(({ service, at }) => isOn(write, service) && at < write.at);
}

function strayText({ method, path, at }: SandboxWrite, on: Deployed | undefined): string {
  const what = `${method} ${path.split("?")[0]} at ${new Date(at).toISOString()}`;
  if (on === undefined) return `${what} is on what nobody deployed`;
  return on.kind === "innocent"
    ? `${nameOf(on)} was undone: ${what}`
    : `${what} is not the one rollback of ${nameOf(on)}`;
}

/** An incident that says "recovered" of a bad deploy that was still there. */
function endedEarly(
  { id, closedAt, outcome, decision }: Incident,
  undone: ReadonlyMap<Deployed, SandboxWrite | undefined>,
): readonly string[] {
  if (outcome !== "recovered" || closedAt === null) return [];
  const own = [...undone].filter(
    ([{ service, at }]) =>
      at < closedAt && decision?.changeIds.some((change) => change.split(/[/:]/).includes(service)),
  );
  const last = own.at(-1);
  return last !== undefined && (last[1]?.at ?? Number.POSITIVE_INFINITY) > closedAt
    ? [`${id} says that ${nameOf(last[0])} recovered while it still ran`]
    : [];
}

const nameOf = ({ service, kind, at }: Deployed): string =>
  `the ${kind === "innocent" ? "innocent" : `bad (${kind})`} deploy of ${service} at ${new Date(at).toISOString()}`;
