import { isPager } from "../../core/guardrails/act-notice.ts";
import { outcomeWords } from "../../core/guardrails/approved-by.ts";
import { ruleLines } from "../../core/guardrails/as-of-now.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { incidentLines, incidentTitle } from "../../core/guardrails/incident-text.ts";
import { approvedIncidents, leftOut } from "../../core/guardrails/open-incidents.ts";
import { diffLines, planDiff } from "../../core/guardrails/plan-diff.ts";
import { answerProgress, progressLines, waysOn } from "../../core/guardrails/plan-progress.ts";
import type { Assessment } from "../../core/model/assessment.ts";
import type { ConditionState } from "../../core/model/finding.ts";
import type { Incident } from "../../core/model/incident.ts";
import { type ActionType, type GateAnswer, type GateReview, type Plan, takesBack } from "../../core/model/plan.ts";
import type { Notice } from "../../core/ports.ts";
import { isQuietNow } from "./acknowledge.ts";
import { holdBack, proposerOf, type Telling } from "./flood.ts";
import type { GateLimits, GateParts } from "./parts.ts";
import { entry } from "./reserve.ts";
import { say } from "./send-notice.ts";

/**
 * Tells people what the gate did not finish by itself: a plan that waits for them, or one that stopped half-way.
 * Tried once a plan and reason, written down as sent or as undelivered; a notifier that fails or hangs changes nothing.
 */
export async function tell(
  parts: GateParts,
  limits: GateLimits,
  plan: Plan,
  answer: GateAnswer,
  assessment: Assessment | null,
  telling: Telling,
): Promise<void> {
  if (answer.outcome !== "held" && answer.outcome !== "stopped") return;
  const key = `${plan.id} ${answer.outcome}`;
  if (telling.plans.has(key)) return;
  telling.plans.set(key, { plan: plan.id, proposer: proposerOf(plan) });
  try {
    await tellOnce(parts, limits, plan, answer, assessment, telling);
  } finally {
    telling.plans.delete(key);
  }
}

async function tellOnce(
  parts: GateParts,
  limits: GateLimits,
  plan: Plan,
  answer: GateAnswer,
  assessment: Assessment | null,
  telling: Telling,
): Promise<void> {
  const { store } = parts;
  const kinds = [LEDGER_KINDS.noticeSent, LEDGER_KINDS.noticeUndelivered, LEDGER_KINDS.noticeSuppressed];
  const told = await store.entries({ incidentId: plan.incidentId, kinds });
  if (told.some(({ planId, body }) => planId === plan.id && aboutOf(body) === answer.outcome)) return;
  const held = answer.outcome === "held";
  const asked = recipientsOf(parts, assessment?.conditions ?? []);
  // Whoever acknowledged the incident hears of a plan that needs them, where it wakes nobody. One that stopped is news.
  const quiet = held && (await isQuietNow(parts, plan.incidentId));
  const to = quiet ? asked.filter((one) => !isPager(one)) : asked;
  if (quiet && to.length === 0) {
    const detail = "the incident is acknowledged, and only a pager would be notified";
    await store.append(
      entry(plan, LEDGER_KINDS.noticeSuppressed, { about: answer.outcome, to: asked.join(", "), detail }),
    );
    return;
  }
  if (held && (await holdBack(parts, limits, plan, to, telling))) return;
  const title = `${capital(actOf(plan))}${held ? " needs a person" : `: ${outcomeWords(answer)}`}`;
  const why = held
    ? await whyOf(parts, plan, answer)
    : { lines: [...progressLines(answerProgress(answer)), ...waysOn(answerProgress(answer))] };
  const asks = held ? { asks: asksOf(plan, parts.config, answer.review) } : {};
  const said = { title, ...why, severity: held ? "warning" : "critical", ...asks } as const;
  await say(parts, limits, plan, to, said, { about: answer.outcome, proposer: proposerOf(plan), plan: plan.id });
}

/**
 * What people read of a plan that waits: the incident with its plan as the gate has answered it, and what else is open; of a
 * plan outside any incident, why it was proposed and what holds it.
 */
async function whyOf(
  { store, config }: GateParts,
  plan: Plan,
  answer: GateAnswer,
): Promise<Pick<Notice, "symptom" | "lines">> {
  const incident = await store.incident(plan.incidentId);
  const why = `Proposed by ${plan.proposedBy}: ${plan.reason}`;
  if (incident === null) {
    return { lines: [plan.reason, ...ruleLines(answer.review), `unship approve ${plan.id}`] };
  }
  const open = await store.incidents({ open: true }, leftOut);
  const approved = await approvedIncidents(
    open.filter(({ id }) => id !== incident.id),
    store,
    plan.createdAt,
  );
  const asked: Incident = { ...incident, plan, gate: answer, stage: "waiting-approval" };
  return {
    symptom: incidentTitle(incident, plan.createdAt),
    lines: [
      ...(plan.proposedBy === "watch" ? [] : [why]),
      ...incidentLines(asked, { now: plan.createdAt, open, services: config.services, approved }),
    ],
  };
}

/** Acts that take nothing back, as a headline calls them; every other one is a rollback. */
const NO_ROLLBACK: Partial<Record<ActionType, string>> = {
  rollout_promote: "promotion",
  rollout_pause: "pause",
  argocd_resume_auto_sync: "auto-sync",
};

/** What a plan would do, for a headline: "rollback of cart, checkout", "promotion of cart". */
export function actOf({ targets }: Pick<Plan, "targets">): string {
  const services = [...new Set(targets.map(({ service }) => service))].join(", ");
  const [first] = targets;
  const act = first === undefined || takesBack({ targets }) ? undefined : NO_ROLLBACK[first.action];
  return `${act ?? "rollback"} of ${services}`;
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * What people are asked to answer for: this plan, as it stands now. `review`: what the gate last said of it, which also
 * tells what moves with its targets, or comes back by itself (S13); null: not known.
 */
export const asksOf = (
  plan: Plan,
  config: GateParts["config"],
  review: GateReview | null,
): NonNullable<Notice["asks"]> => ({
  planId: plan.id,
  planHash: plan.hash,
  diff: diffLines(planDiff(plan, config, review ?? undefined)),
});

/** What a notice in the ledger was about: an outcome of the gate, a reminder, an escalation. */
export const aboutOf = (body: unknown): unknown =>
  typeof body === "object" && body !== null && "about" in body ? body.about : undefined;

/** Those whom the firing policies name; where none fires, those whom any policy names. */
export function recipientsOf(
  { config }: Pick<GateParts, "config">,
  conditions: readonly Pick<ConditionState, "policy" | "state">[],
): readonly string[] {
  const firing = new Set(conditions.filter(({ state }) => state === "firing").map(({ policy }) => policy));
  const spoken = config.policies.filter(({ name }) => firing.has(name));
  return [...new Set((spoken.length > 0 ? spoken : config.policies).flatMap(({ notification }) => notification))];
}
