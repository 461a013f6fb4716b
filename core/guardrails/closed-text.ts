import { deedOf, deedTime, writtenTargets } from "../model/deed.ts";
import { type Incident, isRecoveryConfirmed, type OutcomeKind } from "../model/incident.ts";
import type { ActionType } from "../model/plan.ts";
import { durationText } from "../model/time.ts";
import { outcomeWords } from "./approved-by.ts";
import { targetText } from "./targets.ts";

type Closed = Pick<
  Incident,
  "service" | "gate" | "decision" | "outcome" | "recovery" | "joined" | "superseded" | "closedAt"
>;

/**
 * A closed incident in one clause: what was done and whether it helped. "inventory: rolled back to v2.12.0, recovered 2m15s later";
 * what was not verified is never said to have helped, nor to be over (S9). Pure.
 */
export function closedText(incident: Closed): string {
  const { service, gate, joined } = incident;
  if (joined !== undefined) return `${service}: went on in incident ${joined}`;
  const deed = deedOf(incident);
  if (deed !== "executed" && deed !== "partly") return `${service}: ${NOT_ACTED[incident.outcome ?? "unknown"]}`;
  if (deed === "partly" && gate !== null) return `${service}: the plan was ${outcomeWords(gate)}, ${helped(incident)}`;
  const done = writtenTargets(incident).map((one) => {
    const text = DONE[one.action](one.restore.version, targetText(one));
    return one.service === service ? text : `${one.service} ${text}`;
  });
  return `${service}: ${done.join("; ")}, ${helped(incident)}`;
}

/** Whether what was done helped, as its verification says. */
function helped({ outcome, recovery, gate, superseded = [] }: Closed): string {
  if (isRecoveryConfirmed({ outcome, recovery })) {
    const deed = deedTime({ gate });
    const after =
      deed === null || recovery === null || recovery.at === null
        ? ""
        : ` ${durationText(Math.max(0, recovery.at - deed.at))} later`;
    const beside = superseded.length === 0 ? "" : `; ${superseded.map((one) => one.service).join(", ")} changed again`;
    return `recovered${after}${beside}`;
  }
  if (outcome === "superseded") return "CHANGED AGAIN before its recovery was verified";
  if (outcome === "not-recovered") return "DID NOT RECOVER";
  const why =
    recovery === null
      ? "the configuration asks for no verification"
      : (recovery.checks.find(({ verdict }) => verdict !== "recovered")?.because ?? "nothing could be measured");
  return `RECOVERY NOT VERIFIED (${why})`;
}

const DONE: Readonly<Record<ActionType, (to: string, object: string) => string>> = {
  kubectl_rollout_undo: (to) => `rolled back to ${to}`,
  argocd_sync_to_previous: (to) => `synced back to ${to}`,
  feature_flag_disable: (_, object) => `${object} switched off`,
  database_migration_rollback: (to) => `migration rolled back to ${to}`,
  argocd_resume_auto_sync: () => "auto-sync switched on again",
  rollout_abort: (to) => `rollout aborted, ${to} serves alone`,
  rollout_pause: () => "rollout paused",
  rollout_promote: () => "rollout promoted",
};

/** How an incident ended for which nothing was written. */
const NOT_ACTED: Readonly<Record<OutcomeKind, string>> = {
  recovered: "over; nothing was rolled back",
  "not-recovered": "DID NOT RECOVER; nothing was rolled back",
  unknown: "WHETHER IT IS OVER IS NOT KNOWN; nothing was rolled back",
  "no-action": "over; no change was rolled back",
  withdrawn: "over before anything was rolled back",
  denied: "over; the gate denied the plan, nothing was rolled back",
  expired: "over; the plan expired unanswered, nothing was rolled back",
  recommended: "over; a fix by people was recommended, nothing was rolled back",
  superseded: "changed by somebody else; nothing was rolled back",
};
