import type { Config } from "../config/config.ts";
import type { Change } from "../model/change.ts";
import type { Rollout } from "../model/evidence.ts";
import type { ConditionState, Finding } from "../model/finding.ts";
import { type Series, SLOW_SHARE, signalId } from "../model/signal.ts";
import type { Window } from "../model/time.ts";
import { type ConditionMemory, createConditionWatch } from "./conditions.ts";
import { createControls } from "./control.ts";
import { type HeldDrift, newestDrift } from "./drift.ts";
import {
  conditionFindings,
  rolloutFindings,
  signalFindings,
  slowShareFinding,
  withSlowShares,
  withVersions,
} from "./findings.ts";
import { hasLimit } from "./meaning.ts";
import { recentOf } from "./recent.ts";
import {
  closeGrid,
  createGrid,
  liveGrid,
  plainGrid,
  put,
  reserve,
  type SampleGrid,
  slotOf,
  timeOf,
  valueAt,
} from "./sample-grid.ts";
import { createSampleMemory, type OpenShelf, type SampleMemory } from "./sample-memory.ts";
import {
  createSeasonHistory,
  keepNewest,
  liveHistory,
  makeRoom,
  plainHistory,
  type SeasonHistory,
  takePast,
} from "./season-history.ts";
import { createSignalWatch, follow, type SignalWatch } from "./signal-watch.ts";
import { believableRollouts } from "./silence.ts";
import { createVersions, type VersionsMemory } from "./versions.ts";

export interface DetectionOptions {
  /** Samples kept a signal. Default 1440: six hours at 15 s, 24 minutes at 1 s. */
  readonly capacity?: number;
  /** How much is kept of a signal's coarse history at most, ms. Default: five weeks, less where signals are many (`historyKept`). */
  readonly historyMs?: number;
  /** Where the older samples of many signals stand. Default: in memory. */
  readonly openShelf?: OpenShelf;
  /** What each running test may spend a sample, 0 to 1: false alarms a sample. Default: one in a million. */
  readonly alpha?: number;
}

/** One signal with what is known of it. */
export interface Signal {
  readonly service: string;
  readonly metric: string;
  readonly unit: string;
  readonly worse: Series["worse"];
  readonly labels: Readonly<Record<string, string>>;
  grid: SampleGrid;
  /** A coarser series of the same signal, for what is usual at this time of day. */
  history: SeasonHistory | null;
  watch: SignalWatch;
  /** Slot up to which a drift was sought, and the newest that was found. */
  driftSlot: number;
  drift: HeldDrift | null;
}

/** Everything that the engine knows, as plain JSON: an engine that it is restored to goes on as if nothing had been. */
export interface DetectionState {
  readonly signals: readonly unknown[];
  readonly conditions: ConditionMemory;
  readonly versions: VersionsMemory;
  /** What was noticed last: changes, workloads, who calls whom. */
  readonly changes: readonly Change[];
  readonly rollouts: readonly Rollout[];
  readonly graph: readonly (readonly [string, string])[];
}

/**
 * Series in, findings and policy conditions out. Work: amortised O(1) a sample and signal; memory bounded a signal.
 * The same samples in the same order of calls give the same answer; samples that were seen are ignored.
 */
export interface DetectionEngine {
  /** `policy`: what policies judge; `statistics`: what tests read. Units as in `Series`. */
  ingest(series: readonly Series[], purpose: "policy" | "statistics"): void;
  /** The latest state of every workload; replaces what was known. */
  notice(rollouts: readonly Rollout[]): void;
  /** Changes seen (any order, repeats allowed): they say whether a shift came after a change. */
  changes(changes: readonly Change[]): void;
  /** Who calls whom, as it is known now ([caller, callee]); at first what the configuration says. Says whether it is new. */
  graph(edges: readonly (readonly [string, string])[]): boolean;
  /** Everything that is worse, unsure, silent or just over; signals that are plainly fine are not listed. */
  evaluate(now: number): { readonly findings: readonly Finding[]; readonly conditions: readonly ConditionState[] };
  /** The recent samples of every signal in the window (statistics purpose), each list made when it is first read (see `recentOf`). */
  recent(window: Window, services?: ReadonlySet<string>): readonly Series[];
  /** One signal, or undefined. */
  signal(service: string, metric: string): Signal | undefined;
  signals(): Iterable<Signal>;
  state(): DetectionState;
  restore(state: DetectionState): void;
  /** Gives back where its samples stand; it knows nothing from then on. */
  close(): void;
}

