import type { Config } from "../../core/config/config.ts";
import { judgeRecovery } from "../../core/guardrails/recovery.ts";
import type { Rollout } from "../../core/model/evidence.ts";
import type { Baseline, Incident, Recovery } from "../../core/model/incident.ts";
import type { TargetResult } from "../../core/model/plan.ts";
import type { Series } from "../../core/model/signal.ts";
import type { Window } from "../../core/model/time.ts";
import type { MetricSource, Sources } from "../../core/ports.ts";

export interface VerifierParts {
  readonly config: Pick<Config, "policies" | "feedback" | "watch">;
  readonly sources: Pick<Sources, "metrics" | "rollouts" | "flags">;
}

/** The part of an incident that verification needs; all of it stands in the ledger (S5). */
export type Acted = Pick<Incident, "baselines" | "findings" | "conditions" | "gate" | "timeline">;

/**
 * Looks once whether the system recovered after an act; ask again while the verdict is `pending`. Reads the signals
 * that were wrong, their services' traffic, and each target's rollout; a source that does not answer leaves its part
 * unknown. Never throws for a source. See `judgeRecovery` for what recovered means.
 */
export function createVerifier({
  config,
  sources,
}: VerifierParts): (incident: Acted, now: number, abort: AbortSignal) => Promise<Recovery> {
  return async (incident, now, abort) => {
    const baselines = wrongSignals(incident);
    const executedAt = actedAt(incident) ?? now;
    const names = [...new Set([...baselines.map(({ metric }) => metric), "request_rate"])];
    const window = { from: executedAt, to: now };
    const [series, rolloutComplete] = await Promise.all([
      Promise.all(names.map((metric) => readMetric(sources.metrics, metric, window, config.watch.stepMs, abort))),
      rolloutDone(sources, incident.gate?.results ?? [], abort),
    ]);
    return judgeRecovery({
      baselines,
      series: series.flat(),
      rolloutComplete,
      brokenAt: brokenLevels(config.policies),
      executedAt,
      now,
      timeoutMs: config.feedback.timeoutMs,
    });
  };
}

/** When the last target was taken back; where nothing was written, when the plan was last submitted. */
function actedAt({ gate, timeline }: Acted): number | undefined {
  return gate?.executedAt ?? timeline.findLast(({ event }) => event === "submitted")?.at;
}

/**
 * The baselines of the signals that were wrong, and of their services' traffic: the noise of a signal that never was
 * wrong must not look like a failed act. Where none of those has a baseline, all that there are have to do.
 */
function wrongSignals({ baselines, findings, conditions }: Acted): readonly Baseline[] {
  const keyOf = ({ service, metric }: { readonly service: string; readonly metric: string }) =>
    JSON.stringify([service, metric]);
  const wrong = new Set([
    ...findings.filter(({ verdict }) => verdict === "worse").map(keyOf),
    ...conditions.filter(({ state }) => state === "firing").map(keyOf),
  ]);
  const kept = baselines.filter((one) => wrong.has(keyOf(one)));
  if (kept.length === 0) return baselines;
  const services = new Set(kept.map(({ service }) => service));
  const traffic = baselines.filter(
    (one) => one.metric === "request_rate" && services.has(one.service) && !kept.includes(one),
  );
  return [...kept, ...traffic];
}

/** The lowest threshold of any policy, by metric: from there on people call it broken. */
export function brokenLevels(policies: Config["policies"]): Readonly<Record<string, number>> {
  const levels: Record<string, number> = {};
  for (const condition of policies.flatMap(({ conditions }) => conditions)) {
    if (condition.kind !== "threshold" || condition.comparison !== "greater_than") continue;
    levels[condition.metric] = Math.min(levels[condition.metric] ?? Number.POSITIVE_INFINITY, condition.threshold);
  }
  return levels;
}

/** Whole services only; unsmoothed, since a smoothed query shows the past for minutes after it is over. */
async function readMetric(
  metrics: readonly MetricSource[],
  metric: string,
  window: Window,
  stepMs: number,
  abort: AbortSignal,
): Promise<readonly Series[]> {
  for (const source of metrics.filter((one) => one.metrics().includes(metric))) {
    try {
      const query = { metric, window, stepMs, purpose: "statistics" } as const;
      const all = await source.range(query, abort);
      return all.filter(({ labels }) => Object.keys(labels).length === 0);
    } catch {
      // The next source may know; if none does, the signal has no data and is unknown (S9).
    }
  }
  return [];
}

/** Every target that was written stands at its restored version, completely. null: somebody did not answer. */
async function rolloutDone(
  sources: VerifierParts["sources"],
  results: readonly TargetResult[],
  abort: AbortSignal,
): Promise<boolean | null> {
  const [rollouts, flags] = await Promise.all([
    allAnswers(sources.rollouts.map((source) => () => source.rollouts(abort))),
    allAnswers(sources.flags.map((source) => () => source.flags(abort))),
  ]);
  const states = results
    .filter(({ result }) => result === "done" || result === "nothing-to-do")
    .map(({ target }): boolean | null => {
      const { kind, namespace, name } = target.object;
      if (target.action === "feature_flag_disable") {
        // A switch has no rollout: where nobody else can be asked, the executor's answer stands.
        if (sources.flags.length === 0) return true;
        const flag = flags?.find(
          (one) => one.key === name && (target.environment === undefined || one.environment === target.environment),
        );
        return flag === undefined ? null : !flag.enabled;
      }
      const rollout = rollouts?.find(
        ({ workload }) => workload.kind === kind && workload.namespace === namespace && workload.name === name,
      );
      return rollout === undefined ? null : isComplete(rollout, target.restore.version);
    });
  if (states.includes(false)) return false;
  return states.length === 0 || states.includes(null) ? null : true;
}

function isComplete({ status, version }: Rollout, wanted: string): boolean | null {
  if (status === "unknown") return null;
  return status === "complete" && version === wanted;
}

/** All that the sources say together; undefined where none of them answered. */
async function allAnswers<T>(asks: readonly (() => Promise<readonly T[]>)[]): Promise<readonly T[] | undefined> {
  const answers = await Promise.allSettled(asks.map((ask) => ask()));
  const given = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  return given.length === 0 ? undefined : given.flat();
}
