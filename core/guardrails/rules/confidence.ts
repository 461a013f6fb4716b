import { ours, own } from "../../model/fenced.ts";
import { likelihoodBelow } from "../../model/likelihood.ts";
import { allOf, type Rule } from "../rule.ts";

/**
 * A culprit whose probability is below the threshold may be reported, not acted upon without approval
 * (`confidence_threshold`, S12).
 */
export const confidence: Rule = {
  name: "confidence",
  check({ assessment, policy }) {
    if (assessment === null) return undefined;
    const probability = assessment.decision.culprit?.probability ?? null;
    const thresholds = policy.chain.flatMap(({ confidenceThreshold }) =>
      confidenceThreshold === null ? [] : [confidenceThreshold],
    );
    const correlation = assessment.answers.correlate_timing;
    if (correlation !== undefined && !correlation.reached) thresholds.push(correlation.threshold);
    const needed = Math.max(...thresholds);
    if (probability === null) return allOf("require_approval", [own`the gate's own assessment names no culprit`]);
    if (thresholds.length === 0 || (probability >= needed && correlation?.reached !== false)) return undefined;
    return allOf("require_approval", [own`the culprit's probability is ${ours(likelihoodBelow(probability, needed))}`]);
  },
};