const WEEK_MS = 7 * 86_400_000;
/** Weekdays are told apart from three of each on; a fourth and fifth outvote one that was a holiday or an incident. */
const MOST_WEEKS = 5;
const LEAST_WEEKS = 2;
/** Weeks of all signals together: two of fifty thousand, which take 0.85 KB each (`SeasonHistory`), 85 MB. */
const SIGNAL_WEEKS = 100_000;

/**
 * How much is kept of each of so many signals' coarse history, ms: five weeks up to 20,000 of them, two weeks from 50,000
 * on, so that all of it together takes no more memory than that.
 */
export function historyKept(signals: number): number {
  const weeks = Math.floor(SIGNAL_WEEKS / Math.max(1, signals));
  return Math.max(LEAST_WEEKS, Math.min(MOST_WEEKS, weeks)) * WEEK_MS;
}

/** A pod or version that has been silent for so long is gone. */
const GONE_MS = 2 * 3_600_000;
const CHANGES_KEPT_MS = 2 * 86_400_000;

export function createDetectionEngine(config: Config, options: DetectionOptions = {}): DetectionEngine {
  const capacity = options.capacity ?? 1440;
  const memory = createSampleMemory(capacity, options.openShelf);
  const mostHistoryMs = options.historyMs ?? Number.POSITIVE_INFINITY;
  const signals = new Map<string, Signal>();
  let historyMs = Math.min(mostHistoryMs, historyKept(0));
  const changes = new Map<string, Change>();
  const conditions = createConditionWatch(config);
  const versions = createVersions(config.versionLabel, options.alpha);
  const controls = createControls(options.alpha);
  controls.graph(config.topology?.edges ?? []);
  let rollouts: readonly Rollout[] = [];
  const find = (service: string, metric: string, labels: Readonly<Record<string, string>> = {}) =>
    signals.get(signalId({ service, metric, labels }));

  /** Requests of the same share of the service in the step that ends then; a scrape that is off by a little counts. */
  function requestsAt(signal: Signal): (at: number) => number {
    const seconds = signal.grid.stepMs / 1000;
    let rate: Signal | null = null;
    return (at) => {
      // Sought when it is first asked for: most signals are tested without.
      rate ??= find(signal.service, "request_rate", signal.labels) ?? null;
      if (rate === null) return Number.NaN;
      const slot = slotOf(rate.grid, at);
      const value = valueAt(rate.grid, slot);
      return (Number.isNaN(value) ? valueAt(rate.grid, slot - 1) : value) * seconds;
    };
  }

  /** Where signals have become so many that each may keep less, all give back what they keep beyond it. */
  function fitHistories(): void {
    const kept = Math.min(mostHistoryMs, historyKept(signals.size));
    if (kept < historyMs) for (const { history } of signals.values()) if (history !== null) keepNewest(history, kept);
    historyMs = kept;
  }

  function take(series: Series): void {
    const key = signalId(series);
    const known = signals.get(key);
    const signal = known ?? newSignal(series, memory);
    if (known === undefined) {
      signals.set(key, signal);
      fitHistories();
    }
    const ratio = series.stepMs / signal.grid.stepMs;
    if (ratio > 1.5) {
      takeHistory(signal, series, historyMs);
      return;
    }
    if (ratio < 0.67) {
      // The series known so far is the coarse one: it becomes the history of this finer one.
      signal.history = asHistory(signal.grid, historyMs);
      closeGrid(signal.grid);
      signal.grid = createGrid(series.startAt, series.stepMs, memory);
      signal.watch = createSignalWatch(signal.metric, signal.worse, 0);
      signal.driftSlot = 0;
      signal.drift = null;
    }
    reserve(signal.grid, series.values.length, capacity);
    for (let i = 0; i < series.values.length; i++)
      put(signal.grid, series.startAt + i * series.stepMs, series.values[i] ?? null, capacity);
  }

  function followAll(): void {
    for (const signal of signals.values()) {
      if (signal.metric === "request_rate") continue;
      follow(signal.watch, signal.grid, requestsAt(signal), options.alpha);
      if (!hasLimit(signal.metric)) continue;
      const { slot, drift } = newestDrift(signal.grid, { slot: signal.driftSlot, drift: signal.drift });
      signal.driftSlot = slot;
      signal.drift = drift;
    }
  }

  /** Pods and versions come and go: what has been silent for long is dropped, services as a whole never. */
  function forget(now: number): void {
    for (const [key, signal] of signals) {
      if (Object.keys(signal.labels).length === 0) continue;
      if (now - timeOf(signal.grid, signal.grid.next) <= GONE_MS) continue;
      closeGrid(signal.grid);
      signals.delete(key);
    }
    for (const [id, change] of changes) if (now - change.startedAt > CHANGES_KEPT_MS) changes.delete(id);
    conditions.forget(now - GONE_MS);
  }

  function clear(): void {
    for (const { grid } of signals.values()) closeGrid(grid);
    signals.clear();
  }

  return {
    ingest(series, purpose) {
      for (const one of series) {
        if (purpose === "policy") conditions.take(one);
        else take(one);
      }
    },
    notice(latest) {
      rollouts = latest;
    },
    changes(seen) {
      for (const change of seen) changes.set(change.id, change);
    },
    graph: (edges) => controls.graph(edges),
    evaluate(now) {
      forget(now);
      followAll();
      const known = [...changes.values()];
      const context = { whole: find, requestsOf: requestsAt };
      const contextOf = (signal: Signal) => ({
        now,
        changes: known,
        requestsAt: requestsAt(signal),
        control: (change: Change, since: number) => controls.judge(signal, change, since, context),
      });
      const tested = [...signals.values()].flatMap((signal) => signalFindings(signal, contextOf(signal)));
      const slow = [...signals.values()].flatMap((signal) => {
        if (signal.metric !== SLOW_SHARE || Object.keys(signal.labels).length > 0) return [];
        return slowShareFinding(signal, find(signal.service, "p99_latency"), contextOf(signal)) ?? [];
      });
      const statistical = withSlowShares(tested, slow);
      controls.forget();
      versions.follow(signals.values(), { changes: known, ...context });
      const believed = believableRollouts(rollouts, now, config.watch.stepMs);
      const measured = [...withVersions(statistical, versions.findings(now)), ...rolloutFindings(believed, now)];
      const states = conditions.states(now, measured, believed);
      return { findings: [...measured, ...conditionFindings(states, measured)], conditions: states };
    },
    recent(window, services) {
      const found: Series[] = [];
      for (const signal of signals.values()) {
        const series = services === undefined || services.has(signal.service) ? recentOf(signal, window) : null;
        if (series !== null) found.push(series);
      }
      return found;
    },
    signal: (service, metric) => find(service, metric),
    signals: () => signals.values(),
    state: () => ({
      signals: [...signals.values()].map(storable),
      conditions: conditions.state(),
      versions: versions.state(),
      changes: [...changes.values()],
      rollouts,
      graph: controls.edges(),
    }),
    close: clear,
    restore(state) {
      clear();
      for (const one of state.signals as readonly ReturnType<typeof storable>[]) {
        const signal = restored(one, memory, capacity);
        signals.set(signalId(signal), signal);
      }
      fitHistories();
      conditions.restore(state.conditions);
      versions.restore(state.versions);
      changes.clear();
      for (const change of state.changes) changes.set(change.id, change);
      rollouts = state.rollouts;
      controls.graph(state.graph);
    },
  };
}

