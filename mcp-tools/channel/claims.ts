import { isAbout } from "../../core/guardrails/about-incident.ts";
import type { ActNotice } from "../../core/guardrails/act-notice.ts";
import { canonicalJson } from "../../core/guardrails/canonical-json.ts";
import { LEDGER_KINDS, WROTE_NOTHING } from "../../core/guardrails/gate-store.ts";
import { writtenTargets } from "../../core/model/deed.ts";
import { type Incident, isRecoveryConfirmed, isResidual } from "../../core/model/incident.ts";
import { GateAnswer, NO_INCIDENT, type Plan } from "../../core/model/plan.ts";
import { recordWithoutSecrets } from "../../core/model/secrets/deep.ts";
import type { Ledger, LedgerDraft } from "../../core/ports.ts";

/**
 * Kinds of entries that the agent may write: what it saw, argued and told. All others are the gate's word, or (a change
 * that proved healthy) something that widens what may happen next, which the gate has to see itself.
 */
const OF_THE_AGENT: readonly string[] = [
  "chain.finished",
  "canary.judged",
  "canary.promotion-proposed",
  "rollback.drifted",
  "incident.finished",
  "act.verified",
  "symptoms.residual",
  "symptoms.over",
  "postmortem.written",
  LEDGER_KINDS.noticeBegun,
  LEDGER_KINDS.noticeSent,
  LEDGER_KINDS.noticeUndelivered,
  LEDGER_KINDS.noticeSuppressed,
  LEDGER_KINDS.knowledgeForgotten,
];

/** As whom the agent's processes write: the watch, and the commands of whoever runs it. Every other name is somebody else's (S14). */
const AS_WHOM: readonly string[] = ["watch", "cli"];

/** What the gate alone writes into the record of a notice; what it is about is the gate's too, but for how an act ended. */
const OF_THE_GATES_NOTICES = ["about", "heldBack", "proposer"];
const OF_THE_AGENTS_NOTICES: ActNotice = "ended";

/** Why the agent may not write this entry; null: it may. */
export function whyNotWritten({ kind, actor, body }: LedgerDraft): string | null {
  if (!OF_THE_AGENT.includes(kind)) return "entries of this kind are the gate's alone";
  if (!AS_WHOM.includes(actor)) return `the agent signs as ${AS_WHOM.join(" or ")}, and as nobody else`;
  // By these the gate knows whom it has told already; one that is not its own would keep people in the dark.
  const about =
    typeof body === "object" &&
    body !== null &&
    OF_THE_GATES_NOTICES.some(
      (key) =>
        Object.hasOwn(body, key) && !(key === "about" && "about" in body && body.about === OF_THE_AGENTS_NOTICES),
    );
  return about ? "what the gate notified people of is written by the gate" : null;
}

/** Why the alerts of an incident may not be resolved: it is not recorded as recovered; null: they may. */
export async function whyNotOver(incidentId: string, ledger: Pick<Ledger, "incident">): Promise<string | null> {
  const incident = await ledger.incident(incidentId);
  if (incident?.stage === "closed" && isRecoveryConfirmed(incident)) return null;
  return "alerts are resolved only of an incident that is closed as recovered";
}

/** What the agent wrote, without the secrets that others put into it: nothing in the gate's ledger holds one (S10). */
export const storedDraft = (draft: LedgerDraft): LedgerDraft => ({ ...draft, body: recordWithoutSecrets(draft.body) });

/**
 * The same of an incident. Its plan is the one that the gate holds itself, and what the gate answered of each target is compared
 * with that byte by byte: both stay.
 */
export function storedIncident(incident: Incident): Incident {
  const { plan, gate, ...rest } = incident;
  const answered =
    gate === null ? null : { ...recordWithoutSecrets(gate), planId: gate.planId, results: gate.results.map(ofResult) };
  return { ...recordWithoutSecrets(rest), plan, gate: answered };
}

const ofResult = (one: GateAnswer["results"][number]): GateAnswer["results"][number] => ({
  ...recordWithoutSecrets(one),
  target: one.target,
});

/**
 * Why an incident does not say what the gate knows of it; null: it does. A plan in it must be the one that was proposed for
 * it, or one outside any incident that the gate answered and that takes back what this one names; what was written to a target must be what the gate answered, and what it closed with, or what its act was verified
 * with, stays: later decisions look back at all of that.
 */
export async function whyForged(
  incident: Incident,
  ledger: Pick<Ledger, "plan" | "entries" | "incident">,
): Promise<string | null> {
  const before = await ledger.incident(incident.id);
  if (before?.stage === "closed" && end(before) !== end(incident)) return "it is closed, and ended otherwise";
  if (before !== null && isResidual(before) && isSameAct(before, incident) && verdict(before) !== verdict(incident))
    return "its act was verified, with another outcome";
  return (await whyNotItsPlan(incident, ledger)) ?? whyNotAnswered(incident, ledger);
}

const isSameAct = (one: Incident, other: Incident): boolean => one.gate?.planId === other.gate?.planId;
const verdict = ({ outcome, recovery }: Incident): string => canonicalJson([outcome, recovery?.verdict ?? null]);
const end = ({ stage, outcome, recovery }: Incident): string =>
  canonicalJson([stage, outcome, recovery?.verdict ?? null]);

async function whyNotItsPlan(incident: Incident, ledger: Pick<Ledger, "plan">): Promise<string | null> {
  const { plan } = incident;
  if (plan === null) return null;
  const known = await ledger.plan(plan.id);
  if (known === null || canonicalJson(known) !== canonicalJson(plan))
    return "its plan is not the one that was proposed";
  return isOfIncident(known, incident) ? null : "its plan is of another incident";
}

/** An outside plan is an incident's once it was carried out, and never while it is only proposed. */
function isOfIncident(plan: Plan, incident: Incident): boolean {
  if (plan.incidentId !== NO_INCIDENT) return plan.incidentId === incident.id;
  const { gate } = incident;
  const isDone = gate?.planId === plan.id && writtenTargets({ gate }).length > 0;
  return isDone && isAbout(plan, { ...incident, plan: null });
}

async function whyNotAnswered(incident: Incident, ledger: Pick<Ledger, "plan" | "entries">): Promise<string | null> {
  const { gate } = incident;
  if (gate === null) return null;
  const plan = await ledger.plan(gate.planId);
  if (plan === null) return "its answer is of no plan";
  if (!isOfIncident(plan, incident)) return "its answer is of another incident";
  if (gate.results.every(({ result }) => WROTE_NOTHING.includes(result))) return null;
  const answered = await ledger.entries({ incidentId: plan.incidentId, kinds: [LEDGER_KINDS.planAnswered] });
  const mine = essence(gate);
  const same = answered.some(({ planId, body }) => {
    const answer = GateAnswer.safeParse(body);
    return planId === gate.planId && answer.success && essence(answer.data) === mine;
  });
  return same ? null : "the gate never answered so";
}

const essence = ({ planId, outcome, executedAt, results }: GateAnswer): string =>
  canonicalJson([
    planId,
    outcome,
    executedAt,
    results.map(({ target, result, untouched = null, carriedOut = null }) => ({
      target,
      result,
      untouched,
      carriedOut,
    })),
  ]);
