import type { Config } from "../../core/config/config.ts";
import { judgeRecovery } from "../../core/guardrails/recovery.ts";
import type { Rollout } from "../../core/model/evidence.ts";
import type { Baseline, Recovery } from "../../core/model/incident.ts";
import type { TargetResult } from "../../core/model/plan.ts";
import type { Series } from "../../core/model/signal.ts";
import type { FlagSource, MetricSource, RolloutSource } from "../../core/ports.ts";

export interface VerifierParts {
  readonly config: Pick<Config, "policies" | "feedback" | "watch">;
  readonly metrics: readonly MetricSource[];
  readonly rollouts: readonly RolloutSource[];
  readonly flags: readonly FlagSource[];
}

export interface Verification {
  readonly baselines: readonly Baseline[];
  /** What the gate answered for each target. */
  readonly results: readonly TargetResult[];
  readonly executedAt: number;
  readonly now: number;
}

/**
 * Looks once whether the system recovered; ask again while the verdict is `pending`. Reads the signals that were
 * wrong, their services' traffic, and each target's rollout; a source that does not answer leaves its part unknown.
 * Never throws for a source. See `judgeRecovery` for what recovered means.
 */
export function createVerifier(parts: VerifierParts): (what: Verification, abort: AbortSignal) => Promise<Recovery> {
  const { config } = parts;
  return async ({ baselines, results, executedAt, now }, abort) => {
    const names = [...new Set([...baselines.map(({ metric }) => metric), "request_rate"])];
    const [series, rolloutComplete] = await Promise.all([
      Promise.all(names.map((metric) => readMetric(parts, metric, { from: executedAt, to: now }, abort))),
      rolloutDone(parts, results, abort),
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
  { metrics, config }: VerifierParts,
  metric: string,
  window: { readonly from: number; readonly to: number },
  abort: AbortSignal,
): Promise<readonly Series[]> {
  for (const source of metrics.filter((one) => one.metrics().includes(metric))) {
    try {
      const query = { metric, window, stepMs: config.watch.stepMs, purpose: "statistics" } as const;
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
  parts: VerifierParts,
  results: readonly TargetResult[],
  abort: AbortSignal,
): Promise<boolean | null> {
  const [rollouts, flags] = await Promise.all([
    allAnswers(parts.rollouts.map((source) => () => source.rollouts(abort))),
    allAnswers(parts.flags.map((source) => () => source.flags(abort))),
  ]);
  const states = results
    .filter(({ result }) => result === "done" || result === "nothing-to-do")
    .map(({ target }): boolean | null => {
      const { kind, namespace, name } = target.object;
      if (target.action === "feature_flag_disable") {
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
