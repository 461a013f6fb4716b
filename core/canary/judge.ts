import type { CanaryPolicy } from "../config/config.ts";
import { judgeAsKayenta } from "./kayenta/judge.ts";
import type { CanaryInput, CanaryJudgement, MetricJudgement } from "./model.ts";
import { judgeSequentially } from "./sequential.ts";

/** Judges by the configured judge, for the configured time and confidence. Pure. */
export function judgeCanary(
  input: Omit<CanaryInput, "boundMs" | "confidence" | "metrics"> & { readonly metrics?: readonly string[] | null },
  policy: Pick<CanaryPolicy, "judge" | "baselineDurationMs" | "minimumConfidence" | "comparisonMetrics" | "kayenta">,
): CanaryJudgement {
  const whole: CanaryInput = {
    ...input,
    metrics: input.metrics === undefined ? policy.comparisonMetrics : input.metrics,
    boundMs: policy.baselineDurationMs,
    confidence: policy.minimumConfidence,
  };
  return policy.judge === "kayenta" ? judgeAsKayenta(whole, policy.kayenta) : judgeSequentially(whole);
}

/** What follows from a judgement, under both judges. `ask`: a person decides. */
export interface CanaryConsequence {
  readonly action: "promote" | "take-back" | "wait" | "ask";
  readonly why: string;
}

/**
 * Our decision, not the judge's. Promotion needs a pass and every metric measured: no data never promotes, and marginal
 * is no pass. Taking back needs a metric that is worse: no data is no reason to act either (a Kayenta score can be 0
 * for want of data alone).
 */
export function consequenceOf(
  { verdict, metrics, why }: CanaryJudgement,
  policy: Pick<CanaryPolicy, "autoPromoteOnPass" | "autoRollbackOnFail">,
): CanaryConsequence {
  const first = why[0] ?? verdict;
  const unknown = metrics.filter((one) => one.verdict === "unknown");
  if (verdict === "continue") return { action: "wait", why: first };
  if (verdict === "pass") {
    if (metrics.length === 0 || unknown.length > 0)
      return { action: "ask", why: `it passed, but ${unmeasured(unknown, metrics)}: no data never promotes` };
    return policy.autoPromoteOnPass
      ? { action: "promote", why: first }
      : { action: "ask", why: `it passed; auto_promote_on_pass is off: a person promotes` };
  }
  if (verdict === "fail") {
    if (!metrics.some((one) => one.verdict === "worse"))
      return {
        action: "ask",
        why: `it failed for want of data alone (${unmeasured(unknown, metrics)}): no reason to act`,
      };
    return policy.autoRollbackOnFail
      ? { action: "take-back", why: first }
      : { action: "ask", why: `it failed; auto_rollback_on_fail is off: a person rolls it back` };
  }
  return { action: "ask", why: verdict === "marginal" ? `marginal is not a pass: ${first}` : first };
}

function unmeasured(unknown: readonly MetricJudgement[], all: readonly MetricJudgement[]): string {
  if (all.length === 0) return "nothing was compared";
  return `${unknown.map(({ metric }) => metric).join(", ")} ${unknown.length === 1 ? "is" : "are"} not known`;
}
