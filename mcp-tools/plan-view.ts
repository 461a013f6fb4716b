import { z } from "zod";
import { isDeniedForNow } from "../core/guardrails/common-limits.ts";
import { type AllFenced, type Fenced, joined, own } from "../core/model/fenced.ts";
import type { GateReview, Target } from "../core/model/plan.ts";
import { GuardrailVerdict } from "../core/model/plan.ts";
import type { SentenceFence } from "../core/model/sentence-fence.ts";
import { name } from "../core/model/untrusted-text.ts";
import { page } from "./page.ts";

/** A target as people read it. */
export function targetText({ action, object, service, expected, restore }: Target): Fenced {
  const what = own`${name(object.kind)} ${name(object.namespace)}/${name(object.name)} (${name(service)})`;
  if (expected.version === restore.version && action !== "feature_flag_disable" && action !== "kubectl_rollout_undo")
    return own`${action}: ${what} at ${name(expected.version)}, from ${name(expected.revision)} to ${name(restore.revision)}`;
  return own`${action}: ${what} from ${name(expected.version)} back to ${name(restore.version)}`;
}

/** Every rule of the gate that spoke, the strictest first. */
export const RuleView = z.strictObject({ rule: z.string(), verdict: GuardrailVerdict, reason: z.string() });

const FORCE: readonly GuardrailVerdict[] = ["deny", "require_approval", "allow"];

/** A rule speaks once a target at most; whoever needs all of a large plan's reads the ledger. */
const RULES = 20;

/** `sentence`: the fence of what the plan is about. The gate fences what it names; a ledger may hold reviews from before it did. */
export function ruleViews(
  review: GateReview,
  sentence: SentenceFence["sentence"],
): AllFenced<z.infer<typeof RuleView>>[] {
  const views = review.rules
    .toSorted((a, b) => FORCE.indexOf(a.verdict) - FORCE.indexOf(b.verdict))
    .slice(0, RULES)
    .map(({ rule, verdict, reason }) => ({ rule: name(rule), verdict, reason: sentence(reason, 400) }));
  return [...page(views, { limit: RULES, question: "" }).items];
}

/**
 * What a caller can do about a review: approving is for a person with a token, never for MCP (S3). `by`: who has approved the
 * plan, of whom it counts still.
 */
export function nextStep(
  planId: string,
  review: Pick<GateReview, "verdict" | "rules">,
  by: readonly string[] = [],
): Fenced {
  const plan = name(planId);
  if (review.verdict === "allow") return own`call submit_plan with plan_id ${plan}; the gate decides afresh then`;
  if (review.verdict === "deny" && by.length > 0)
    return own`approved by ${joined(
      by.map((one) => name(one)),
      ", ",
    )}: the watch or the gate executes it as soon as nothing denies it any more; tell a person what denies it now`;
  if (isDeniedForNow(review))
    return own`denied for as long as the rules that deny it say; a person can answer it meanwhile: \`unship approve ${plan}\``;
  if (review.verdict === "deny")
    return own`an approval changes nothing of what denies this plan; read the rules that deny it and tell a person`;
  return needsPerson(planId);
}

/** What becomes of a plan that was approved and is not carried out yet. `by`: who approved it. */
export const runsWhenItMay = (by: readonly string[]): Fenced =>
  own`approved by ${joined(
    by.map((one) => name(one)),
    ", ",
  )}: the watch or the gate executes it at its next evaluation unless a rule denies it; where that takes long, ask a person whether a watch runs (unship status)`;

/** What a caller can do about a plan that waits for a person. */
export function needsPerson(planId: string): Fenced {
  const plan = name(planId);
  return own`needs a person: run \`unship approve ${plan}\`; the watch or the gate then executes it, and submit_plan says the outcome`;
}
