import {
  canarySignals,
  canaryWindowStart,
  judgeLiveCanaries,
  type LiveJudgement,
  recentEnough,
} from "../canary/live.ts";

import type { Config } from "../config/config.ts";
import { createCallGraph } from "../correlation/call-graph.ts";
import { componentsOf } from "../correlation/components.ts";
import { oneDeploy } from "../correlation/one-deploy.ts";
import { deployBefore, USUAL_BEFORE_MS } from "../correlation/past-rollouts.ts";
import { indexSeries } from "../correlation/samples.ts";
import { createDetectionEngine, type DetectionEngine, type DetectionState } from "../detection/engine.ts";
import type { OpenShelf } from "../detection/sample-memory.ts";
import { keptRollouts } from "../detection/silence.ts";
import { type AskContext, oneAtATime, UNTIL_ANSWERED } from "../model/asking.ts";
import type { CaseFile, Gap } from "../model/assessment.ts";
import type { Change } from "../model/change.ts";
import type { Rollout, Topology } from "../model/evidence.ts";
import type { ConditionState, Finding } from "../model/finding.ts";
import type { Series } from "../model/signal.ts";
import type { Patience, Sources } from "../ports.ts";
import { createContextReader } from "./context.ts";
import { grownAfterChange } from "./grown.ts";
import { goesOnAlone } from "./outlasting.ts";
import { type AfterActs, afterOwnActs } from "./own-acts.ts";
import { createMetricsReader } from "./read-metrics.ts";
import { BEFORE_MS, evidenceSince, sinceByService, sinceOfDegraded } from "./scope.ts";
import { toldApart } from "./told-apart.ts";
import { usualTrafficAt } from "./usual-traffic.ts";

export interface AssessorOptions {
  /** Samples kept a signal; how far back the first tick reads, in steps. Default 1440. */
  readonly capacity?: number;
  /** Where the older samples of many signals stand. Default: in memory. */
  readonly openShelf?: OpenShelf;
  /** How long a tick waits for sources that are late; what they say is taken in by a later one. Default: until they answer. */
  readonly patience?: Patience;
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
  /** Reads what is new since the last tick and judges it. A source that fails or is late is a gap, never an exception. */
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

const NO_ROLLOUTS: readonly Rollout[] = [];
const DAY_MS = 86_400_000;
/** Changes are asked for again from so long before the last answer on, since their end becomes known later. */
const CHANGES_AGAIN_MS = 2 * 3_600_000;
const CHANGES_KEPT_MS = 2 * DAY_MS;

/**
 * What was degraded before a change of its own service and has grown since is dated by that; so is what goes on where the
 * callee that explained it is well again, and what the new version fails beyond the old one beside it.
 */
function withGrowth(
  { findings, series }: AfterActs,
  changes: readonly Change[],
  topology: Topology | null,
  versionLabel: string,
  at: number,
): AfterActs {
  const whole = new Map(
    series
      .filter(({ labels }) => Object.keys(labels).length === 0)
      .map((one) => [`${one.service}\n${one.metric}`, one]),
  );
  const graph = createCallGraph(topology);
  const index = indexSeries(series, versionLabel);
  const dated = findings.map((one) => {
    const seriesOf = (service: string) => whole.get(`${service}\n${one.metric}`);
    const grown = grownAfterChange(one, seriesOf(one.service), changes, at);
    return grown ?? goesOnAlone(one, seriesOf, graph, changes, at) ?? toldApart(one, index, changes, at) ?? one;
  });
  return { findings: dated, series };
}

/** Where nobody says what was changed, nothing is known of changes: not that there are none. */
export const NO_SOURCE_OF_CHANGES: Gap = {
  of: "changes",
  how: "not-configured",
  source: "configuration",
  what: "changes",
  because: "no source of changes is configured",
};

export function createAssessor(
  { sources, config }: { readonly sources: Sources; readonly config: Config },
  options: AssessorOptions = {},
): Assessor {
  const capacity = options.capacity ?? 1440;
  const { openShelf, patience = UNTIL_ANSWERED } = options;
  const engine = createDetectionEngine(config, { capacity, ...(openShelf === undefined ? {} : { openShelf }) });
  const readUpTo = new Map<string, number>();
  const changes = new Map<string, Change>();
  let rollouts: readonly Rollout[] = [];
  const readMetrics = createMetricsReader({ metrics: sources.metrics, config, engine, capacity, readUpTo });
  const readContext = createContextReader(sources, config);
  const changesOf = sources.changes.map((source) => ({
    source,
    asking: oneAtATime<readonly Change[]>({ of: "changes", source: source.name, what: "changes" }),
  }));
  const rolloutsOf = sources.rollouts.map((source) => ({
    source,
    asking: oneAtATime<readonly Rollout[]>({ of: "rollouts", source: source.name, what: "rollouts" }),
    last: NO_ROLLOUTS,
  }));
  let last: { readonly now: number; readonly tick: Tick } | null = null;

  async function readChanges(context: AskContext): Promise<void> {
    const { now, abort } = context;
    if (changesOf.length === 0) context.gaps.push(NO_SOURCE_OF_CHANGES);
    await Promise.all(
      changesOf.map(async ({ source, asking }) => {
        const key = `${source.name}/changes`;
        const upTo = readUpTo.get(key);
        const from = upTo === undefined ? now - DAY_MS : Math.max(now - DAY_MS, upTo - CHANGES_AGAIN_MS);
        const read = await asking(context, () => source.changes({ from: Math.max(0, from), to: now }, abort));
        if (read === null) return;
        readUpTo.set(key, read.askedAt);
        for (const change of read.answer) changes.set(change.id, change);
      }),
    );
    for (const { id, startedAt } of changes.values()) if (now - startedAt > CHANGES_KEPT_MS) changes.delete(id);
    engine.changes(oneDeploy([...changes.values()]));
  }

  async function readRollouts(context: AskContext): Promise<void> {
    const answers = await Promise.all(
      rolloutsOf.map(async (one) => {
        const read = await one.asking(context, () => one.source.rollouts(context.abort));
        // What a source said last says what stands where, and never again how it is.
        one.last = read === null ? keptRollouts(one.last) : read.answer;
        return one.last;
      }),
    );
    rollouts = answers.flat();
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
    const context: AskContext = { now, abort, gaps: [], waiting: patience.begin() };
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
      const context: AskContext = { now, abort, gaps: [...first.gaps], waiting: patience.begin() };
      const keptMs = capacity * config.watch.stepMs;
      const since = evidenceSince(first, now, keptMs);
      const seen = oneDeploy([...changes.values()]).toSorted(
        (a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1),
      );
      const degraded = { since: sinceOfDegraded(first, now, keptMs), changes: seen };
      const more = await readContext(context, since, degraded);
      // Who calls whom says beside whom a shift after a change is to be seen.
      const learnt = more.topology !== null && engine.graph(more.topology.edges);
      const { findings, conditions } = learnt ? judged(now, first.gaps) : first;
      const components = componentsOf({ topology: more.topology, changes: seen, flags: more.flags });
      const sinceOf = sinceByService({ findings }, now, keptMs, components);
      const series = withLastRollouts(recentSince(sinceOf, now), seen, sinceOf, now);
      const known = withGrowth(
        afterOwnActs({ findings, series }, seen, more.topology, engine),
        seen,
        more.topology,
        config.versionLabel,
        now,
      );
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
