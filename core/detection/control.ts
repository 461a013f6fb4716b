import type { Change } from "../model/change.ts";
import type { Worse } from "../model/signal.ts";
import { ALPHA } from "./evidence.ts";
import { formOf, isLatency } from "./meaning.ts";
import { outOfReachOf } from "./reach.ts";
import { median } from "./robust.ts";
import { createGrid, put, type SampleGrid, slotOf, timeOf, valueAt } from "./sample-grid.ts";
import { createSignalWatch, follow, LEARN_SAMPLES, type SignalWatch, strength } from "./signal-watch.ts";

/** What is read of a signal here. */
export interface ControlledSignal {
  readonly service: string;
  readonly metric: string;
  readonly worse: Worse;
  readonly grid: SampleGrid;
}

export interface ControlContext<S extends ControlledSignal> {
  /** The same metric of these services, whole. */
  readonly whole: (service: string, metric: string) => S | undefined;
  /** Requests in the step that ends then; NaN where not known. */
  readonly requestsOf: (signal: S) => (at: number) => number;
}

/** What a shift looks like beside services that the change cannot reach. */
export interface ControlAnswer {
  /** The shift stands when what those services did as well is taken out, at the α of the running test. */
  readonly own: boolean;
  /** Evidence for that, in nats. */
  readonly strength: number;
  /** By how much those services moved, as their median since the shift began: a ratio. */
  readonly common: number;
  readonly services: number;
}

/**
 * A control group inside the running test: differences in differences against services that a change cannot reach, so
 * that what happens to everybody (a surge, a slow machine, an artefact of the scrape) is not taken for a regression of
 * the changed service. The common move at each sample is the median of the others' over what they were before; it is
 * taken out of the signal, before and after the change alike, and the same anytime-valid test runs on what is left.
 * @see Card & Krueger (1994), Am. Econ. Rev. 84(4):772–793; Zhang et al. (2018), "FUNNEL: Assessing Software Changes in
 *   Web-Based Services", IEEE Trans. Serv. Comput. 11(1):34–48
 */
export interface Controls {
  /** Who calls whom, as it is known now; none: there is no control group. Says whether that is news. */
  graph(edges: readonly (readonly [string, string])[]): boolean;
  /** Who calls whom, as it was told last. */
  edges(): readonly (readonly [string, string])[];
  /** Null where the call graph, the metric or the others' history gives no control group. `since`: when the shift began. */
  judge<S extends ControlledSignal>(
    signal: S,
    change: Change,
    since: number,
    context: ControlContext<S>,
  ): ControlAnswer | null;
  /** Drops whatever was not asked for since the last call. */
  forget(): void;
}

/** One service that is slow may have a trouble of its own; what slows everything slows more than one. */
const LEAST_SERVICES = 2;
/** More say nothing new, and cost more. */
const MOST_SERVICES = 32;
/** What was before the change is read from so many samples: an hour at 15 s. */
const BEFORE_SLOTS = 240;
/** So much is kept of what is left: enough for the place of an onset. */
const KEPT_SLOTS = 2 * BEFORE_SLOTS;
/** Fewer requests a step than this say nothing about a share of them that fails. (The field's usual floor.) */
const LEAST_REQUESTS = 20;

interface Running<S> {
  readonly members: readonly Member<S>[];
  readonly adjusted: SampleGrid;
  readonly factors: SampleGrid;
  readonly watch: SignalWatch;
  readonly source: SampleGrid;
  /** Next slot of the signal to take over. */
  slot: number;
  asked: boolean;
}
interface Member<S> {
  readonly signal: S;
  readonly usual: number;
  readonly requests: (at: number) => number;
}

/** `alpha`: what each of them may spend a sample, 0 to 1. */
export function createControls(alpha = ALPHA): Controls {
  let edges: readonly (readonly [string, string])[] = [];
  let apart = new Map<string, readonly string[]>();
  const running = new Map<string, Running<ControlledSignal>>();

  function outOfReach(service: string): readonly string[] {
    const known = apart.get(service) ?? [...outOfReachOf(edges, service)];
    apart.set(service, known);
    return known;
  }

  return {
    graph(latest) {
      const same =
        latest.length === edges.length && latest.every(([a, b], i) => edges[i]?.[0] === a && edges[i]?.[1] === b);
      if (same) return false;
      edges = latest;
      apart = new Map();
      running.clear();
      return true;
    },
    edges: () => edges,
    judge<S extends ControlledSignal>(signal: S, change: Change, since: number, context: ControlContext<S>) {
      if (edges.length === 0 || !(isLatency(signal.metric) || formOf(signal.metric) === "errors")) return null;
      const key = JSON.stringify([signal.service, signal.metric, change.id]);
      let one = running.get(key) as Running<S> | undefined;
      if (one === undefined || one.source !== signal.grid) {
        const first = slotOf(signal.grid, change.startedAt) - BEFORE_SLOTS;
        const [from, to] = [timeOf(signal.grid, first), change.startedAt];
        // What began with the change has no past of its own to be held against.
        if (usualOf(signal, context.requestsOf(signal), from, to) === null) return null;
        const members = membersOf(signal, outOfReach(change.service), from, to, context);
        if (members.length < LEAST_SERVICES) return null;
        one = begin(signal, members, Math.max(signal.grid.first, first));
        running.set(key, one);
      }
      one.asked = true;
      const requests = context.requestsOf(signal);
      takeOver(one, signal);
      follow(one.watch, one.adjusted, requests, alpha);
      const factors: number[] = [];
      for (let slot = Math.max(one.factors.first, slotOf(one.factors, since)); slot < one.factors.next; slot++) {
        const factor = valueAt(one.factors, slot);
        if (!Number.isNaN(factor)) factors.push(factor);
      }
      return {
        own: one.watch.alarm !== null,
        strength: strength(one.watch),
        common: factors.length === 0 ? 1 : median(factors),
        services: one.members.length,
      };
    },
    forget() {
      for (const [key, one] of running) {
        if (!one.asked) running.delete(key);
        one.asked = false;
      }
    },
  };
}

