import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { Assessment } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import { type GateAnswer, REASON_CHARS } from "../../core/model/plan.ts";
import { durationText } from "../../core/model/time.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { wrote } from "./adopting.ts";
import { awaitsModel } from "./arguing.ts";
import { claim, type Holder, LONGEST_RETRY_MS, NOTHING_WRITTEN, SUBMITTED } from "./earlier.ts";
import { active, advance, note } from "./incident-state.ts";
import { correctWord, tellDone, tellWord, withWord, wordOfAct } from "./last-word.ts";
import { PLAN_EXPIRED } from "./passed.ts";
import { emit, escalate, type Pursuit } from "./pursuit.ts";
import { results, reviewText, ruleNames, verdictText } from "./wording.ts";

/** What people hear, once an incident, where the evidence calls for what one of them refused. */
const REFUSED = "The evidence calls for what a person refused before: it is not filed again, and nothing is undone.";

/** Files the plan (again, if the targets changed) and goes through the gate as far as policy lets it. */
export async function actOrWait(before: Incident, assessment: Assessment, pursuit: Pursuit): Promise<void> {
  const { parts, caseFile, save } = pursuit;
  const now = caseFile.at;
  const { decision, targets } = assessment;
  const word = wordOfAct(decision);
  const rest = async (incident: Incident) => save(await correctWord(incident, word, pursuit));
  const pending = active(assessment.conditions).find(({ state, firesAt }) => state === "pending" && firesAt !== null);
  if (!decision.automatic && before.plan === null && pending !== undefined) {
    if (before.stage === "waiting-policy") return rest(before);
    const left = Math.max(0, (pending.firesAt ?? now) - now);
    return rest(
      advance(before, "waiting-policy", now, "waiting for policy", `${pending.text} holds in ${durationText(left)}`),
    );
  }
  if (decision.automatic && before.plan === null && awaitsModel(before, now, parts.config)) return rest(before);
  let incident = before;
  if (incident.plan === null && restsAfterNothing(incident, now, pursuit)) return rest(incident);
  if (incident.plan === null || !sameTargets(incident.plan.targets, targets) || incident.plan.expiresAt <= now) {
    if (await pursuit.earlier.isRefused(targets)) {
      const refused = { ...word, headline: REFUSED };
      return save(waiting(await correctWord(await tellWord(incident, refused, pursuit), refused, pursuit)));
    }
    const holder = claim(targets, incident, { open: pursuit.open(), claims: pursuit.claims, now });
    if (holder !== null) return rest(waiting(waitsFor(incident, holder, now)));
    const { plan, review } = await parts.gate.propose({
      incidentId: incident.id,
      targets,
      // A long cascade has much to say; a plan that is refused for that would leave it burning.
      reason: decision.why.join("; ").slice(0, REASON_CHARS).toWellFormed(),
      proposedBy: "watch",
    });
    incident = note({ ...withExpiry(incident, now), plan, gate: null }, now, PROPOSED, `${plan.id}: ${review.verdict}`);
    emit(pursuit, "plan.reviewed", ruleNames(review), incident);
    await save(incident);
  }
  if (incident.plan === null || !isWorthAsking(incident, assessment, pursuit)) return rest(waiting(incident));
  await submit(incident, incident.plan.id, pursuit);
}

/** The incident with a line for its plan, where that waited for a person until its time was over. */
function withExpiry(incident: Incident, now: number): Incident {
  const { plan, gate } = incident;
  if (plan === null || gate?.outcome !== "held" || plan.expiresAt > now) return incident;
  return note(incident, now, PLAN_EXPIRED, `${plan.id}: nobody answered it in time`);
}

/** A plan that the gate has answered and did not execute waits, also when the decision went and came back meanwhile. */
function waiting(incident: Incident): Incident {
  return incident.gate === null ? incident : { ...incident, stage: "waiting-approval" };
}

