import {
  isActTold,
  NOTICE_KINDS,
  type NoticeRecord,
  noticeRecord,
  openedAlerts,
} from "../../core/guardrails/act-notice.ts";
import { deedTime, writtenTargets } from "../../core/model/deed.ts";
import { type Incident, isRecoveryConfirmed } from "../../core/model/incident.ts";
import { asItStands } from "../../core/model/recorded.ts";
import { durationText } from "../../core/model/time.ts";
import type { WatchParts } from "./ports.ts";
import { ESCALATED } from "./pursuit.ts";
import { type End, tellOfEnd } from "./tell.ts";
import { recoveryText } from "./wording.ts";

/** What the record says of the notices about a plan, oldest first. */
export async function noticesOf(planId: string, ledger: WatchParts["ledger"]): Promise<readonly NoticeRecord[]> {
  return (await ledger.entries({ planId, kinds: NOTICE_KINDS })).map(noticeRecord);
}

/**
 * People hear how the act of an incident ended, once a plan, from its record: recovered and after how long, not recovered, not known and
 * why, or what somebody did meanwhile. What did not prove to help is notified as any escalation, to pagers too; the rest reaches those who
 * heard that it was executed, and of pagers only those that were alerted of the incident: what recovered is resolved there. Nothing where
 * nothing was executed, or its end is not recorded. Safe to repeat.
 */
export async function tellEnd(incident: Incident, parts: WatchParts): Promise<void> {
  const { gate, outcome } = incident;
  if (gate === null || outcome === null || writtenTargets(incident).length === 0) return;
  const { planId } = gate;
  const records = await noticesOf(planId, parts.ledger);
  const raised = raisedEnd(incident);
  if (raised === null && !isActTold(records, planId)) return;
  const isOver = isRecoveryConfirmed(incident);
  const entries = isOver ? await parts.ledger.entries({ incidentId: incident.id, kinds: NOTICE_KINDS }) : [];
  const end: End = {
    planId,
    headline: raised ?? endText(incident),
    pages: raised !== null,
    resolves: isActTold(records, planId) ? openedAlerts(entries) : [],
  };
  await tellOfEnd(asItStands(incident), parts, end, records);
}

/** The headline that the end of an act was raised with, which is the line before the one that records it; null: it was not raised. */
function raisedEnd({ outcome, timeline }: Incident): string | null {
  if (outcome !== "not-recovered" && outcome !== "unknown") return null;
  const verified = timeline.findLastIndex(({ event }) => event === `verified: ${outcome}`);
  const end = verified >= 0 ? verified : timeline.findLastIndex(({ event }) => event === `closed: ${outcome}`);
  const before = timeline[end - 1];
  return before?.event === ESCALATED ? before.detail : null;
}

/** How an act ended that nobody has to be paged for: "Recovered 4m after it was executed." Pure. */
export function endText(incident: Incident): string {
  const { outcome, recovery, unverified, closedAt } = incident;
  if (isRecoveryConfirmed(incident)) {
    const deed = deedTime(incident);
    const at = recovery?.at ?? closedAt;
    return `Recovered${deed === null || at === null ? "" : ` ${durationText(Math.max(0, at - deed.at))} after it was executed`}.`;
  }
  // What overtook an act is what its verification could not see past.
  if (outcome === "superseded") return `Changed again by somebody else: ${sentence(unverified.at(-1) ?? "")}`;
  const why = recovery === null ? "the configuration asks for no verification" : recoveryText(recovery);
  return outcome === "not-recovered"
    ? `Not recovered: ${sentence(why)}`
    : `Whether it recovered is not known: ${sentence(why)}`;
}

const sentence = (text: string): string => `${text.replace(/\.$/, "") || "no reason is recorded"}.`;
