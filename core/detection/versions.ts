import { byChanceText } from "../model/by-chance.ts";
import type { Change } from "../model/change.ts";
import type { Finding } from "../model/finding.ts";
import { burstsIn, createSpread, learnSpread, PRIOR_BLOCKS, USUAL_PRIOR } from "./dispersion.ts";
import { ALPHA, type Counted, unsureOfVariance } from "./evidence.ts";
import { withUnit } from "./meaning.ts";
import { newestAt, type SampleGrid, slotOf, timeOf, valueAt } from "./sample-grid.ts";
import { LEARN_SAMPLES } from "./signal-watch.ts";
import { silentAfter } from "./silence.ts";
import {
  type ArmsAt,
  createVersionWatch,
  followVersion,
  rateOf,
  strengthOf,
  type VersionWatch,
} from "./version-watch.ts";

/** What is read of a signal here: a share of requests of a service, as a whole or of one version. */
export interface SharedSignal {
  readonly service: string;
  readonly metric: string;
  readonly unit: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly grid: SampleGrid;
}

export interface VersionsContext<S extends SharedSignal> {
  readonly changes: readonly Change[];
  /** Requests in the step that ends then of what this signal is a share of; NaN where not known. */
  readonly requestsOf: (signal: S) => (at: number) => number;
  readonly whole: (service: string, metric: string) => S | undefined;
}

/** New versions beside those they replace, for as long as both serve: what the service as a whole may hide. */
export interface Versions {
  /** Judges every sample that came since the last call. */
  follow<S extends SharedSignal>(signals: Iterable<S>, context: VersionsContext<S>): void;
  /** Versions that are worse than the others that serve now, as findings about their services. */
  findings(now: number): readonly Finding[];
  state(): VersionsMemory;
  restore(memory: VersionsMemory): void;
}

/** One comparison, as it is stored. */
interface Compared {
  readonly service: string;
  readonly metric: string;
  readonly unit: string;
  readonly version: string;
  readonly originMs: number;
  readonly stepMs: number;
  readonly watch: VersionWatch;
}
export type VersionsMemory = Readonly<Record<string, Compared>>;

/** The usual share is read from so many samples before two versions served: an hour at 15 s. */
const USUAL_SLOTS = 240;
/** A version that has given nothing for so many steps is not waited for. */
const WAIT_SLOTS = 64;

/** `alpha`: what each comparison may spend a sample, 0 to 1. */
export function createVersions(versionLabel: string, alpha = ALPHA): Versions {
  const compared = new Map<string, Compared>();

  function compare<S extends SharedSignal>(signals: readonly S[], context: VersionsContext<S>): string | null {
    const fresh = versionOnTrial(signals, versionLabel, context.changes);
    if (fresh === null) return null;
    const { service, metric, unit, grid } = fresh;
    const version = fresh.labels[versionLabel] ?? "";
    const key = JSON.stringify([service, metric, version]);
    const others = signals.filter((one) => one !== fresh);
    const arms = armsOf(fresh, others, context);
    const end = lastSlot(fresh, others);
    const { originMs, stepMs } = grid;
    let one = compared.get(key);
    if (one === undefined || one.originMs !== originMs || one.stepMs !== stepMs) {
      const watch = begun(fresh, arms, end, context);
      if (watch === null) return key;
      one = { service, metric, unit, version, originMs, stepMs, watch };
      compared.set(key, one);
    }
    one.watch.slot = Math.max(one.watch.slot, grid.first);
    followVersion(one.watch, arms, end, { timeOf: (slot) => timeOf(grid, slot), stepMs }, alpha);
    return key;
  }

  return {
    follow(signals, context) {
      const groups = new Map<string, (typeof signals extends Iterable<infer S> ? S : never)[]>();
      for (const signal of signals) {
        if (signal.labels[versionLabel] === undefined || signal.metric !== "error_rate") continue;
        if (Object.keys(signal.labels).length !== 1) continue;
        const key = JSON.stringify([signal.service, signal.metric]);
        const group = groups.get(key);
        if (group === undefined) groups.set(key, [signal]);
        else group.push(signal);
      }
      const kept = new Set<string | null>();
      for (const group of groups.values()) if (group.length > 1) kept.add(compare(group, context));
      for (const key of compared.keys()) if (!kept.has(key)) compared.delete(key);
    },
    findings: (now) => [...compared.values()].flatMap((one) => findingOf(one, now)),
    state: () => structuredClone(Object.fromEntries(compared)),
    restore(memory) {
      compared.clear();
      for (const [key, one] of Object.entries(structuredClone(memory))) compared.set(key, one);
    },
  };
}

/**
 * The version that the latest change brought, or where no change tells, the one whose samples began last; null: neither.
 * A declared canary is left to the judge of canaries and to what the file says of them.
 */
