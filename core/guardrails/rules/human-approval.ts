import { approvalFacts, askedByExpressions } from "../../decision/approval-facts.ts";
import { ours } from "../../model/fenced.ts";
import { namesIn, sentenceFence } from "../../model/sentence-fence.ts";
import { allOf, type Rule } from "../rule.ts";

/**
 * `require_human_approval_if`: the situations in which the file asks for approval. A fact that cannot be computed
 * makes the expression true (S9). What the decision itself needs approval for counts too, without its own result of
 * the same expressions: they are evaluated again here, with what the plan really holds.
 */
export const humanApproval: Rule = {
  name: "human-approval",
  check({ plan, assessment, policy }) {
    if (assessment === null) return undefined;
    const { answers, findings, conditions, decision } = assessment;
    const probability = decision.culprit?.probability ?? null;
    const facts = approvalFacts({ answers, findings, conditions, probability, targets: plan.targets.length });
    const texts = policy.chain.flatMap((step) => step.requireHumanApprovalIf?.text ?? []);
    const others = decision.needsPerson.filter((reason) => !texts.some((text) => reason.includes(`"${text}"`)));
    const { sentence } = sentenceFence(namesIn(assessment));
    // The file's own expressions and figures: nothing in them is from outside.
    const asked = askedByExpressions(policy.chain, facts).map(ours);
    return allOf("require_approval", [...asked, ...others.map((one) => sentence(one))]);
  },
};
