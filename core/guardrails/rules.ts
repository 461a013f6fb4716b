import type { Rule } from "./rule.ts";
import { aftermath } from "./rules/aftermath.ts";
import { allowedActions } from "./rules/allowed-actions.ts";
import { autoRollbacksPerDay } from "./rules/auto-rollbacks-per-day.ts";
import { automaticCondition } from "./rules/automatic-condition.ts";
import { blastRadius } from "./rules/blast-radius.ts";
import { capacity } from "./rules/capacity.ts";
import { clock } from "./rules/clock.ts";
import { confidence } from "./rules/confidence.ts";
import { cooldown } from "./rules/cooldown.ts";
import { escalation } from "./rules/escalation.ts";
import { evidence } from "./rules/evidence.ts";
import { evidenceKinds } from "./rules/evidence-kinds.ts";
import { executable } from "./rules/executable.ts";
import { expiredPlan } from "./rules/expired-plan.ts";
import { freeze } from "./rules/freeze.ts";
import { freshDecision } from "./rules/fresh-decision.ts";
import { humanApproval } from "./rules/human-approval.ts";
import { knownGood } from "./rules/known-good.ts";
import { migration } from "./rules/migration.ts";
import { mode } from "./rules/mode.ts";
import { neverAuto } from "./rules/never-auto.ts";
import { oneWayMigration } from "./rules/one-way-migration.ts";
import { outsideIncident } from "./rules/outside-incident.ts";
import { ownRollback } from "./rules/own-rollback.ts";
import { paused } from "./rules/paused.ts";
import { reach } from "./rules/reach.ts";
import { rejected } from "./rules/rejected.ts";
import { requireApproval } from "./rules/require-approval.ts";
import { rollbacksPerHour } from "./rules/rollbacks-per-hour.ts";
import { stale } from "./rules/stale.ts";
import { targetBusy } from "./rules/target-busy.ts";
import { twoPersons } from "./rules/two-persons.ts";
import { unchangedPlan } from "./rules/unchanged-plan.ts";
import { unusualName } from "./rules/unusual-name.ts";
import { worstFirst } from "./rules/worst-first.ts";

/** Every guardrail, in the order in which a person would ask: may it at all, is it still so, must someone agree. */
export const RULES: readonly Rule[] = [
  mode,
  paused,
  freeze,
  allowedActions,
  executable,
  unchangedPlan,
  rejected,
  expiredPlan,
  stale,
  knownGood,
  targetBusy,
  neverAuto,
  reach,
  migration,
  oneWayMigration,
  capacity,
  blastRadius,
  unusualName,
  requireApproval,
  twoPersons,
  rollbacksPerHour,
  autoRollbacksPerDay,
  cooldown,
  worstFirst,
  escalation,
  clock,
  evidence,
  evidenceKinds,
  outsideIncident,
  freshDecision,
  automaticCondition,
  confidence,
  humanApproval,
  ownRollback,
  aftermath,
];
