import {
  canarySignals,
  canaryWindowStart,
  judgeLiveCanaries,
  type LiveJudgement,
  recentEnough,
} from "../canary/live.ts";

import type { Config } from "../config/config.ts";
import { componentsOf } from "../correlation/components.ts";
import { oneDeploy } from "../correlation/one-deploy.ts";
import { deployBefore, USUAL_BEFORE_MS } from "../correlation/past-rollouts.ts";
import { createDetectionEngine, type DetectionEngine, type DetectionState, historyKept } from "../detection/engine.ts";
import type { OpenShelf } from "../detection/sample-memory.ts";
import type { CaseFile, Gap } from "../model/assessment.ts";
import type { Change } from "../model/change.ts";
import type { Rollout } from "../model/evidence.ts";
import type { ConditionState, Finding } from "../model/finding.ts";
import type { Series } from "../model/signal.ts";
import type { MetricSource, Sources } from "../ports.ts";
import { type AskContext, ask } from "./ask.ts";
import { readContext } from "./context.ts";
import { afterOwnActs } from "./own-acts.ts";
import { type Reading, rangeInPieces, takeAll } from "./read-range.ts";
import { BEFORE_MS, evidenceSince, sinceByService } from "./scope.ts";
import { usualTrafficAt } from "./usual-traffic.ts";

export interface AssessorOptions {
  /** Samples kept a signal; how far back the first tick reads, in steps. Default 1440. */
  readonly capacity?: number;
  /** Where the older samples of many signals stand. Default: in memory. */
  readonly openShelf?: OpenShelf;
}

export interface Tick {
  readonly conditions: readonly ConditionState[];
  readonly findings: readonly Finding[];
  readonly gaps: readonly Gap[];
  /** The versions that serve beside a stable one, each as it is judged now. */
  readonly canaries: readonly LiveJudgement[];
}

/** Reads the sources, keeps the detection up to date, and puts case files together. One a process; not reentrant. */
export interface Assessor {
  /** Reads what is new since the last tick and judges it. A source that fails is a gap, never an exception. */
  tick(now: number, abort: AbortSignal): Promise<Tick>;
  /** Everything known at `now`, read from all sources; ticks first where `now` is not the last tick's. */
  gather(now: number, abort: AbortSignal): Promise<CaseFile>;
  readonly engine: DetectionEngine;
  state(): AssessorState;
  restore(state: AssessorState): void;
}

export interface AssessorState {
  readonly detection: DetectionState;
  readonly readUpTo: Readonly<Record<string, number>>;
  readonly changes: readonly Change[];
}

const DAY_MS = 86_400_000;
const HISTORY_STEP_MS = 300_000;
/** Samples may come late by this much and are read again; what was seen is ignored. */
const LATE_MS = 60_000;
/** Changes are asked for again so far back, since their end becomes known later. */
const CHANGES_AGAIN_MS = 2 * 3_600_000;
const CHANGES_KEPT_MS = 2 * DAY_MS;