function newSignal(series: Series, memory: SampleMemory): Signal {
  const { service, metric, unit, worse, labels } = series;
  const grid = createGrid(series.startAt, series.stepMs, memory);
  const watch = createSignalWatch(metric, worse, 0);
  return { service, metric, unit, worse, labels, grid, history: null, watch, driftSlot: 0, drift: null };
}

function takeHistory(signal: Signal, { startAt, stepMs, values }: Series, capacityMs: number): void {
  const isOlder = signal.history !== null && startAt <= signal.history.first * signal.history.widthMs;
  const history = signal.history === null || isOlder ? createSeasonHistory(startAt, stepMs) : signal.history;
  signal.history = history;
  makeRoom(history, values.length * stepMs, capacityMs);
  for (let i = 0; i < values.length; i++) takePast(history, startAt + i * stepMs, values[i] ?? null, capacityMs);
}

function asHistory(grid: SampleGrid, capacityMs: number): SeasonHistory {
  const history = createSeasonHistory(timeOf(grid, grid.first), grid.stepMs);
  for (let slot = grid.first; slot < grid.next; slot++)
    takePast(history, timeOf(grid, slot), valueAt(grid, slot), capacityMs);
  return history;
}

const storable = (signal: Signal) => ({
  ...signal,
  watch: structuredClone(signal.watch),
  grid: plainGrid(signal.grid),
  history: signal.history === null ? null : plainHistory(signal.history),
});
const restored = (one: ReturnType<typeof storable>, memory: SampleMemory, capacity: number): Signal => ({
  ...one,
  watch: structuredClone(one.watch),
  grid: liveGrid(one.grid, memory, capacity),
  history: one.history === null ? null : liveHistory(one.history),
});