/** Asks the gate to execute the plan, and goes on from its answer. */
export async function submit(incident: Incident, planId: string, pursuit: Pursuit): Promise<void> {
  const executing = advance(incident, "executing", pursuit.caseFile.at, SUBMITTED, planId);
  await pursuit.save(executing);
  await settle(executing, incident, await pursuit.parts.gate.submit(planId), pursuit);
}

/** Whether a person has answered the incident's plan since the gate last judged it, while it can still be used. */
export async function answeredByPerson(incident: Incident, pursuit: Pursuit): Promise<boolean> {
  const last = (await answersTo(incident, pursuit)).at(-1);
  return last !== undefined && last.kind !== LEDGER_KINDS.planReviewed;
}

/**
 * Whether a person approved the incident's plan, the gate denies it for a time (a pause, a freeze, a busy target), and it is time to ask
 * again: after pauses as long as those of `isWorthAsking`. A yes is not lost because something else stood in the way when it came.
 */
export async function isApprovedAndDue(incident: Incident, pursuit: Pursuit): Promise<boolean> {
  if (incident.gate?.outcome !== "denied") return false;
  const answers = await answersTo(incident, pursuit);
  const answer = answers.findLast(({ kind }) => kind !== LEDGER_KINDS.planReviewed);
  if (answer?.kind !== LEDGER_KINDS.approvalGiven) return false;
  return hasRested(pursuit.earlier.tries(incident, SUBMITTED), pursuit.caseFile.at, pursuit.parts);
}

/** What the gate and people said of the incident's plan, by the ledger's order, not by clocks: its time may be ahead of this process's. Empty where it can no longer be used. */
async function answersTo({ id, plan, gate }: Incident, { parts, caseFile }: Pursuit): Promise<readonly LedgerEntry[]> {
  if (plan === null || gate === null || plan.expiresAt <= caseFile.at) return [];
  const kinds = [LEDGER_KINDS.planReviewed, LEDGER_KINDS.approvalGiven, LEDGER_KINDS.approvalRejected];
  return (await parts.ledger.entries({ incidentId: id, kinds })).filter(({ planId }) => planId === plan.id);
}

const ELSEWHERE = "waiting for another plan";

/** The incident with a line, once, that its target is in a plan of another one. */
function waitsFor(incident: Incident, holder: Holder, now: number): Incident {
  if (incident.timeline.some(({ event }) => event === ELSEWHERE)) return incident;
  return note(incident, now, ELSEWHERE, `${holder.plan} of ${holder.id} would change the same object`);
}

/** After plans that wrote nothing the next one waits, twice as long each time: a target that is down is not hammered. */
function restsAfterNothing(incident: Incident, now: number, { parts, earlier }: Pursuit): boolean {
  const tries = earlier.tries(incident, NOTHING_WRITTEN);
  const last = tries.at(-1);
  if (last === undefined) return false;
  const pause = RETRY_STEPS * parts.config.watch.stepMs * 2 ** (tries.length - 1);
  return now - last < Math.min(pause, LONGEST_RETRY_MS);
}

/** The first pause before the gate is asked again, in steps; it doubles up to `LONGEST_RETRY_MS`. */
export const RETRY_STEPS = 5;

/**
 * Asks the gate again when the evidence calls for an automatic action and what held the plan may have passed. What
 * only a person can answer is not asked again.
 */
function isWorthAsking(incident: Incident, { decision, at }: Assessment, { parts, earlier }: Pursuit): boolean {
  const isAnswered = incident.gate !== null;
  if (isAnswered && (!decision.automatic || decision.needsPerson.length > 0)) return false;
  // A new plan is asked for at once, unless an incident that closed lately asked for the same.
  const tries = isAnswered ? earlier.tries(incident, SUBMITTED) : earlier.before(incident, SUBMITTED);
  return hasRested(tries, at, parts);
}

