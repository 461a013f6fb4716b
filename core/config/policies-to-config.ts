import type { CanaryPolicy, Condition, Policy } from "./config.ts";
import { formatDuration } from "./durations.ts";
import type { ConfigFile } from "./schema/file.ts";
import { durationMs } from "./written-values.ts";

type FilePolicies = NonNullable<ConfigFile["rollback_policies"]>;
type FilePolicy = Exclude<FilePolicies[string], FilePolicies["canary_analysis"]>;
type FileCondition = FilePolicy["conditions"][number];

/** Every policy but the canary's, in the file's order. */
export function policiesOf(file: FilePolicies): readonly Policy[] {
  return Object.entries(file).flatMap(([name, policy]) =>
    policy === undefined || !("conditions" in policy)
      ? []
      : [
          {
            name,
            conditions: policy.conditions.map(conditionOf),
            action: policy.action,
            notification: policy.notification,
          },
        ],
  );
}

export function canaryOf({ canary_analysis: file }: FilePolicies): CanaryPolicy | null {
  if (file === undefined) return null;
  return {
    enabled: file.enabled,
    baselineDurationMs: durationMs(file.baseline_duration),
    comparisonMetrics: file.comparison_metrics,
    minimumConfidence: file.minimum_confidence,
    autoPromoteOnPass: file.auto_promote_on_pass,
    autoRollbackOnFail: file.auto_rollback_on_fail,
  };
}

function conditionOf(condition: FileCondition): Condition {
  if ("regression" in condition)
    return regressionCondition(condition.regression.metric, condition.regression.confidence);
  if ("health_check_failures" in condition) {
    const { health_check_failures: failures, consecutive } = condition;
    const row = consecutive ? " in a row" : "";
    return { kind: "health", failures, consecutive, text: `health_check_failures >= ${failures}${row}` };
  }
  const { metric, comparison, threshold } = condition;
  const upperBound = condition.upper_bound ?? null;
  const ms = durationMs(condition.duration);
  const sign = comparison === "greater_than" ? ">" : "<";
  const bound = upperBound === null ? "" : ` and <= ${upperBound}`;
  return {
    kind: "threshold",
    metric,
    comparison,
    threshold,
    upperBound,
    durationMs: ms,
    text: `${metric} ${sign} ${threshold}${bound} for ${formatDuration(ms)}`,
  };
}

/** A statistical condition: the metric is worse than its own past, with so much confidence. */
export function regressionCondition(metric: string, confidence: number): Condition {
  return { kind: "regression", metric, confidence, text: `${metric} worse than its past, confidence ${confidence}` };
}