function versionOnTrial<S extends SharedSignal>(
  signals: readonly S[],
  label: string,
  changes: readonly Change[],
): S | null {
  let latest: { readonly signal: S; readonly at: number; readonly canary: boolean } | null = null;
  for (const change of changes) {
    if (change.kind === "flag" || change.ownRollback === true || change.service !== signals[0]?.service) continue;
    const signal = signals.find(({ labels }) => labels[label] === change.to);
    if (signal === undefined || (latest !== null && latest.at >= change.startedAt)) continue;
    latest = { signal, at: change.startedAt, canary: (change.canary ?? 1) < 1 };
  }
  if (latest !== null) return latest.canary ? null : latest.signal;
  const [last, before] = signals
    .map((signal) => ({ signal, at: timeOf(signal.grid, signal.grid.first) }))
    .sort((a, b) => b.at - a.at);
  if (last === undefined || before === undefined) return null;
  return last.at - before.at > 1.5 * last.signal.grid.stepMs ? last.signal : null;
}

function countedAt<S extends SharedSignal>(signal: S, at: number, requests: (at: number) => number): Counted | null {
  const value = valueAt(signal.grid, slotOf(signal.grid, at));
  const n = requests(at);
  if (Number.isNaN(value) || !(n > 0)) return null;
  return { k: Math.max(0, Math.min(1, value)) * n, n };
}

function armsOf<S extends SharedSignal>(fresh: S, others: readonly S[], { requestsOf }: VersionsContext<S>): ArmsAt {
  const requests = requestsOf(fresh);
  const rest = others.map((signal) => ({ signal, requests: requestsOf(signal) }));
  return (slot) => {
    const at = timeOf(fresh.grid, slot);
    const own = countedAt(fresh, at, requests);
    if (own === null) return null;
    const old = { k: 0, n: 0 };
    for (const one of rest) {
      const counted = countedAt(one.signal, at, one.requests);
      old.k += counted?.k ?? 0;
      old.n += counted?.n ?? 0;
    }
    return old.n > 0 ? { fresh: own, old } : null;
  };
}

/** The slot after the newest one in which the version and another one could have samples; what is late is waited for. */
function lastSlot<S extends SharedSignal>(fresh: S, others: readonly S[]): number {
  const newest = (grid: SampleGrid) => newestAt(grid, WAIT_SLOTS) ?? 0;
  const both = Math.min(newest(fresh.grid), Math.max(...others.map(({ grid }) => newest(grid))));
  return Math.min(fresh.grid.next, slotOf(fresh.grid, both) + 1);
}

/**
 * A comparison begins at the version's first sample beside another one. What is usual is read from the service before
 * that, or where it has no history from what the others count first; null while there is neither.
 */
function begun<S extends SharedSignal>(
  fresh: S,
  arms: ArmsAt,
  end: number,
  { whole, requestsOf }: VersionsContext<S>,
): VersionWatch | null {
  const { grid } = fresh;
  let slot = grid.first;
  while (slot < end && arms(slot) === null) slot += 1;
  if (slot >= end) return null;
  const service = whole(fresh.service, fresh.metric);
  const before: Counted[] = [];
  const requests = service === undefined ? null : requestsOf(service);
  for (let back = USUAL_SLOTS; back >= 1; back--) {
    const counted = service && requests ? countedAt(service, timeOf(grid, slot - back), requests) : null;
    if (counted !== null) before.push(counted);
  }
  if (before.length >= LEARN_SAMPLES) {
    const usual = rateOf(sumOf(before));
    return createVersionWatch(usual, burstsBefore(before, usual), slot);
  }
  for (; before.length < LEARN_SAMPLES && slot < end; slot++) {
    const old = arms(slot)?.old;
    if (old !== undefined) before.push(old);
  }
  return before.length < LEARN_SAMPLES ? null : createVersionWatch(rateOf(sumOf(before)), USUAL_PRIOR.within, slot);
}

const sumOf = (all: readonly Counted[]): Counted =>
  all.reduce((sum, { k, n }) => ({ k: sum.k + k, n: sum.n + n }), { k: 0, n: 0 });

/** How much errors within one step varied, over independent ones; larger by what so few samples leave open. */
function burstsBefore(before: readonly Counted[], usual: number): number {
  const spread = createSpread();
  for (const { k, n } of before) learnSpread(spread, k - n * usual, n * usual, 1);
  return burstsIn(spread) * unsureOfVariance(PRIOR_BLOCKS + (spread[0]?.weight ?? 0));
}

/** Only what holds now: once one of the two serves no more, the service as a whole says all that there is to say. */
function findingOf({ service, metric, unit, version, originMs, stepMs, watch }: Compared, now: number): Finding[] {
  const { alarm } = watch;
  if (alarm === null || now - (originMs + alarm.bothAt * stepMs) > silentAfter(stepMs)) return [];
  const [current, baseline] = [rateOf(alarm.fresh), rateOf(alarm.old)];
  const strength = Math.min(strengthOf(watch), 700);
  const both = `${withUnit(current, unit)} in ${version} beside ${withUnit(baseline, unit)} in what serves with it`;
  return [
    {
      detector: "version",
      service,
      metric,
      labels: {},
      unit,
      verdict: "worse",
      onset: alarm.onset,
      detectedAt: alarm.raisedAt,
      baseline,
      current,
      samples: alarm.samples,
      strength,
      because: `${metric} of ${service} is ${both}, ${byChanceText(strength)}`,
    },
  ];
}
