import {
  type GateTransaction,
  type Intent,
  LEDGER_KINDS,
  type StoreFacts,
  WROTE_NOTHING,
} from "../../core/guardrails/gate-store.ts";
import { paused } from "../../core/guardrails/rules/paused.ts";
import type { GateAnswer, GateReview, Plan, TargetResult } from "../../core/model/plan.ts";
import { clockText } from "../../core/model/time.ts";
import { noticeDue } from "./act-notices.ts";
import { enoughApprovals, provenApprovals } from "./approvals.ts";
import { awaitArrival } from "./arrive.ts";
import { withMoment } from "./carried-out.ts";
import { executorFor } from "./gather.ts";
import type { GateLimits, GateParts } from "./parts.ts";
import { entry, inProgress } from "./reserve.ts";
import { execute, settle } from "./settle.ts";

export interface Run {
  readonly plan: Plan;
  readonly review: GateReview;
  readonly parts: GateParts & { readonly ownerId: string };
  readonly limits: GateLimits;
  /** By position: what was found out of a target that was tried and is not done. Said where it ends so. */
  readonly found: Map<number, string>;
  /** Called when the plan has to wait for a target to come into effect, which can take minutes. */
  readonly onWait?: () => void;
}

/** What the next transaction found: go on with the target, or this is the end. */
type Step = { readonly intent: Intent } | { readonly end: GateAnswer };

/**
 * Executes the open intents of a reserved plan in their order. Before each try there is an entry, after it one with
 * the result, and the next target waits for that. It stops at the first target that did not end well; what was not
 * started is closed and its unit goes back. A target is started only when those before it have come into effect.
 * Every step looks first whether the plan is still this process's own,
 * whether someone has paused it, and whether its permit and its approval still hold.
 */
export async function runPlan(run: Run): Promise<GateAnswer> {
  const { plan, parts, limits } = run;
  for (let position = 0; position < plan.targets.length; position += 1) {
    const late = await whyNotYet(position, run);
    for (;;) {
      const step = await parts.store.transact((tx) => startTry(tx, position, run, late));
      if ("end" in step) return step.end;
      const { intent } = step;
      if (intent.finishedAt !== null) break;
      const executor = executorFor(intent.target, parts.executors);
      let result =
        executor === undefined
          ? notStarted(intent, "nothing carries it out", parts.clock.now())
          : await execute(executor, intent, parts.clock, limits);
      // After a try whose answer was lost, "nothing was written" is for the target to say of both tries.
      const doubted = intent.attempts > 1 && WROTE_NOTHING.includes(result.result);
      if ((result.result === "unknown" || doubted) && executor !== undefined) {
        const settlement = await withMoment(await settle(executor, intent, parts.clock, limits), intent, parts);
        if (settlement.kind === "not-done") run.found.set(position, settlement.detail);
        if (settlement.kind === "not-done" && !doubted && intent.attempts < limits.maxAttempts) continue;
        result =
          settlement.kind === "not-done"
            ? doubted
              ? result
              : unchanged(intent, result, settlement.detail)
            : settlement.result;
      }
      const end = await parts.store.transact((tx) => finishTry(tx, intent, result, run));
      if (end !== undefined) return end;
      break;
    }
  }
  // Every position was finished before this call: the answer stands in the ledger.
  return parts.store.transact(async (tx) => answerFrom(await tx.intents({ planId: plan.id }), run));
}

/** Tried as often as it may be, and each time the target was found as before. */
const unchanged = ({ attempts }: Intent, result: TargetResult, detail: string): TargetResult => ({
  ...result,
  result: "failed",
  detail: `tried ${attempts} times; the target did not change (${detail})`,
  untouched: true,
});

/** Why the target at a position may not be started, though those before it were taken back; undefined: it may. */
async function whyNotYet(position: number, { plan, parts, limits, onWait }: Run): Promise<string | undefined> {
  const before = plan.targets.slice(0, position);
  if (before.every((target) => executorFor(target, parts.executors)?.arrived === undefined)) return undefined;
  const intents = await parts.store.transact((tx) => tx.intents({ planId: plan.id }));
  if (intents.some((one) => one.position === position && one.finishedAt !== null)) return undefined;
  const earlier = intents.filter((one) => one.position < position);
  return awaitArrival(earlier, { parts, limits, onWait: onWait ?? (() => {}) });
}

/** Writes down that a target is about to be tried, or why it is not. */
async function startTry(tx: GateTransaction, position: number, run: Run, late: string | undefined): Promise<Step> {
  const { plan, parts, limits } = run;
  await tx.trust(plan);
  const intents = await tx.intents({ planId: plan.id });
  const intent = intents.find((one) => one.position === position);
  if (intent === undefined) throw new Error(`plan ${plan.id} has no intent ${position}`);
  if (intent.finishedAt !== null) return { intent };
  if (intent.owner !== parts.ownerId) return { end: await answerOfOthers(tx, plan) };
  const facts = await tx.facts(plan, 0);
  const stop = late ?? whyStop(facts, intent, tx.now, run);
  if (stop !== undefined) return { end: await closeRest(tx, stop, run) };
  const attempts = intent.attempts + 1;
  const patienceMs = executorFor(intent.target, parts.executors)?.executeTimeoutMs ?? 0;
  const leaseUntil = tx.now + limits.leaseMs + patienceMs;
  for (const open of intents.filter((one) => one.finishedAt === null)) {
    await tx.updateIntent(plan.id, open.position, { leaseUntil });
  }
  await tx.updateIntent(plan.id, position, { attempts });
  const { key, target } = intent;
  await tx.append(entry(plan, LEDGER_KINDS.targetAttempted, { position, key, target, attempt: attempts }));
  return { intent: { ...intent, attempts, leaseUntil } };
}

