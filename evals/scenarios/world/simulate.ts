import { cellActivity, leftOpen } from "./faults.ts";
import type { Fault, Grid, PlannedChange, SystemModel } from "./model.ts";
import {
  answersTo,
  type Course,
  callingOf,
  ceilingOf,
  factorOf,
  leakOf,
  leastOf,
  mixed,
  type Node,
  overQuotaOf,
  prepare,
  refusedBy,
  rejectsOf,
  type Track,
  totalOf,
} from "./node.ts";
import { lateOf, type Slot, slotOf } from "./slot.ts";
import { season, type Wander } from "./wander.ts";

export interface Run {
  readonly grid: Grid;
  readonly courses: ReadonlyMap<string, Course>;
}

export interface Happenings {
  readonly system: SystemModel;
  readonly changes: readonly PlannedChange[];
  readonly faults: readonly Fault[];
}

/**
 * The system in expectation, cell by cell. Load flows from callers to callees; failures and slowness flow back along
 * calls alone, after the call's lag, through retries, timeouts and fallbacks. `wander` null: without slow randomness.
 * `without`: changes that never happened, and with them the faults that they make. What differs between two runs that
 * differ in `without` alone was caused by those changes.
 */
export function simulate(
  { system, changes, faults }: Happenings,
  grid: Grid,
  wander: Wander | null,
  without: ReadonlySet<string> = new Set(),
): Run {
  const live = faults.filter(({ because }) => because === null || !without.has(because));
  const nodes = system.services.map((service) => prepare(service, system, changes, live, without, grid));
  const byName = new Map(nodes.map((node) => [node.course.service.name, node]));
  for (const call of system.calls) {
    const [caller, callee] = [byName.get(call.caller), byName.get(call.callee)];
    if (callee !== undefined)
      caller?.calls.push({ call, callee, lag: Math.round((call.lagSeconds * 1000) / grid.stepMs) });
  }
  const bottomUp = nodes.toReversed();
  for (let cell = 0; cell < grid.length; cell++) {
    const end = grid.start + cell * grid.stepMs;
    const outside = season(system.traffic, end - grid.stepMs / 2) * Math.exp(wander?.load[cell] ?? 0);
    for (const node of nodes) {
      node.inbound = 0;
      node.queued = 0;
      if (node.asked.size > 0) node.asked.clear();
      for (const active of node.faults) active.activity = cellActivity(active.fault, end, grid.stepMs);
    }
    for (const node of nodes) flowDown(node, cell, end, outside, grid.stepMs / 1000);
    for (const node of bottomUp) flowBack(node, cell, wander);
  }
  return { grid, courses: new Map(nodes.map(({ course }) => [course.service.name, course])) };
}

/** Share of hits that a working cache has, and how many calls each request makes when it has none, of those with hits. */
const HITS = 0.92;
const CALLS_OF_A_MISS = 4;
/** A reader of a queue wants to have worked through what waits after this many seconds. */
const DRAIN_SECONDS = 60;

