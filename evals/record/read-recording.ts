import { NO_SOURCE_OF_CHANGES } from "../../core/assessment/assessor.ts";
import type { Config } from "../../core/config/config.ts";
import { mergedTopology } from "../../core/correlation/call-graph.ts";
import { broughtBy } from "../../core/correlation/shared-change.ts";
import { UnshipError } from "../../core/errors.ts";
import { type AskContext, ask } from "../../core/model/asking.ts";
import type { Gap } from "../../core/model/assessment.ts";
import type { Change } from "../../core/model/change.ts";
import { withoutSecrets } from "../../core/model/secrets/deep.ts";
import type { Series } from "../../core/model/signal.ts";
import type { Window } from "../../core/model/time.ts";
import type { Lack, Sources } from "../../core/ports.ts";
import type { Bundle } from "../replay/bundle.ts";
import { readWhole } from "./read-whole.ts";

/** What is read before the watch begins, as a watch that had been running would have read it. */
const FINE_STEPS = 1440;
const DAY_MS = 86_400_000;
const HISTORY_MS = 14 * DAY_MS;
const HISTORY_STEP_MS = 300_000;
const EVIDENCE_MS = 6 * 3_600_000;

export interface RecordOptions {
  readonly id: string;
  /** The watch of the recording, Unix ms, `from` < `to`. */
  readonly window: Window;
  /** Told after each question how many of how many are answered. */
  readonly onAnswer?: (done: number, all: number, what: string) => void;
}

export interface Recording {
  readonly bundle: Bundle;
  /** What a source did not say: unknown, not empty. */
  readonly gaps: readonly Gap[];
}

/**
 * Asks the sources for a span of the past and for what lies before it, and puts it together as a bundle, secrets
 * scrubbed. Only reads. A source that fails is a gap; where no metric at all was answered, throws "source.unavailable":
 * that is no recording.
 */
export async function readRecording(
  sources: Sources,
  config: Config,
  { id, window, onAnswer }: RecordOptions,
  abort: AbortSignal,
): Promise<Recording> {
  const context: AskContext = { now: window.to, abort, gaps: [] };
  const evidence = { from: Math.max(0, window.from - EVIDENCE_MS), to: window.to };
  const metrics = sources.metrics.flatMap((source) => source.metrics().map((metric) => ({ source, metric })));
  const all =
    metrics.length +
    sources.changes.length +
    sources.logs.length +
    sources.traces.length +
    sources.topology.length +
    sources.rollouts.length +
    sources.alerts.length +
    (sources.infrastructure?.length ?? 0);
  let done = 0;
  /** One source at a time: whoever records is in no hurry, and the sources serve production. */
  const each = async <S extends { readonly name: string }, T>(
    list: readonly S[],
    what: string,
    read: (source: S) => Promise<T | null>,
  ): Promise<T[]> => {
    const answers: T[] = [];
    for (const source of list) {
      abort.throwIfAborted();
      const answer = await read(source);
      if (answer !== null) answers.push(answer);
      done += 1;
      onAnswer?.(done, all, `${source.name}: ${what}`);
    }
    abort.throwIfAborted();
    return answers;
  };

  const series: Series[] = [];
  for (const { source, metric } of metrics) {
    const found = await each([source], metric, () => readMetric(source, metric, window, config, context));
    series.push(...found.flat());
  }
  if (series.length === 0) {
    const silent = sources.metrics.map(({ name }) => name).join(", ") || "the metrics source";
    throw new UnshipError("source.unavailable", { source: silent, reason: "no metric was answered" });
  }
  if (sources.changes.length === 0) context.gaps.push(NO_SOURCE_OF_CHANGES);
  const changes = await each(sources.changes, "changes", (source) =>
    ask(context, { of: "changes", source: source.name, what: "changes" }, () =>
      source.changes({ from: Math.max(0, window.from - HISTORY_MS), to: window.to }, abort),
    ),
  );
  const logs = await each(sources.logs, "logs", (source) => {
    const question = { of: "logs", source: source.name, what: "logs" } as const;
    return ask(context, question, () =>
      readWhole(context, question, evidence, async (part, limit) => {
        const { lines, more } = await source.search({ window: part, limit }, abort);
        return { items: lines, more };
      }),
    );
  });
  const spans = await each(sources.traces, "spans", (source) => {
    const question = { of: "traces", source: source.name, what: "spans" } as const;
    return ask(context, question, () =>
      readWhole(context, question, evidence, async (part, limit) => {
        const answer = await source.spans({ window: part, limit }, abort);
        return { items: answer.spans, more: answer.more };
      }),
    );
  });
  const graphs = await each(sources.topology, "topology", (source) =>
    ask(context, { of: "topology", source: source.name, what: "topology" }, () => source.topology(abort)),
  );
  const alerts = await each(sources.alerts, "alerts", (source) =>
    ask(context, { of: "alerts", source: source.name, what: "alerts" }, () => source.alerts(evidence, abort)),
  );
  const infrastructure = await each(sources.infrastructure ?? [], "infrastructure", (source) =>
    ask(context, { of: "infrastructure", source: source.name, what: "infrastructure" }, () =>
      source.infrastructure(evidence, abort),
    ),
  );
  const rollouts = await each(sources.rollouts, "rollouts", (source) =>
    ask(context, { of: "rollouts", source: source.name, what: "rollouts" }, () => source.rollouts(abort)),
  );
  const workloads = [...rollouts.flat(), ...changes.flat()].flatMap(({ service, workload }) =>
    workload === undefined ? [] : [[service, workload.namespace] as const],
  );
  const started = (change: Change) => change.startedAt <= window.to;
  const bundle: Bundle = {
    directory: "",
    incident: {
      schema: 1,
      id,
      title: id,
      watch: { start: window.from, end: window.to },
      services: services(series, config, new Map(workloads)),
    },
    series,
    changes: unique(changes.flat().filter(started))
      .map(recordable)
      .sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1)),
    ...(infrastructure.flat().length === 0
      ? {}
      : { infrastructure: infrastructure.flat().sort((a, b) => a.startedAt - b.startedAt) }),
    topology: mergedTopology(graphs),
    logs: logs.flat().sort((a, b) => a.at - b.at),
    spans: spans.flat().sort((a, b) => a.startUs - b.startUs),
    alerts: alerts.flat().sort((a, b) => a.startsAt - b.startsAt),
    gaps: uniqueGaps(context.gaps),
  };
  return { bundle: withoutSecrets(bundle, true), gaps: bundle.gaps };
}

