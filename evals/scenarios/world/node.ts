import { leaked } from "./faults.ts";
import type { Call, Fault, Grid, PlannedChange, ServiceModel, SystemModel } from "./model.ts";
import { type Versions, versionsOf } from "./versions.ts";

/** What one version of a service does in each cell, in expectation. */
export interface Track {
  /** Probability that a request fails. */
  readonly errors: Float64Array;
  /** The part of it that fails here, not at a callee. */
  readonly ownErrors: Float64Array;
  /** The part of that which depends on who asks. */
  readonly rejected: Float64Array;
  readonly median: Float64Array;
  readonly p99: Float64Array;
  /** Median of its own work, callees apart. */
  readonly work: Float64Array;
  /** Share of requests that are held up, and by how many ms. */
  readonly stalled: Float64Array;
  readonly stallMs: Float64Array;
}

/** What a service does in each cell, in expectation. `older` means something only where `versions.share` < 1. */
export interface Course {
  readonly service: ServiceModel;
  readonly versions: Versions;
  readonly rate: Float64Array;
  readonly older: Track;
  readonly newer: Track;
  /** Use of capacity, of 1; more than 1 is more than it can serve. */
  readonly load: Float64Array;
  readonly memory: Float64Array;
  /** Share of pods that fail readiness. */
  readonly unready: Float64Array;
  readonly cacheHits: Float64Array;
  /** Share of the calls to it that do not reach it. */
  readonly refused: Float64Array;
  /** Use of the scarcest pool, of 1; 0 where no pool is scarce. */
  readonly pooled: Float64Array;
  /** Connections that others left open. */
  readonly leftOpen: Float64Array;
  /** Share of its requests that find the allowance used up, and that get an error at the door. */
  readonly overQuota: Float64Array;
  readonly turnedAway: Float64Array;
  /** Of each caller whose requests are rejected: which share of them. */
  readonly rejecting: ReadonlyMap<string, Float64Array>;
  /** Share of the messages sent to it that its full queue loses. */
  readonly lost: Float64Array;
  /** Whether it reads a queue, and how many messages wait there. */
  readonly readsQueue: boolean;
  readonly backlog: Float64Array;
}

interface Active {
  readonly fault: Fault;
  /** Positions of deploys: from which on a version has the fault, and from which on it is fixed. */
  readonly since: number;
  readonly until: number;
  activity: number;
}

/** A service while it is simulated. */
export interface Node {
  readonly course: Course;
  readonly faults: readonly Active[];
  readonly calls: { readonly call: Call; readonly callee: Node; readonly lag: number }[];
  readonly contracts: readonly { readonly since: number; readonly callee: string; readonly version: string }[];
  /** Requests a second that callers send in this cell, and messages a second that they leave in its queue. */
  inbound: number;
  queued: number;
  /** Of the callers in `rejecting`: requests a second that each sends in this cell. */
  readonly asked: Map<string, number>;
}

const NEVER = Number.MAX_SAFE_INTEGER;

/** A service ready to be simulated, calls apart. `changes` are all; those in `without` never happened. */
export function prepare(
  service: ServiceModel,
  system: SystemModel,
  changes: readonly PlannedChange[],
  faults: readonly Fault[],
  without: ReadonlySet<string>,
  grid: Grid,
): Node {
  const versions = versionsOf(service.name, changes, without, grid, service.warmUp.seconds * 1000);
  const position = (id: string | undefined | null, absent: number) => {
    const found = versions.deploys.findIndex((deploy) => deploy.id === id);
    return found < 0 ? absent : found;
  };
  const cells = () => new Float64Array(grid.length);
  const track = (): Track => ({
    errors: cells(),
    ownErrors: cells(),
    rejected: cells(),
    median: cells(),
    p99: cells(),
    work: cells(),
    stalled: cells(),
    stallMs: cells(),
  });
  const calls = (callee: string) => system.calls.some((call) => call.caller === service.name && call.callee === callee);
  return {
    course: {
      service,
      versions,
      rate: cells(),
      older: track(),
      newer: track(),
      load: cells(),
      memory: cells(),
      unready: cells(),
      cacheHits: cells(),
      refused: cells(),
      pooled: cells(),
      leftOpen: cells(),
      overQuota: cells(),
      turnedAway: cells(),
      rejecting: new Map(
        faults
          .filter((fault) => fault.service === service.name)
          .flatMap(({ rejects }) => (rejects === undefined ? [] : [[rejects.caller, cells()]])),
      ),
      lost: cells(),
      readsQueue: system.calls.some(({ callee, queue }) => queue && callee === service.name),
      backlog: cells(),
    },
    faults: faults
      .filter((fault) => fault.service === service.name)
      .map((fault) => ({
        fault,
        since: fault.withVersion === true ? position(fault.because, NEVER) : Number.MIN_SAFE_INTEGER,
        until: fault.fixedBy === undefined ? NEVER : position(fault.fixedBy, NEVER),
        activity: 0,
      })),
    calls: [],
    contracts: versions.deploys
      .flatMap(({ requires }, since) =>
        Object.entries(requires ?? {}).map(([callee, version]) => ({ since, callee, version })),
      )
      // A version that no deploy here brought has served since before: the contract holds.
      .filter(
        ({ callee, version }) =>
          calls(callee) && changes.some(({ service, to }) => service === callee && to === version),
      ),
    inbound: 0,
    queued: 0,
    asked: new Map(),
  };
}

/** How strongly a fault acts in the version at a position, 0–1. */
function strength({ since, until, activity }: Active, position: number): number {
  return position >= since && position < until ? activity : 0;
}