/** Whether long enough has passed since it was asked last: as long as it has been asked for, `RETRY_STEPS` at least. */
function hasRested(tries: readonly number[], at: number, { config }: Pick<Pursuit["parts"], "config">): boolean {
  const last = tries.at(-1);
  if (last === undefined) return true;
  const pause = Math.max(RETRY_STEPS * config.watch.stepMs, last - (tries[0] ?? last));
  return at - last >= Math.min(pause, LONGEST_RETRY_MS);
}

const PROPOSED = "plan proposed";
const LET_GO = "allowed";

/** Whether people were told last that the gate would not let this plan go by itself: then they hear what changed, too. */
function answeredOtherwise({ gate, timeline }: Incident, { planId, review }: GateAnswer): boolean {
  if (gate !== null) return gate.review.verdict !== review.verdict;
  const proposed = timeline.findLast(({ event, detail }) => event === PROPOSED && detail.startsWith(`${planId}: `));
  return proposed !== undefined && proposed.detail !== `${planId}: ${review.verdict}`;
}

/** Writes down what the gate answered and goes on from there. `before` is the incident as it stood before the submit. */
async function settle(executing: Incident, before: Incident, answer: GateAnswer, pursuit: Pursuit): Promise<void> {
  const { parts, save } = pursuit;
  const now = parts.clock.now();
  const review = reviewText(answer.review);
  const news = before.gate === null || reviewText(before.gate.review) !== review;
  const withAnswer: Incident = { ...executing, gate: answer };
  switch (answer.outcome) {
    case "executed": {
      const letGo = answeredOtherwise(before, answer) ? note(withAnswer, now, LET_GO, review) : withAnswer;
      const next = advance(letGo, "verifying", answer.executedAt ?? now, "executed", results(answer));
      await save(next);
      if (letGo !== withAnswer) emit(pursuit, "plan.reviewed", ruleNames(answer.review), next);
      emit(pursuit, "plan.executed", results(answer), next);
      const told = await tellDone(next, pursuit);
      return told === next ? undefined : save(told);
    }
    case "held": {
      const next = advance(withAnswer, "waiting-approval", now, "held", review);
      if (news) emit(pursuit, "incident.held", `unship approve ${answer.planId} — ${verdictText(answer.review)}`, next);
      // The gate tells people of it.
      return save(wordOfHeld(next));
    }
    case "denied": {
      const next = advance(withAnswer, "waiting-approval", now, "denied", review);
      if (news) emit(pursuit, "plan.not-executed", verdictText(answer.review), next);
      return save(wordOfHeld(await escalate(next, pursuit, `Nothing was undone; ${verdictText(answer.review)}.`)));
    }
    case "in-progress":
      // Another process carries the plan out; its answer is asked for again on the next tick.
      return save(withAnswer);
    case "stopped":
    case "nothing-to-do": {
      emit(pursuit, "plan.not-executed", results(answer), withAnswer);
      // The gate has told people of a plan that stopped half-way; what stands where is in its results.
      if (wrote(answer)) return save(advance(withAnswer, "verifying", now, answer.outcome, results(answer)));
      // Nothing was written, so there is nothing to verify: the evidence is judged again, and a new plan made from it.
      const again = advance(withAnswer, "investigated", now, NOTHING_WRITTEN, results(answer));
      return save({ ...again, plan: null, gate: null });
    }
  }
}

/** The incident whose plan people have heard of, as one that waits for them or that was denied. */
const wordOfHeld = (incident: Incident): Incident =>
  incident.decision === null || incident.decision.action === "no_action"
    ? incident
    : withWord(incident, wordOfAct(incident.decision));

/** After a crash between submit and its answer: the gate knows what came of the plan, and nothing is done twice. */
export async function takeUpExecution(incident: Incident, pursuit: Pursuit): Promise<void> {
  if (incident.plan === null)
    return pursuit.save(advance(incident, "investigated", pursuit.caseFile.at, "no plan", "starting over"));
  await settle(incident, { ...incident, gate: null }, await pursuit.parts.gate.submit(incident.plan.id), pursuit);
}

function sameTargets(a: readonly unknown[], b: readonly unknown[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
