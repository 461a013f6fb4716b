import type { LiveJudgement } from "../../core/canary/live.ts";
import type { Config } from "../../core/config/config.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { NO_INCIDENT, type Target } from "../../core/model/plan.ts";
import { RETRY_STEPS } from "./acting.ts";
import type { Flights } from "./flights.ts";
import type { WatchParts } from "./ports.ts";
import { results, verdictText } from "./wording.ts";

/** The kind of the ledger's entries that say which plan would promote which canary. */
export const PROMOTION_PROPOSED = "canary.promotion-proposed";

/**
 * What would promote a canary; null where nothing here can: it is no Argo Rollout, or the file does not allow
 * rollout_promote. The version stays; what changes is that it is promoted.
 */
export function promotionOf(
  { change, service, version }: Pick<LiveJudgement, "change" | "service" | "version">,
  { allowedActions }: Pick<Config, "allowedActions">,
): Target | null {
  const { workload, toRevision } = change;
  if (workload?.kind !== "Rollout" || toRevision === undefined) return null;
  if (!allowedActions.some(({ type }) => type === "rollout_promote")) return null;
  return {
    action: "rollout_promote",
    service,
    changeId: change.id,
    object: workload,
    ...(change.environment === undefined ? {} : { environment: change.environment }),
    expected: { version, revision: toRevision },
    restore: { version, revision: "promoted" },
  };
}

/**
 * Puts the promotion of a canary that passes before the gate, once, and before it again when a person approved it. The
 * gate holds it for that person: nothing is wrong, so no automatic condition can stand behind it (S1). A plan that
 * expired is not filed again, since that means no; one of a canary that passes no more is not submitted.
 */
export interface PromotionDesk {
  /** `may`: whether anything of this service may be promoted now. One that has no answer yet holds up no other. */
  look(live: readonly LiveJudgement[], now: number, may: (service: string) => boolean): Promise<void>;
}

export function createPromotionDesk(
  parts: Pick<WatchParts, "config" | "ledger" | "gate" | "emit">,
  flights: Pick<Flights, "run">,
): PromotionDesk {
  const { config, ledger, gate, emit } = parts;
  let plans: Map<string, string> | null = null;
  const submitted = new Set<string>();
  /** Plan → when the gate denied it last, Unix ms: a pause ends, and a yes that was given is not lost by it. */
  const denied = new Map<string, number>();

  async function propose(one: LiveJudgement, target: Target, known: Map<string, string>, now: number): Promise<void> {
    const reason = `${one.service} ${one.version} passes beside ${one.stable}: ${one.consequence.why}`;
    const draft = { incidentId: NO_INCIDENT, targets: [target], reason, proposedBy: "watch" };
    const { plan, review } = await gate.propose(draft);
    known.set(one.change.id, plan.id);
    const body = { changeId: one.change.id };
    await ledger.append({ kind: PROMOTION_PROPOSED, incidentId: null, planId: plan.id, actor: "watch", body });
    const next = review.verdict === "deny" ? "" : `unship approve ${plan.id} — `;
    const text = `${one.service} ${one.version} would be promoted: ${next}${verdictText(review)}`;
    emit({ at: now, event: "canary.judged", text, incident: null });
  }

  async function goOn(one: LiveJudgement, target: Target, now: number): Promise<void> {
    plans ??= await proposedBefore(ledger);
    const planId = plans.get(one.change.id);
    if (planId === undefined) return propose(one, target, plans, now);
    if (submitted.has(planId) || !(await isApproved(ledger, planId))) return;
    if (((await ledger.plan(planId))?.expiresAt ?? 0) <= now) {
      submitted.add(planId); // its time is over, whatever held it: asking on would only fill the ledger
      return;
    }
    const last = denied.get(planId);
    if (last !== undefined && now - last < RETRY_STEPS * config.watch.stepMs) return;
    const answer = await gate.submit(planId);
    if (answer.outcome === "held" || answer.outcome === "in-progress") return;
    if (answer.outcome !== "denied") submitted.add(planId);
    else denied.set(planId, now);
    if (last !== undefined && answer.outcome === "denied") return;
    const said = answer.results.length > 0 ? results(answer) : verdictText(answer.review);
    const text = `promotion of ${one.service} ${one.version}: ${answer.outcome}; ${said}`;
    emit({ at: now, event: "canary.judged", text, incident: null });
  }

  return {
    async look(live, now, may) {
      for (const one of live) {
        const target = one.consequence.action === "promote" ? promotionOf(one, config) : null;
        if (target === null || !may(one.service)) continue;
        await flights.run(`promotion of ${one.service} ${one.version}`, () => goOn(one, target, now));
      }
    },
  };
}

async function proposedBefore(ledger: WatchParts["ledger"]): Promise<Map<string, string>> {
  const plans = new Map<string, string>();
  for (const { body, planId } of await ledger.entries({ kinds: [PROMOTION_PROPOSED] })) {
    if (planId === null || typeof body !== "object" || body === null || !("changeId" in body)) continue;
    plans.set(String(body.changeId), planId);
  }
  return plans;
}

async function isApproved(ledger: WatchParts["ledger"], planId: string): Promise<boolean> {
  return (await ledger.entries({ planId, kinds: [LEDGER_KINDS.approvalGiven], limit: 1 })).length > 0;
}
