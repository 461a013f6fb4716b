import { z } from "zod";
import { againstLines, asOfNow, type StandingNow } from "../core/guardrails/as-of-now.ts";
import { planWords } from "../core/guardrails/incident-text.ts";
import { livingYes, type PlanCase, planView } from "../core/guardrails/waiting-plans.ts";
import { type AllFenced, type Fenced, joined, ours, own } from "../core/model/fenced.ts";
import type { SentenceFence } from "../core/model/sentence-fence.ts";
import { rfc3339 } from "../core/model/time.ts";
import { name } from "../core/model/untrusted-text.ts";
import type { ToolContext } from "./context.ts";
import { page } from "./page.ts";

/** A plan with what holds it, who may approve it and who did: the facts of `unship approve` and `/v1/plans`. */
export const WaitingPlan = z.strictObject({
  plan: z.string(),
  incident: z.string().nullable(),
  does: z.string(),
  state: z.enum(["submitted", "rejected", "expired", "superseded", "approved", "denied", "waiting", "proposed"]),
  against: z.array(z.string()),
  may_approve: z.array(z.string()),
  people_needed: z.number(),
  approved_by: z.array(z.string()),
  expires_at: z.string(),
  answer: z.string().nullable(),
});
export type WaitingPlan = AllFenced<z.infer<typeof WaitingPlan>>;

/** So many rules and approvers are named; the plan's resource has them all. */
const NAMED = 8;

/** `sentence`: the fence of what the plan is about. `config`: by whose limits and approvers it is answered. */
export function waitingView(
  one: PlanCase,
  { config }: Pick<ToolContext, "config">,
  standing: StandingNow,
  sentence: SentenceFence["sentence"],
): WaitingPlan {
  const { plan, review } = one;
  const { incident, state, may_approve, people_needed } = planView(one, config, standing);
  const against = review === null ? [] : againstLines(asOfNow(review, standing));
  const named = <T extends Fenced>(all: readonly T[]) => [...page(all, { limit: NAMED, question: "" }).items];
  return {
    plan: name(plan.id),
    incident: incident === null ? null : name(incident),
    does: sentence(planWords(plan), 400),
    state,
    against: named(against.map((line) => sentence(line, 300))),
    may_approve: named(may_approve.map((who) => name(who))),
    people_needed,
    approved_by: named(livingYes(one, standing.now).map((who) => name(who))),
    expires_at: rfc3339(plan.expiresAt),
    answer: state === "waiting" ? own`unship approve ${name(plan.id)}` : null,
  };
}

/** "ada"; "one of ada, grace"; "two of ada, grace"; that the file names too few. */
export function approversText({ may_approve, people_needed }: WaitingPlan): Fenced {
  if (may_approve.length === 0) return own`a person (the file names nobody who may)`;
  const who = joined(may_approve.map(ours), ", ");
  if (may_approve.length < people_needed) return own`two persons (the file names only ${who})`;
  if (may_approve.length === 1) return who;
  return own`${people_needed === 2 ? "two" : "one"} of ${who}`;
}