function flowDown(node: Node, cell: number, end: number, outside: number, seconds: number): void {
  const { course } = node;
  const product = (pick: (fault: Fault) => number | undefined) =>
    mixed(node, cell, (position) => factorOf(node, position, pick));
  const sum = (pick: (fault: Fault) => number | undefined) =>
    mixed(node, cell, (position) => totalOf(node, position, pick));
  const work = product(({ cpuFactor }) => cpuFactor);
  const capacity =
    ((course.service.expectedRate / course.service.utilisation) * product(({ capacityFactor }) => capacityFactor)) /
    Math.max(0.1, work);

  const asked = course.service.directRate * outside * product(({ loadFactor }) => loadFactor) + node.inbound;
  const waiting = course.backlog[cell - 1] ?? 0;
  const throughput = (0.95 * capacity) / product(({ latencyFactor }) => latencyFactor);
  const wanted = Math.min(node.queued + waiting / DRAIN_SECONDS, Math.max(0, throughput - asked));
  const taken = mixed(node, cell, (position) =>
    Math.min(
      wanted,
      leastOf(node, position, ({ takesAtMost }) => takesAtMost),
    ),
  );
  const left = Math.max(0, waiting + (node.queued - taken) * seconds);
  const room = leastOf(node, course.versions.newer[cell] ?? -1, ({ queueLimit }) => queueLimit);
  course.backlog[cell] = Math.min(left, room);
  course.lost[cell] = left > room ? Math.min(1, (left - room) / Math.max(1e-9, node.queued * seconds)) : 0;
  const rate = asked + taken;
  course.rate[cell] = rate;
  course.load[cell] = capacity <= 0 ? 2 : rate / capacity;
  course.unready[cell] = Math.min(
    1,
    sum(({ unready }) => unready),
  );
  course.cacheHits[cell] = course.service.cached
    ? HITS *
      (1 -
        Math.min(
          1,
          sum(({ cacheMiss }) => cacheMiss),
        ))
    : 0;
  course.memory[cell] = mixed(node, cell, (position) => leakOf(node, position, end));
  course.refused[cell] = refusedBy(node);
  course.pooled[cell] = mixed(node, cell, (position) => rate / ceilingOf(node, position));
  course.overQuota[cell] = mixed(node, cell, (position) => overQuotaOf(node, cell, position));
  const away = Math.min(
    1,
    sum(({ turnedAway }) => turnedAway),
  );
  course.turnedAway[cell] = away;
  for (const [caller, shares] of course.rejecting)
    shares[cell] = mixed(node, cell, (position) => rejectsOf(node, position, caller));
  course.leftOpen[cell] = node.faults.reduce((sum, { fault }) => sum + leftOpen(fault, end), 0);

  const misses = course.service.cached ? 1 + (CALLS_OF_A_MISS - 1) * (1 - (course.cacheHits[cell] ?? 0) / HITS) : 1;
  for (const { call: usual, callee, lag } of node.calls) {
    const { call, changed } = callingOf(node, usual);
    const more = product(({ calls }) => (calls?.callee === call.callee ? calls.factor : 1));
    const sent = rate * call.perRequest * more * misses * (1 - away);
    if (call.queue) callee.queued += sent;
    else {
      const before = cell - Math.max(1, lag);
      const refused = refusedBy(callee);
      const answered = cell === 0 ? 0 : answersTo(callee.course, before, course.service.name);
      const late = changed && cell > 0 ? lateOf(callee.course, before, call.timeoutMs) : 0;
      const failing = late + refused === 0 ? answered : 1 - (1 - answered) * (1 - late) * (1 - refused);
      let again = failing + (call.attempts > 2 ? failing * failing : 0);
      for (let attempt = 4; attempt <= call.attempts; attempt++) again += failing ** (attempt - 1);
      const arriving = sent * (1 + Math.min(call.attempts - 1, again)) * (1 - refused);
      callee.inbound += arriving;
      if (callee.course.rejecting.has(course.service.name)) callee.asked.set(course.service.name, arriving);
    }
  }
}

function flowBack(node: Node, cell: number, wander: Wander | null): void {
  const { course } = node;
  const { name, memory } = course.service;
  const drift = {
    latency: Math.exp(wander?.latency.get(name)?.[cell] ?? 0),
    errors: Math.exp(wander?.errors.get(name)?.[cell] ?? 0),
  };
  course.memory[cell] = Math.min(
    1,
    memory * Math.exp(wander?.memory.get(name)?.[cell] ?? 0) + (course.memory[cell] ?? 0),
  );
  const share = course.versions.share[cell] ?? 1;
  const position = course.versions.newer[cell] ?? -1;
  const newer = slotOf(node, cell, position, course.versions.fresh[cell] ?? 0, drift);
  record(course.newer, cell, newer);
  course.unready[cell] = Math.min(1, (course.unready[cell] ?? 0) + newer.unready);
  if (share < 1) record(course.older, cell, slotOf(node, cell, position - 1, 0, drift));
}

function record(track: Track, cell: number, slot: Slot): void {
  track.errors[cell] = slot.errors;
  track.ownErrors[cell] = slot.ownErrors;
  track.rejected[cell] = slot.rejected;
  track.median[cell] = slot.median;
  track.p99[cell] = slot.p99;
  track.work[cell] = slot.work;
  track.stalled[cell] = slot.stalled;
  track.stallMs[cell] = slot.stallMs;
}