export function createAssessor(
  { sources, config }: { readonly sources: Sources; readonly config: Config },
  options: AssessorOptions = {},
): Assessor {
  const capacity = options.capacity ?? 1440;
  const { openShelf } = options;
  const engine = createDetectionEngine(config, { capacity, ...(openShelf === undefined ? {} : { openShelf }) });
  const readUpTo = new Map<string, number>();
  const changes = new Map<string, Change>();
  const rolloutsOf = new Map<string, readonly Rollout[]>();
  let rollouts: readonly Rollout[] = [];
  /** Histories that could not be read, with the gap that they leave and when they were asked for. */
  const withoutHistory = new Map<string, { readonly at: number; readonly gaps: readonly Gap[] }>();
  let last: { readonly now: number; readonly tick: Tick } | null = null;

  async function readMetrics(context: AskContext): Promise<void> {
    const { now, abort } = context;
    const { stepMs } = config.watch;
    const judged = new Set(
      config.policies.flatMap(({ conditions }) =>
        conditions.map((one) => (one.kind === "health" ? "health_check_failures" : one.metric)),
      ),
    );
    const asks = sources.metrics.flatMap((source) =>
      source.metrics().flatMap((metric) => {
        const purposes = judged.has(metric) ? (["statistics", "policy"] as const) : (["statistics"] as const);
        return purposes.map((purpose) => ({ source, metric, purpose, key: `${source.name}/${metric}/${purpose}` }));
      }),
    );
    const metrics = asks.filter(({ purpose }) => purpose === "statistics").length;
    const answers = asks.map(async ({ source, metric, purpose, key }) => {
      const known = readUpTo.get(key);
      const from = known === undefined ? now - capacity * stepMs : known - 2 * stepMs - LATE_MS;
      const window = { from: Math.max(0, from), to: now };
      const pieces = rangeInPieces(source, { metric, window, stepMs, purpose }, abort);
      const more = () => ask(context, source.name, `metrics: ${metric}`, () => pieces.next());
      const first = await more();
      // How many signals there are says how far back it is worth asking; each metric has about as many.
      const signals = first === null || first.done === true ? 0 : first.value.series.length * metrics;
      const past =
        purpose === "statistics" && (known === undefined || withoutHistory.has(key))
          ? await readHistory(context, source, metric, { key, reachMs: historyKept(signals) })
          : null;
      return { key, purpose, past, recent: { first, more } };
    });
    // Taken in one order whatever answered first, so that the same samples give the same result; and each as soon as
    // it is its turn, and then let go: all answers for ten thousand services at once are hundreds of megabytes.
    for (let next = answers.shift(); next !== undefined; next = answers.shift()) {
      const { key, purpose, past, recent } = await next;
      await takeAll(recent, ({ series, to }) => {
        engine.ingest(series, purpose);
        readUpTo.set(key, to);
      });
      if (past !== null)
        await takeAll(past, ({ series }) => {
          const coarse = series.filter((one) => one.stepMs > 1.5 * stepMs);
          engine.ingest(coarse, purpose);
        });
    }
  }

  /** Asked for once; a source that could not tell is asked again, but not at each tick for weeks of samples. */
  async function readHistory(
    context: AskContext,
    source: MetricSource,
    metric: string,
    { key, reachMs }: { readonly key: string; readonly reachMs: number },
  ): Promise<Reading | null> {
    const { now, abort } = context;
    const failed = withoutHistory.get(key);
    if (failed !== undefined && now - failed.at < HISTORY_STEP_MS) {
      context.gaps.push(...failed.gaps);
      return null;
    }
    const window = { from: Math.max(0, now - reachMs), to: now };
    const query = { metric, window, stepMs: HISTORY_STEP_MS, purpose: "statistics" } as const;
    const pieces = rangeInPieces(source, query, abort);
    const more = async () => {
      const own: AskContext = { now, abort, gaps: [] };
      const piece = await ask(own, source.name, `history: ${metric}`, () => pieces.next());
      context.gaps.push(...own.gaps);
      if (piece === null) withoutHistory.set(key, { at: now, gaps: own.gaps });
      else if (piece.done !== true) withoutHistory.delete(key);
      return piece;
    };
    return { first: await more(), more };
  }

  async function readChanges(context: AskContext): Promise<void> {
    const { now, abort } = context;
    await Promise.all(
      sources.changes.map(async (source) => {
        const key = `${source.name}/changes`;
        const from = now - (readUpTo.has(key) ? CHANGES_AGAIN_MS : DAY_MS);
        const read = await ask(context, source.name, "changes", () =>
          source.changes({ from: Math.max(0, from), to: now }, abort),
        );
        if (read === null) return;
        readUpTo.set(key, now);
        for (const change of read) changes.set(change.id, change);
      }),
    );
    for (const { id, startedAt } of changes.values()) if (now - startedAt > CHANGES_KEPT_MS) changes.delete(id);
    engine.changes(oneDeploy([...changes.values()]));
  }

  async function readRollouts(context: AskContext): Promise<void> {
    const answers = await Promise.all(
      sources.rollouts.map(async (source, index) => {
        const read = await ask(context, source.name, "rollouts", () => source.rollouts(context.abort));
        return { key: `${index} ${source.name}`, read };
      }),
    );
    // What a source said last stands until silence makes it unknown.
    for (const { key, read } of answers) if (read !== null) rolloutsOf.set(key, read);
    rollouts = answers.flatMap(({ key }) => rolloutsOf.get(key) ?? []);
    engine.notice(rollouts);
  }

  function judgeCanaries(now: number): readonly LiveJudgement[] {
    if (config.canary === null) return [];
    const seen = oneDeploy([...changes.values()]);
    const recent = recentEnough(seen, config.canary, now);
    if (recent.length === 0) return [];
    const from = canaryWindowStart(recent, config.watch.stepMs, now);
    const services = new Set(recent.map(({ service }) => service));
    const series = engine.recent({ from: Math.max(0, from), to: now }, services);
    return judgeLiveCanaries({ at: now, series, changes: seen, rollouts }, config);
  }

  async function tick(now: number, abort: AbortSignal): Promise<Tick> {
    const context: AskContext = { now, abort, gaps: [] };
    await Promise.all([readMetrics(context), readChanges(context), readRollouts(context)]);
    return judged(now, context.gaps);
  }

  function judged(now: number, gaps: readonly Gap[]): Tick {
    const { findings, conditions } = engine.evaluate(now);
    const canaries = judgeCanaries(now);
    const failed = canarySignals(canaries, now);
    const result = {
      findings: [...findings, ...failed.findings],
      conditions: [...conditions, ...failed.conditions],
      gaps: [...gaps],
      canaries,
    };
    last = { now, tick: result };
    return result;
  }

  /** The samples of each service from when on evidence about it is read. */
  function recentSince(sinceOf: (service: string) => number, now: number): readonly Series[] {
    const services = new Set([...engine.signals()].map(({ service }) => service));
    const windows = Map.groupBy(services, sinceOf);
    return [...windows].flatMap(([since, meant]) =>
      engine.recent({ from: Math.max(0, since - BEFORE_MS), to: now }, new Set(meant)),
    );
  }

  /** Who was deployed lately is read back to its deploy before that: what starting costs shows there. */
  function withLastRollouts(
    series: readonly Series[],
    seen: readonly Change[],
    sinceOf: (service: string) => number,
    now: number,
  ): readonly Series[] {
    const lately = seen.filter(
      ({ kind, service, finishedAt }) => kind === "deploy" && (finishedAt ?? now) >= sinceOf(service) - BEFORE_MS,
    );
    const from = new Map<string, number>();
    for (const change of lately) {
      const before = deployBefore(change, seen);
      if (before !== null && before.startedAt < sinceOf(change.service) - BEFORE_MS)
        from.set(change.service, Math.max(0, before.startedAt - USUAL_BEFORE_MS));
    }
    const longer = [...from].flatMap(([service, start]) => engine.recent({ from: start, to: now }, new Set([service])));
    return from.size === 0 ? series : [...series.filter(({ service }) => !from.has(service)), ...longer];
  }

  return {
    engine,
    tick,
    async gather(now, abort) {
      const first = last?.now === now ? last.tick : await tick(now, abort);
      const context: AskContext = { now, abort, gaps: [...first.gaps] };
      const keptMs = capacity * config.watch.stepMs;
      const since = evidenceSince(first, now, keptMs);
      const more = await readContext(sources, config, context, since);
      // Who calls whom says beside whom a shift after a change is to be seen.
      const learnt = more.topology !== null && engine.graph(more.topology.edges);
      const { findings, conditions } = learnt ? judged(now, first.gaps) : first;
      const seen = oneDeploy([...changes.values()]).toSorted(
        (a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1),
      );
      const components = componentsOf({ topology: more.topology, changes: seen, flags: more.flags });
      const sinceOf = sinceByService({ findings }, now, keptMs, components);
      const series = withLastRollouts(recentSince(sinceOf, now), seen, sinceOf, now);
      const known = afterOwnActs({ findings, series }, seen, more.topology, engine);
      const usualTraffic = usualTrafficAt(engine, now);
      return { at: now, ...known, conditions, changes: seen, rollouts, ...more, gaps: context.gaps, usualTraffic };
    },
    state: () => ({
      detection: engine.state(),
      readUpTo: Object.fromEntries(readUpTo),
      changes: [...changes.values()],
    }),
    restore(state) {
      engine.restore(state.detection);
      readUpTo.clear();
      changes.clear();
      for (const [key, at] of Object.entries(state.readUpTo)) readUpTo.set(key, at);
      for (const change of state.changes) changes.set(change.id, change);
      last = null;
    },
  };
}

export { targetsFor } from "../planning/plan-targets.ts";
// What composes an agent takes its deterministic half from here.
export { assess, conclude } from "./assess.ts";
export { baselines } from "./baselines.ts";
export { episodes } from "./partition.ts";
export { stepAnswers, stepsWith } from "./steps.ts";