/** Unsmoothed, at the watch's step and before it, and two coarse weeks for what is usual at this time of day. */
async function readMetric(
  source: Sources["metrics"][number],
  metric: string,
  window: Window,
  config: Config,
  context: AskContext,
): Promise<readonly Series[] | null> {
  const { stepMs } = config.watch;
  const about = { metric, source: source.name } as const;
  const lacks = ({ gap }: Lack) => void context.gaps.push(gap);
  const asked = { metric, purpose: "statistics", lacks } as const;
  const fine = { from: Math.max(0, window.from - FINE_STEPS * stepMs), to: window.to };
  const recent = await ask(context, { ...about, of: "metrics", what: `metrics: ${metric}` }, () =>
    source.range({ ...asked, window: fine, stepMs }, context.abort),
  );
  if (recent === null) return null;
  if (recent.length === 0) {
    const because = "it holds no sample of that time";
    context.gaps.push({ ...about, of: "metrics", how: "partial", what: `samples: ${metric}`, because });
  }
  if (HISTORY_STEP_MS <= 1.5 * stepMs) return recent;
  const history = { from: Math.max(0, window.from - HISTORY_MS), to: window.to };
  const past = await ask(context, { ...about, of: "history", what: `history: ${metric}` }, () =>
    source.range({ ...asked, window: history, stepMs: HISTORY_STEP_MS }, context.abort),
  );
  // A source that keeps one resolution answers in that, whatever it is asked for: it would be the same samples again.
  return [...recent, ...(past ?? []).filter((one) => one.stepMs > 1.5 * stepMs)];
}

function services(
  series: readonly Series[],
  config: Config,
  namespaces: ReadonlyMap<string, string>,
): Bundle["incident"]["services"] {
  const names = [...new Set([...series.map(({ service }) => service), ...Object.keys(config.services)])].sort();
  return names.map((name) => {
    const known = config.services[name];
    const revenue = known?.revenuePerMinute ?? null;
    return {
      name,
      namespace: known?.namespace ?? namespaces.get(name) ?? "default",
      criticality: known?.criticality ?? "medium",
      ...(revenue === null ? {} : { revenue_per_minute: revenue }),
    };
  });
}

/**
 * A change as a bundle holds it. What names a live object (workload, revision) goes: in a replay what runs follows from
 * the changes themselves, in revisions of its own. An object that many read is named as what brought the change.
 */
function recordable(live: Change): Change {
  const { workload: _, fromRevision: __, toRevision: ___, releasedBy: ____, ...change } = live;
  const releasedBy = broughtBy(live);
  return releasedBy.length === 0 ? change : { ...change, releasedBy: [...releasedBy] };
}

const unique = (changes: readonly Change[]): Change[] => [...new Map(changes.map((one) => [one.id, one])).values()];

const uniqueGaps = (gaps: readonly Gap[]): readonly Gap[] => [
  ...new Map(gaps.map((gap) => [JSON.stringify([gap.source, gap.what]), gap])).values(),
];
