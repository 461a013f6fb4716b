import { z } from "zod";
import type { GateReview, Target } from "../core/model/plan.ts";
import { GuardrailVerdict } from "../core/model/plan.ts";
import { cleanText, name } from "../core/model/untrusted-text.ts";
import { page } from "./page.ts";

/** A target as people read it. */
export function targetText({ action, object, service, expected, restore }: Target): string {
  const what = `${name(object.kind)} ${name(object.namespace)}/${name(object.name)} (${name(service)})`;
  if (expected.version === restore.version && action !== "feature_flag_disable" && action !== "kubectl_rollout_undo")
    return `${action}: ${what} at ${name(expected.version)}, from ${name(expected.revision)} to ${name(restore.revision)}`;
  return `${action}: ${what} from ${name(expected.version)} back to ${name(restore.version)}`;
}

/** Every rule of the gate that spoke, the strictest first. */
export const RuleView = z.strictObject({ rule: z.string(), verdict: GuardrailVerdict, reason: z.string() });

const FORCE: readonly GuardrailVerdict[] = ["deny", "require_approval", "allow"];

/** A rule speaks once a target at most; whoever needs all of a large plan's reads the ledger. */
const RULES = 20;

export function ruleViews(review: GateReview): z.infer<typeof RuleView>[] {
  const views = review.rules
    .toSorted((a, b) => FORCE.indexOf(a.verdict) - FORCE.indexOf(b.verdict))
    .slice(0, RULES)
    .map(({ rule, verdict, reason }) => ({ rule: name(rule), verdict, reason: cleanText(reason, 400) }));
  return [...page(views, { limit: RULES, question: "" }).items];
}

/** What a caller can do about a review: approving is for a person with a token, never for MCP (S3). */
export function nextStep(planId: string, verdict: GuardrailVerdict): string {
  if (verdict === "allow") return `call submit_plan with plan_id ${planId}; the gate decides afresh then`;
  if (verdict === "deny") return "nothing can approve this plan; read the rules that deny it and tell a person";
  return `needs a person: run \`unship approve ${planId}\`; the watch or the gate then executes it, and submit_plan says what came of it`;
}
