import { z } from "zod";
import { whyNotFromHere } from "../core/decision/hotfix-text.ts";
import { isCompared } from "../core/model/candidate.ts";
import { type AllFenced, type Fenced, ours, own } from "../core/model/fenced.ts";
import { type Incident, isResidual } from "../core/model/incident.ts";
import { approversText, type WaitingPlan } from "./waiting-view.ts";

/** The tool to call next, with its arguments, and why. Only such as read. */
export const NextCall = z.strictObject({
  tool: z.string(),
  arguments: z.record(z.string(), z.union([z.string(), z.number()])),
  why: z.string(),
});
export type NextCall = AllFenced<z.infer<typeof NextCall>>;

/** So long a caller is told to wait: as long as a call may, and longer than the watch's usual step. */
const WAIT_SECONDS = 50;

/** "call get_incident {…}: why". */
export const callText = ({ tool, arguments: given, why }: NextCall): Fenced =>
  own`call ${tool} ${ours(JSON.stringify(given))}: ${why}`;

type Told = AllFenced<Pick<Incident, "id" | "stage" | "outcome" | "decision" | "ranking" | "obstacles">>;

/** What to do about an open incident, and the call that shows whether it is done. `plan`: the one that is told with it. */
export function nextOf(incident: Told, plan: WaitingPlan | null): NextCall {
  const { id, stage, decision, ranking } = incident;
  const call = (tool: "get_incident" | "explain_decision" | "rank_candidates" | "get_findings", why: Fenced) => ({
    tool: own`${tool}`,
    arguments: tool === "get_incident" ? { incident: id, wait_seconds: WAIT_SECONDS } : { incident: id },
    why,
  });
  if (isResidual(incident))
    return call("get_findings", own`its act did not prove to help: see what is degraded still, and ask a person`);
  if (stage === "verifying")
    return call("get_incident", own`it shows whether the services recover; propose nothing meanwhile`);
  if (plan !== null) return call("get_incident", ofPlan(plan));
  if (stage === "executing")
    return call("get_incident", own`the gate judges or executes its plan; propose nothing meanwhile`);
  if (stage === "waiting-policy")
    return call("get_incident", own`unship acts by itself once the duration of the policy is over`);
  if (stage === "detected") return call("get_incident", own`the cause is not determined yet; it shows what is decided`);
  if (decision === null || ranking === null || !isCompared(ranking))
    return call("rank_candidates", own`the culprit is not determined yet`);
  if (decision.action === "no_action") return call("explain_decision", own`it says why nothing is rolled back`);
  if (decision.action === "hotfix_recommendation")
    return call("explain_decision", own`a person has to fix it by hand; it says what and how`);
  if (whyNotFromHere(decision, incident.obstacles) !== null)
    return call("explain_decision", own`it cannot be rolled back from here; ask a person`);
  return call("get_incident", own`it was decided, and its plan is not with the gate yet`);
}

/** What becomes of a plan, and what a person can do about it. */
export function ofPlan(plan: WaitingPlan): Fenced {
  switch (plan.state) {
    case "waiting":
      return own`ask ${approversText(plan)} to run \`unship approve ${plan.plan}\`; it shows the answer`;
    case "approved":
      return own`it was approved: it shows when it is executed; propose nothing meanwhile`;
    case "denied":
      return own`the gate denied its plan: ask a person about the rules that deny it`;
    case "expired":
    case "superseded":
      return own`its plan can no longer be approved; the watch files a new one where its decision is the same`;
    case "rejected":
      return own`a person rejected its plan: ask them what to do`;
    case "submitted":
    case "proposed":
      return own`its plan is with the gate; propose nothing meanwhile`;
  }
}
