import {
  type ActNotice,
  isPager,
  MAY_BE_SECOND,
  NOTICE_KINDS,
  noticeProgress,
  noticeRecord,
} from "../../core/guardrails/act-notice.ts";
import { executedBy } from "../../core/guardrails/approved-by.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { incidentTitle } from "../../core/guardrails/incident-text.ts";
import { targetText } from "../../core/guardrails/targets.ts";
import type { Incident } from "../../core/model/incident.ts";
import { GateAnswer, type Plan, takesBack } from "../../core/model/plan.ts";
import { clockText } from "../../core/model/time.ts";
import { name } from "../../core/model/untrusted-text.ts";
import type { LedgerEntry, Notice } from "../../core/ports.ts";
import { holdBack, proposerOf, type Telling } from "./flood.ts";
import { actOf, capital, recipientsOf } from "./notices.ts";
import type { Owner } from "./owner.ts";
import type { GateLimits, GateParts } from "./parts.ts";
import { entry } from "./reserve.ts";
import { send } from "./send-notice.ts";

const ACTED = "acted" as const satisfies ActNotice;

/** A gate that knows which process it is: what another one is sending is left to it. */
type Sending = GateParts & { readonly ownerId: string };

/**
 * What stands in the record with the answer of a plan of which people are to hear that it was executed: then a crash before, during or
 * after the sending loses nothing. null: nothing was executed, or the file names nobody to notify. `now`: the store's time, Unix ms.
 */
export function noticeDue(
  { outcome, planId }: GateAnswer,
  now: number,
  { notifiesActs, config, ownerId }: Sending,
  { leaseMs }: GateLimits,
) {
  if (notifiesActs !== true || outcome !== "executed") return null;
  if (config.policies.every(({ notification }) => notification.length === 0)) return null;
  return { about: ACTED, plan: planId, owner: ownerId, leaseUntil: now + leaseMs };
}

/** Sends people, once each, what was executed of which they are to hear. What fails stays due, and changes nothing of the act. */
export interface ActNotices {
  /** That this plan was executed, where that is due. Never throws. */
  tell(plan: Plan): Promise<void>;
  /** The same of every plan of which it is due still, since this process or another one was stopped before it was done. */
  tellDue(): Promise<void>;
}