/** Why a target may not be started any more, though the plan was reserved; undefined: it may. */
function whyStop(facts: StoreFacts, intent: Intent, now: number, { plan, parts }: Run): string | undefined {
  const stop = paused.check({
    plan,
    contentHash: plan.hash,
    now,
    policy: parts.config,
    assessment: null,
    targets: [],
    traffic: null,
    store: facts,
  });
  if (stop !== undefined) return stop.reason;
  const { permit, approvals } = facts;
  if (permit === null || now >= permit.expiresAt) {
    const when = permit === null ? "is gone" : `expired at ${clockText(permit.expiresAt, now)}`;
    return `the permit ${when}, before it was this target's turn`;
  }
  if (intent.automatic) return undefined;
  const enough = enoughApprovals(
    plan,
    provenApprovals(approvals, parts),
    { now, clockNow: parts.clock.now() },
    parts.config,
  );
  return enough.length === 0 ? "the approval does not hold any more" : undefined;
}

/** Writes a result down; where it ends the plan, the answer too, in the same transaction. */
export async function finishTry(
  tx: GateTransaction,
  intent: Intent,
  result: TargetResult,
  run: Run,
): Promise<GateAnswer | undefined> {
  const { plan } = run;
  const known = (await tx.intents({ planId: plan.id })).find((one) => one.position === intent.position);
  if (known === undefined || known.finishedAt !== null || known.owner !== run.parts.ownerId) {
    return answerOfOthers(tx, plan);
  }
  const released = WROTE_NOTHING.includes(result.result);
  const { position, key } = intent;
  await tx.append(entry(plan, LEDGER_KINDS.targetFinished, { position, key, result, released }));
  if (result.result === "unknown") {
    // Stays open: the target is busy until somebody finds out what came of it (S5).
    await tx.updateIntent(plan.id, intent.position, { result });
    return closeRest(tx, "an earlier target's result is not known", run, intent.position);
  }
  await tx.updateIntent(plan.id, intent.position, { result, finishedAt: tx.now, released });
  if (result.result !== "done" && result.result !== "nothing-to-do") {
    return closeRest(tx, "an earlier target stopped the plan", run);
  }
  const intents = await tx.intents({ planId: plan.id });
  if (intents.some((one) => one.finishedAt === null)) return undefined;
  return recordAnswer(tx, answerFrom(intents, run), run);
}

/** Closes every intent that was not started, gives its unit back, and writes the plan's answer. */
export async function closeRest(tx: GateTransaction, reason: string, run: Run, keepOpen?: number): Promise<GateAnswer> {
  const { plan } = run;
  for (const intent of await tx.intents({ planId: plan.id, open: true })) {
    if (intent.position === keepOpen) continue;
    const { position, key } = intent;
    const result = notStarted(intent, reason, tx.now, run.found.get(position));
    // A target that was tried before and found unchanged did cost a try: its unit stays used.
    const released = intent.attempts === 0;
    await tx.append(entry(plan, LEDGER_KINDS.targetFinished, { position, key, result, released }));
    await tx.updateIntent(plan.id, position, { result, finishedAt: tx.now, released });
  }
  return recordAnswer(tx, answerFrom(await tx.intents({ planId: plan.id }), run), run);
}

/** Writes the plan's answer, and in the same transaction that people are to hear of it. */
export async function recordAnswer(tx: GateTransaction, answer: GateAnswer, run: Run): Promise<GateAnswer> {
  const { plan, parts, limits } = run;
  await tx.append(entry(plan, LEDGER_KINDS.planAnswered, answer));
  const due = noticeDue(answer, tx.now, parts, limits);
  if (due !== null) await tx.append(entry(plan, LEDGER_KINDS.noticeDue, due));
  return answer;
}

/** Another process took the plan over: what it answered, or that it has not yet. */
async function answerOfOthers(tx: GateTransaction, plan: Plan): Promise<GateAnswer> {
  const { answer, permit } = await tx.facts(plan, 0);
  return answer ?? inProgress(plan, permit?.issuedAt ?? tx.now, tx.now);
}

/** The answer that the intents amount to. */
function answerFrom(intents: readonly Intent[], { plan, review }: Run): GateAnswer {
  const results = intents.flatMap(({ result }) => (result === null ? [] : [result]));
  const done = intents.filter(({ result }) => result?.result === "done");
  const well = results.every(({ result }) => result === "done" || result === "nothing-to-do");
  const finished = done.flatMap(({ finishedAt, result }) => result?.carriedOut?.from ?? finishedAt ?? []);
  const complete = well && results.length === plan.targets.length;
  return {
    planId: plan.id,
    outcome: !complete ? "stopped" : done.length > 0 ? "executed" : "nothing-to-do",
    review,
    results,
    executedAt: finished.length === 0 ? null : Math.max(...finished),
  };
}

function notStarted({ target, attempts }: Intent, reason: string, at: number, found?: string): TargetResult {
  const said = found === undefined ? "" : `; asked for its state, it answered: ${found}`;
  const detail = attempts === 0 ? `not started: ${reason}` : `not done, and not tried again: ${reason}${said}`;
  return { target, result: "refused", detail, at, warnings: [] };
}