function begin<S extends ControlledSignal>(signal: S, members: readonly Member<S>[], slot: number): Running<S> {
  const { originMs, stepMs } = signal.grid;
  const [adjusted, factors] = [createGrid(originMs, stepMs), createGrid(originMs, stepMs)];
  const watch = createSignalWatch(signal.metric, signal.worse, slot);
  return { members, adjusted, factors, watch, source: signal.grid, slot, asked: true };
}

/** The services with enough of a past to say how they moved, and what was usual in it. */
function membersOf<S extends ControlledSignal>(
  signal: S,
  services: readonly string[],
  from: number,
  to: number,
  { whole, requestsOf }: ControlContext<S>,
): readonly Member<S>[] {
  const members: Member<S>[] = [];
  for (const service of services) {
    if (members.length === MOST_SERVICES) break;
    const other = whole(service, signal.metric);
    if (other === undefined || other.grid.stepMs > 1.5 * signal.grid.stepMs) continue;
    const requests = requestsOf(other);
    const usual = usualOf(other, requests, from, to);
    if (usual !== null) members.push({ signal: other, usual, requests });
  }
  return members;
}

function usualOf(
  { grid, metric }: ControlledSignal,
  requests: (at: number) => number,
  from: number,
  to: number,
): number | null {
  const levels: number[] = [];
  const total = { k: 0, n: 0 };
  for (let slot = Math.max(grid.first, slotOf(grid, from)); slot < grid.next && timeOf(grid, slot) <= to; slot++) {
    const value = valueAt(grid, slot);
    if (Number.isNaN(value)) continue;
    levels.push(value);
    const n = requests(timeOf(grid, slot));
    if (!(n > 0)) continue;
    total.k += value * n;
    total.n += n;
  }
  if (levels.length < LEARN_SAMPLES) return null;
  if (formOf(metric) === "errors") return total.n > 0 ? (total.k + 0.5) / (total.n + 1) : null;
  const middle = median(levels);
  return middle > 0 ? middle : null;
}

/** Takes new samples of the signal over, each without what the others did as well; one that is not known yet is waited for. */
function takeOver<S extends ControlledSignal>(one: Running<S>, { grid, worse }: S): void {
  let end = grid.next;
  while (end > one.slot && Number.isNaN(valueAt(grid, end - 1))) end -= 1;
  for (one.slot = Math.max(one.slot, grid.first); one.slot < end; one.slot++) {
    const at = timeOf(grid, one.slot);
    const value = valueAt(grid, one.slot);
    if (Number.isNaN(value)) continue;
    const factor = commonFactor(one.members, at, worse);
    put(one.factors, at, factor, KEPT_SLOTS);
    put(one.adjusted, at, value / factor, KEPT_SLOTS);
  }
}

/** How the others moved in this step, in the direction that hurts: the median that is nearer to no move; 1: they did not. */
function commonFactor<S extends ControlledSignal>(members: readonly Member<S>[], at: number, worse: Worse): number {
  const moved = members
    .map((member) => movedBy(member, at))
    .filter((one) => !Number.isNaN(one))
    .sort((a, b) => a - b);
  if (moved.length < LEAST_SERVICES) return 1;
  const low = moved[Math.floor((moved.length - 1) / 2)] ?? 1;
  const high = moved[Math.ceil((moved.length - 1) / 2)] ?? 1;
  if (low > 1 && worse !== "down") return low;
  return high < 1 && worse !== "up" ? high : 1;
}

function movedBy<S extends ControlledSignal>({ signal, usual, requests }: Member<S>, at: number): number {
  const value = valueAt(signal.grid, slotOf(signal.grid, at));
  if (formOf(signal.metric) !== "errors") return value > 0 ? value / usual : Number.NaN;
  const n = requests(at);
  return n >= LEAST_REQUESTS ? (value * n + 1) / (usual * n + 1) : Number.NaN;
}