/** Product over the node's faults of a factor, in the version at a position; each brought towards 1 by its activity. */
export function factorOf(node: Node, position: number, pick: (fault: Fault) => number | undefined): number {
  let all = 1;
  for (const active of node.faults) all *= 1 + ((pick(active.fault) ?? 1) - 1) * strength(active, position);
  return all;
}

/** Sum over the node's faults of an amount, in the version at a position. */
export function totalOf(node: Node, position: number, pick: (fault: Fault) => number | undefined): number {
  let all = 0;
  for (const active of node.faults) all += (pick(active.fault) ?? 0) * strength(active, position);
  return all;
}

/** Share of requests that are held up in the version at a position, and by how many ms: that of the longest. */
export function stallOf(node: Node, position: number): { readonly share: number; readonly ms: number } {
  let [share, ms] = [0, 0];
  for (const active of node.faults) {
    const { stall } = active.fault;
    const part = stall === undefined ? 0 : stall.share * strength(active, position);
    if (stall === undefined || part === 0) continue;
    share += part;
    ms = Math.max(ms, stall.ms);
  }
  return { share: Math.min(0.45, share), ms };
}

/** Requests a second that the scarcest pool of the version at a position serves; infinite where none is scarce. */
export const ceilingOf = (node: Node, position: number): number => leastOf(node, position, ({ ceiling }) => ceiling);

/** The smallest of a limit over the node's faults, in the version at a position; infinite where there is none. */
export function leastOf(node: Node, position: number, pick: (fault: Fault) => number | undefined): number {
  let least = Number.POSITIVE_INFINITY;
  for (const active of node.faults) {
    const now = strength(active, position);
    const limit = pick(active.fault);
    if (limit !== undefined && now > 0) least = Math.min(least, limit / now);
  }
  return least;
}

/** Share of the requests of the version at a position that find an allowance used up by all that draw on it. */
export function overQuotaOf(node: Node, cell: number, position: number): number {
  const { versions, rate } = node.course;
  const newer = versions.newer[cell] ?? -1;
  const part = versions.share[cell] ?? 1;
  let over = 0;
  for (const active of node.faults) {
    const now = strength(active, position);
    if (active.fault.quota === undefined || now === 0) continue;
    const drawing =
      part * (strength(active, newer) > 0 ? 1 : 0) + (1 - part) * (strength(active, newer - 1) > 0 ? 1 : 0);
    const asked = (rate[cell] ?? 0) * drawing;
    if (asked > 0) over = Math.max(over, now * Math.max(0, 1 - active.fault.quota / asked));
  }
  return over;
}

/** Share of one caller's requests that the version at a position rejects. */
export function rejectsOf(node: Node, position: number, caller: string): number {
  let all = 0;
  for (const active of node.faults)
    if (active.fault.rejects?.caller === caller) all += active.fault.rejects.share * strength(active, position);
  return Math.min(1, all);
}

/** Share of its requests that the version at a position rejects because of who sends them. */
export function rejectedOf(node: Node, cell: number, position: number): number {
  let all = 0;
  for (const caller of node.course.rejecting.keys())
    all += rejectsOf(node, position, caller) * (node.asked.get(caller) ?? 0);
  return all === 0 ? 0 : Math.min(1, all / Math.max(1e-9, node.course.rate[cell] ?? 0));
}

/** Share of a service's answers to one caller that are errors. */
export function answersTo(course: Course, cell: number, caller: string): number {
  const answered = figure(course, cell, "errors");
  if (course.rejecting.size === 0) return answered;
  const others = Math.max(0, answered - figure(course, cell, "rejected"));
  return 1 - (1 - others) * (1 - (course.rejecting.get(caller)?.[Math.max(0, cell)] ?? 0));
}

/** How a service calls a callee now: as it always did, or as a fault has it, and whether that is so. */
export function callingOf(node: Node, call: Call): { readonly call: Call; readonly changed: boolean } {
  for (const { fault, activity } of node.faults)
    if (fault.calling?.callee === call.callee && activity >= 0.5)
      return {
        call: { ...call, timeoutMs: fault.calling.timeoutMs, attempts: fault.calling.attempts },
        changed: true,
      };
  return { call, changed: false };
}

/** Share of the calls to a service that do not reach it now. */
export function refusedBy(node: Node): number {
  let all = 0;
  for (const { fault, activity } of node.faults) all += (fault.refused ?? 0) * activity;
  return Math.min(1, all);
}

/** Memory that the version at a position has leaked by a time. */
export function leakOf(node: Node, position: number, at: number): number {
  let all = 0;
  for (const { fault, since, until } of node.faults)
    if (position >= since && position < until) all += leaked(fault, at);
  return all;
}

/** Mean over the versions that serve in a cell, by their share of the traffic. */
export function mixed(node: Node, cell: number, value: (position: number) => number): number {
  if (node.faults.length === 0) return value(-1);
  const { share, newer } = node.course.versions;
  const part = share[cell] ?? 1;
  const position = newer[cell] ?? -1;
  return part * value(position) + (part < 1 ? (1 - part) * value(position - 1) : 0);
}

/** One figure of a service in a cell, over both its versions; before the grid begins, that of its first cell. */
export function figure({ versions, newer, older }: Course, cell: number, pick: keyof Track): number {
  const at = Math.max(0, cell);
  const share = versions.share[at] ?? 1;
  return share * (newer[pick][at] ?? 0) + (share < 1 ? (1 - share) * (older[pick][at] ?? 0) : 0);
}
