import type { CanaryPolicy, Condition, Config, Policy } from "../config.ts";
import { formatDuration } from "../durations.ts";
import { figure, listed, plural, type Section, under } from "./words.ts";

/** Policy by policy, condition by condition: when something happens, what, and who is told. */
export function explainPolicies(config: Config): Section {
  const lines = config.policies.flatMap((policy) =>
    policy.conditions.length === 0 ? [] : policyLines(policy, config),
  );
  const none = "No rollback_policies: nothing is ever rolled back without a person, whatever the metrics say.";
  return { heading: "When it acts", lines: [...(lines.length === 0 ? [none] : lines), ...canaryLines(config.canary)] };
}

function policyLines(policy: Policy, config: Config): readonly string[] {
  const what =
    policy.action === "rollback_immediate"
      ? "rolls the culprit back, by its flag if it is one and else by a rollback, inside the limits below"
      : "changes nothing: it notifies people of what it found and what it would do";
  const when =
    policy.conditions.length === 1 ? "when this holds for a service" : "when any of these holds for a service";
  return [
    `${policy.name}: ${what}, ${when}:`,
    ...under([
      ...policy.conditions.flatMap((condition) => conditionLines(condition, config)),
      ...notificationLines(policy.notification, config),
    ]),
  ];
}

function conditionLines(condition: Condition, config: Config): readonly string[] {
  if (condition.kind === "health") {
    const { failures, consecutive } = condition;
    const row = failures === 1 ? "" : consecutive ? " in a row" : " within 5m";
    return [
      `- a pod fails ${plural(failures, "readiness check")}${row} (not counting its start-up), or no pod of a new revision becomes ready in time`,
    ];
  }
  if (condition.kind === "regression") {
    const { metric, confidence } = condition;
    const once = Math.round(1 / (1 - confidence));
    return [
      `- ${metric} is worse than the service's own past, by a test with confidence ${confidence} (a false alarm in 1 of ${once} changes at most); no fixed duration`,
    ];
  }
  const { metric, threshold, upperBound, comparison, durationMs } = condition;
  const side = comparison === "greater_than" ? "above" : "below";
  const bound = upperBound === null ? "" : ` and at most ${figure(upperBound, metric, config)}`;
  const time =
    durationMs === 0 ? "in a single sample (its duration is 0)" : `for ${formatDuration(durationMs)} without a break`;
  const line = `- ${metric} is ${side} ${figure(threshold, metric, config)}${bound}, ${time}`;
  return upperBound === null
    ? [line]
    : [line, `  (samples above ${upperBound} count toward the ${formatDuration(durationMs)} too)`];
}

function notificationLines(targets: readonly string[], { notifications }: Config): readonly string[] {
  if (targets.length === 0) return ["Sends no notification by itself: it is in the ledger and on the terminal."];
  const why = (target: string) => whyUndelivered(target, notifications);
  const told = targets.filter((target) => why(target) === null);
  const lost = targets.flatMap((target) => (why(target) === null ? [] : `${target} (${why(target)})`));
  return [
    ...(told.length === 0 ? [] : [`Tells ${listed(told)}.`]),
    ...(lost.length === 0
      ? []
      : [`CAUTION: cannot tell ${listed(lost)}; it is only in the ledger and on the terminal.`]),
  ];
}

function whyUndelivered(target: string, notifications: Config["notifications"]): string | null {
  const name = target.slice(target.indexOf(":") + 1);
  if (target.startsWith("slack:")) return (notifications?.slack ?? null) === null ? "no notifications.slack" : null;
  const keys = notifications?.pagerduty?.routingKeys;
  if (keys === undefined) return "no notifications.pagerduty";
  return Object.hasOwn(keys, name) ? null : `no routing key for ${name}`;
}

function canaryLines(canary: CanaryPolicy | null): readonly string[] {
  if (canary === null) return ["Canaries: not judged (no canary_analysis)."];
  if (!canary.enabled) return ["Canaries: not judged (canary_analysis is not enabled)."];
  const { baselineDurationMs, comparisonMetrics, minimumConfidence, judge } = canary;
  const looks =
    judge === "kayenta"
      ? `By Kayenta's judge: one evaluation, after ${formatDuration(baselineDurationMs)}; a score of ${canary.kayenta.pass} passes, marginal is no pass.`
      : `By a sequential judge: after every sample, for ${formatDuration(baselineDurationMs)} at most; a verdict counts from a confidence of ${minimumConfidence}, for all metrics together.`;
  return [
    "Canaries: while two versions of a service serve, or a canary's workload beside the stable one's:",
    ...under([
      `Each is compared with the stable version beside it by ${listed(comparisonMetrics)}.`,
      looks,
      `Pass: ${canary.autoPromoteOnPass ? "a plan to promote it is filed, which a person approves (of an Argo Rollout, where rollout_promote is allowed; else it is said)" : "a person promotes it"}. Fail: ${canary.autoRollbackOnFail ? "it is rolled back, inside the limits below" : "a person decides"}. No data never passes.`,
    ]),
  ];
}
