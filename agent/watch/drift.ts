import { leftOut } from "../../core/guardrails/open-incidents.ts";
import { touches } from "../../core/guardrails/rules/stale.ts";
import { targetText } from "../../core/guardrails/targets.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import { type Incident, isResidual } from "../../core/model/incident.ts";
import type { Target } from "../../core/model/plan.ts";
import { durationText } from "../../core/model/time.ts";
import type { WatchParts } from "./ports.ts";
import { tell } from "./tell.ts";

/** The kind of the ledger's entries that say that a version which had been taken back stands again. */
export const DRIFTED = "rollback.drifted";

/**
 * Notices for a while after an incident that what it took back stands again: by auto-sync, by the next commit, by hand.
 * It does nothing about it (whatever that does is trouble of its own, and whoever did it may mean it); people hear of it
 * once.
 */
export async function noticeDrift(parts: WatchParts, caseFile: CaseFile): Promise<void> {
  const { ledger, config } = parts;
  const since = caseFile.at - config.feedback.driftWatchMs;
  const closed = (await ledger.incidents({ open: false, savedSince: since }, leftOut)).filter(
    ({ closedAt }) => closedAt !== null && closedAt >= since,
  );
  const residual = (await ledger.incidents({ open: true }, leftOut)).filter(isResidual);
  for (const incident of [...closed, ...residual].filter(({ gate }) => gate?.executedAt != null)) {
    const back = driftOf(incident, caseFile);
    if (back === null) continue;
    const told = await ledger.entries({ incidentId: incident.id, kinds: [DRIFTED], limit: 1 });
    if (told.length > 0) continue;
    await ledger.append({
      kind: DRIFTED,
      incidentId: incident.id,
      planId: incident.plan?.id ?? null,
      actor: "watch",
      body: { text: back },
    });
    parts.emit({ at: caseFile.at, event: "incident.escalated", text: back, incident });
    await tell(incident, parts, back, caseFile.at);
  }
}

/** Which target of an incident stands again as it did before the act, and by whom, in words; null: none. Pure. */
export function driftOf({ gate }: Pick<Incident, "gate">, caseFile: CaseFile): string | null {
  for (const { target, result } of gate?.results ?? []) {
    const executedAt = gate?.executedAt ?? 0;
    if (result !== "done" || !isBack(target, caseFile, executedAt)) continue;
    const change = caseFile.changes.findLast(
      (one) => touches(one, target) && one.ownRollback !== true && one.startedAt > executedAt,
    );
    const by = change?.author === undefined ? "" : ` by ${change.author}`;
    const after =
      change === undefined ? "" : `, ${durationText(change.startedAt - executedAt)} after it was rolled back`;
    const what = target.action === "feature_flag_disable" ? "is on again" : `is at ${target.expected.version} again`;
    return `What was rolled back is deployed again: ${targetText(target)} ${what}${by}${after}.`;
  }
  return null;
}

/** `since`: when the act was done; what was seen before it, and is kept since its source is silent, shows the bad version still. */
function isBack(target: Target, { flags, rollouts }: CaseFile, since: number): boolean {
  const { action, object, environment, expected, restore } = target;
  if (action === "feature_flag_disable") {
    const flag = flags.find(({ key, environment: of }) => key === object.name && of === environment);
    return flag?.enabled === true;
  }
  // Where both versions are called alike their revisions are numbered anew, and nothing tells them apart.
  if (expected.version === restore.version) return false;
  const { kind, namespace, name } = object;
  const live = rollouts.find(
    ({ workload, observedAt }) =>
      workload.kind === kind && workload.namespace === namespace && workload.name === name && observedAt >= since,
  );
  return live?.version === expected.version;
}