export function createActNotices(parts: Sending, owner: Owner, limits: GateLimits, telling: Telling): ActNotices {
  const { store } = parts;
  /** Plans of which something is due, as far as the ledger was read. */
  const due = new Set<string>();
  let read = 0;

  async function tell(plan: Plan): Promise<void> {
    const key = `${plan.id} ${ACTED}`;
    if (telling.plans.has(key)) return;
    telling.plans.set(key, { plan: plan.id, proposer: proposerOf(plan) });
    try {
      if (await tellOnce(plan)) due.delete(plan.id);
    } catch {
      // It stays due: the next turn of `recover` takes it up.
    } finally {
      telling.plans.delete(key);
    }
  }

  /** Whether nothing of it is due any more. */
  async function tellOnce(plan: Plan): Promise<boolean> {
    const entries = await store.entries({ planId: plan.id, kinds: [...NOTICE_KINDS, LEDGER_KINDS.planAnswered] });
    const since = entries.find((one) => one.kind === LEDGER_KINDS.noticeDue && noticeRecord(one).about === ACTED);
    if (since === undefined) return true;
    const answer = answerIn(entries);
    const incident = await store.incident(plan.incidentId);
    const to = recipientsOf(parts, incident?.conditions ?? []).filter((one) => !isPager(one));
    const records = entries.map(noticeRecord);
    const left = to.filter((one) => noticeProgress(records, { about: ACTED, plan: plan.id, to: one }) !== "done");
    if (left.length === 0 || answer === null) return true;
    const begun = records.some(({ about, kind }) => about === ACTED && kind === LEDGER_KINDS.noticeBegun);
    if (!begun && (await holdBack(parts, limits, plan, left, telling, ACTED))) return true;
    const said = await noticeOf(plan, answer, incident);
    let isDone = true;
    for (const one of left) isDone = (await sendOnce(plan, one, said, since)) && isDone;
    return isDone;
  }

  /** Whether it is known what came of it; false: another process is at it. */
  async function sendOnce(plan: Plan, to: string, said: Said, since: LedgerEntry): Promise<boolean> {
    const key = { about: ACTED, plan: plan.id, to };
    const about = { ...key, proposer: proposerOf(plan) };
    const turn = await store.transact(async (tx) => {
      const bodies = async (kind: string) =>
        (await tx.bodiesSince([kind], since.at - 1)).map((body) => noticeRecord({ kind, planId: null, body }));
      const records = (await Promise.all(NOTICE_KINDS.map(bodies))).flat();
      const progress = noticeProgress(records, key);
      if (progress === "done") return progress;
      const last = records.findLast((one) => one.about === ACTED && one.plan === plan.id && (one.to ?? to) === to);
      const { owner: whose, leaseUntil = 0 } = last ?? {};
      const isOthers = whose !== undefined && whose !== owner.id && !owner.gone(whose) && tx.now < leaseUntil;
      if (isOthers) return "others";
      const lease = { owner: owner.id, leaseUntil: tx.now + limits.leaseMs };
      await tx.append(entry(plan, LEDGER_KINDS.noticeBegun, { ...about, title: said.title, ...lease }));
      return progress;
    });
    if (turn === "others") return false;
    if (turn === "done") return true;
    const lines = turn === "begun" ? [...said.lines, MAY_BE_SECOND] : said.lines;
    await send(parts, limits, plan, to, { ...said, lines }, about);
    return true;
  }

  async function noticeOf(plan: Plan, answer: GateAnswer, incident: Incident | null): Promise<Said> {
    return actedNotice(plan, answer, incident, (await executedBy(store, plan.id)) ?? []);
  }

  return {
    tell,
    async tellDue() {
      if (parts.notifiesActs !== true) return;
      for (const one of await store.entries({ kinds: [LEDGER_KINDS.noticeDue], afterSeq: read })) {
        read = one.seq;
        if (one.planId !== null) due.add(one.planId);
      }
      for (const planId of [...due]) {
        const plan = await store.plan(planId);
        if (plan === null) due.delete(planId);
        else await tell(plan);
      }
    },
  };
}

type Said = Pick<Notice, "title" | "lines" | "severity">;

/** The timeline's line of what people were notified of. */
const ESCALATED = "escalated";

/**
 * What people hear of a plan that was executed: what, from which version to which, by whose approval, why, and what they were notified
 * of before, which is over. `by`: who approved it; empty: nobody had to. Pure.
 */
export function actedNotice(plan: Plan, answer: GateAnswer, incident: Incident | null, by: readonly string[]): Said {
  const { executedAt, results } = answer;
  const who = by.length === 0 ? "without a person" : `approved by ${by.map(name).join(" and ")}`;
  const at = executedAt ?? Math.max(...results.map((one) => one.at));
  const done = results.filter(({ result }) => result === "done");
  const before = incident?.timeline.findLast((one) => one.event === ESCALATED && one.at <= at);
  return {
    title: `${capital(actOf(plan))} executed, ${who}`,
    lines: [
      ...done.map(({ target }) => {
        const { expected, restore } = target;
        return `${targetText(target)}: ${expected.version} → ${restore.version}, ${clockText(at, at)}`;
      }),
      ...done.flatMap(({ warnings }) => warnings),
      ...(incident === null ? [] : [incidentTitle(incident, at)]),
      `Why: ${plan.reason}`,
      ...(plan.proposedBy === "watch" ? [] : [`Proposed by ${plan.proposedBy}`]),
      ...(before === undefined ? [] : [`Sent before this was executed: ${before.detail}`]),
      ...(incident === null || !takesBack(plan)
        ? []
        : ["Whether it brings recovery is verified now; the result follows."]),
    ],
    severity: "info",
  };
}

function answerIn(entries: readonly LedgerEntry[]): GateAnswer | null {
  const last = entries.findLast(({ kind }) => kind === LEDGER_KINDS.planAnswered);
  const answer = GateAnswer.safeParse(last?.body);
  return answer.success ? answer.data : null;
}
