import type { CanaryPolicy, Condition, KayentaMetric, KayentaPolicy, Policy } from "./config.ts";
import { formatDuration } from "./durations.ts";
import type { ConfigFile } from "./schema/file.ts";
import { durationMs } from "./written-values.ts";

type FilePolicies = NonNullable<ConfigFile["rollback_policies"]>;
type FilePolicy = Exclude<FilePolicies[string], FilePolicies["canary_analysis"]>;
type FileCondition = FilePolicy["conditions"][number];

/** The name of the canary's policy, in the file and wherever conditions and rules speak of it. */
export const CANARY_POLICY = "canary_analysis";

/**
 * Every policy in the file's order, and last the canary's: its condition is a canary that fails, which no threshold
 * says. Who is told of automatic rollbacks is told of its.
 */
export function policiesOf(file: FilePolicies): readonly Policy[] {
  const policies = writtenPolicies(file);
  const canary = file.canary_analysis;
  if (canary === undefined || !canary.enabled) return policies;
  const automatic = policies.filter(({ action }) => action === "rollback_immediate");
  const action = canary.auto_rollback_on_fail ? "rollback_immediate" : "notify_and_recommend";
  const notification = [...new Set(automatic.flatMap((policy) => policy.notification))];
  return [...policies, { name: CANARY_POLICY, conditions: [], action, notification }];
}

function writtenPolicies(file: FilePolicies): readonly Policy[] {
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
    judge: file.judge,
    kayenta: kayentaOf(file.kayenta),
  };
}

type FileKayenta = NonNullable<NonNullable<FilePolicies["canary_analysis"]>["kayenta"]>;

function kayentaOf(file: FileKayenta | undefined): KayentaPolicy {
  if (file === undefined) return { pass: 95, marginal: 75, groupWeights: {}, metrics: {} };
  const metrics = Object.entries(file.metrics).map(([name, metric]) => [name, kayentaMetricOf(metric)] as const);
  const { pass, marginal, group_weights: groupWeights } = file;
  return { pass, marginal, groupWeights, metrics: Object.fromEntries(metrics) };
}

function kayentaMetricOf(file: FileKayenta["metrics"][string]): KayentaMetric {
  const { groups, direction, effect_size: size, outliers } = file;
  const any = size?.measure === "cles" ? 0.5 : 1;
  return {
    ...(groups === undefined ? {} : { groups }),
    ...(direction === undefined ? {} : { direction }),
    muted: file.muted,
    nanStrategy: file.nan_strategy,
    critical: file.critical,
    mustHaveData: file.must_have_data,
    ...(size === undefined
      ? {}
      : {
          measure: size.measure === "cles" ? "cles" : "meanRatio",
          effect: [size.allowed_decrease ?? any, size.allowed_increase ?? any],
          criticalEffect: [size.critical_decrease ?? any, size.critical_increase ?? any],
        }),
    ...(outliers?.strategy === "remove" ? { outlierFactor: outliers.factor } : {}),
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
  // What lies above the bound counts as well: a text that excluded it would stand beside values that it denies.
  const bound = upperBound === null ? "" : ` (above ${upperBound} counts, too)`;
  return {
    kind: "threshold",
    metric,
    comparison,
    threshold,
    upperBound,
    durationMs: ms,
    text: `${metric} ${sign} ${threshold} for ${formatDuration(ms)}${bound}`,
  };
}

/** A statistical condition: the metric is worse than its own past, with so much confidence. */
export function regressionCondition(metric: string, confidence: number): Condition {
  return { kind: "regression", metric, confidence, text: `${metric} worse than its past, confidence ${confidence}` };
}
