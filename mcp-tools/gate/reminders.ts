import { isToldOtherwise, saidOfAct } from "../../core/guardrails/act-notice.ts";
import { twoPersonReasons, whyNotFor } from "../../core/guardrails/approver-rights.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { incidentTitle, unansweredText } from "../../core/guardrails/incident-text.ts";
import { leftOut } from "../../core/guardrails/open-incidents.ts";
import { reviewIn } from "../../core/guardrails/written-review.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { GateReview, Plan } from "../../core/model/plan.ts";
import { durationText } from "../../core/model/time.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { enoughApprovals } from "./approvals.ts";
import { isHeldBack } from "./flood.ts";
import { aboutOf, actOf, asksOf, capital } from "./notices.ts";
import type { GateConfig, GateLimits, GateParts } from "./parts.ts";
import { say } from "./send-notice.ts";

/** One more time to tell people of a plan that waits: how long after it was held, and whom. */
interface Step {
  /** Names it in the ledger, so that it happens once. */
  readonly about: string;
  readonly afterMs: number;
  readonly to: readonly string[];
}

/**
 * Reminds those who were asked, once, and then tells the next in line, step by step, of every plan of an open incident
 * that still waits for a person and that its evidence still calls for. Each is written down as sent or undelivered, whatever the notifier does. May be called
 * at any rate; what was told before, by any process, is not told again. `quiet`: incidents that somebody acknowledged,
 * of which nobody is reminded meanwhile.
 */
export async function remind(parts: GateParts, limits: GateLimits, quiet: ReadonlySet<string>): Promise<void> {
  const { store, config } = parts;
  const kinds = [LEDGER_KINDS.planReviewed, LEDGER_KINDS.noticeSent, LEDGER_KINDS.noticeUndelivered];
  for (const incident of await store.incidents({ open: true }, leftOut)) {
    const { id } = incident;
    if (quiet.has(id)) continue;
    const entries = await store.entries({ incidentId: id, kinds });
    const held = entries.filter(isHeld);
    for (const planId of new Set(held.map((one) => one.planId))) {
      const first = held.find((one) => one.planId === planId);
      if (planId === null || first === undefined || !isWanted(planId, incident)) continue;
      const own = entries.filter((one) => one.planId === planId);
      const due = await dueSteps(planId, first, own, parts, config);
      if (due === null) continue;
      const review = reviewIn(held.findLast((one) => one.planId === planId));
      for (const step of due.steps) await repeat(step, { ...due, incident, review, since: first.at }, parts, limits);
    }
  }
}

/**
 * Whether a plan is what its incident still calls for, as people were told. Where the evidence has turned against it people hear of
 * that; the plan can be answered as before, and nobody is reminded of it. When it turns back for a moment, a reminder would take back
 * what they heard, and nothing would say so once the moment is over: it waits until the watch has told them that it is held again.
 */
function isWanted(planId: string, incident: Pick<Incident, "plan" | "decision" | "word">): boolean {
  const { plan, decision } = incident;
  if (plan?.id !== planId || decision === null) return true;
  const calls = decision.action === "rollback" || decision.action === "feature_flag_disable";
  return calls && !isToldOtherwise(incident, saidOfAct(decision));
}

interface Due {
  readonly plan: Plan;
  readonly now: number;
  readonly steps: readonly Step[];
}

async function dueSteps(
  planId: string,
  first: LedgerEntry,
  told: readonly LedgerEntry[],
  { store, clock }: GateParts,
  config: GateConfig,
): Promise<Due | null> {
  return store.transact(async (tx) => {
    const plan = await tx.plan(planId);
    // A review without its plan is the audit's to find; nobody can be asked to approve it.
    if (plan === null) return null;
    const none = { plan, now: tx.now, steps: [] } as const;
    if (tx.now >= plan.expiresAt) return none;
    const { permit, approvals } = await tx.facts(plan, 0);
    const answered = permit !== null || approvals.some(({ answer }) => answer === "reject");
    const enough = enoughApprovals(plan, approvals, { now: tx.now, clockNow: clock.now() }, config);
    if (answered || enough.length > 0 || told.some(isHeldBack)) return none;
    const done = new Set(told.map(({ body }) => aboutOf(body)));
    const asked = told.flatMap(({ body }) => (aboutOf(body) === "held" ? recipientOf(body) : []));
    const steps = stepsOf(config, asked).filter(
      ({ about, afterMs }) => !done.has(about) && tx.now - first.at >= afterMs,
    );
    return { plan, now: tx.now, steps };
  });
}

function stepsOf({ approval }: GateConfig, asked: readonly string[]): readonly Step[] {
  return [
    { about: "reminder", afterMs: approval.remindAfterMs, to: [...new Set(asked)] },
    ...approval.escalate.map(({ afterMs, to }, index) => ({ about: `escalation ${index + 1}`, afterMs, to })),
  ];
}

interface Waiting extends Pick<Due, "plan" | "now"> {
  readonly incident: Incident;
  /** What the gate last said when it held the plan; null: nobody can read that any more. */
  readonly review: GateReview | null;
  readonly since: number;
}

async function repeat(
  step: Step,
  { plan, now, incident, review, since }: Waiting,
  parts: GateParts,
  limits: GateLimits,
) {
  const { config } = parts;
  const waited = durationText(now - since);
  const isReminder = step.about === "reminder";
  const title = isReminder
    ? `${capital(actOf(plan))} still needs a person`
    : `Nobody has answered: ${actOf(plan)} needs a person`;
  const able = config.approvers.filter((one) =>
    plan.targets.every((target) => whyNotFor(one, target, config.services) === null),
  );
  const two = twoPersonReasons(plan.targets, config).length > 0;
  const lines = [
    plan.reason,
    `It has waited for ${waited}, and expires in ${durationText(plan.expiresAt - now)}: ${unansweredText(plan)}.`,
    `${two ? "Two of these have to approve" : "One of these may approve"}: ${able.length === 0 ? "nobody in the file" : able.map(({ name }) => name).join(", ")}`,
    `unship approve ${plan.id}`,
  ];
  const said = {
    title,
    symptom: incidentTitle(incident, now),
    lines,
    severity: isReminder ? "warning" : "critical",
    asks: asksOf(plan, config, review),
  } as const;
  await say(parts, limits, plan, step.to, said, { about: step.about });
}

/** When the gate said that the plan waits for a person: from then on people are waited for, told or not. */
const isHeld = ({ kind, body }: LedgerEntry): boolean =>
  kind === LEDGER_KINDS.planReviewed &&
  typeof body === "object" &&
  body !== null &&
  "outcome" in body &&
  body.outcome === "held";

function recipientOf(body: unknown): readonly string[] {
  return typeof body === "object" && body !== null && "to" in body && typeof body.to === "string" ? [body.to] : [];
}
