import type { CaseFile } from "../../core/model/assessment.ts";
import { deedTime } from "../../core/model/deed.ts";
import type { Incident } from "../../core/model/incident.ts";

/**
 * Until when the GitOps controllers behind an act may still undo it, Unix ms: `waitMs` after the last target was taken
 * back. null: none of them is managed by one, or nothing was done. Signals that are back before then prove nothing: the
 * controller may not have looked yet. Pure.
 */
export function controllersActUntil(
  { gate }: Pick<Incident, "gate">,
  { rollouts }: Pick<CaseFile, "rollouts">,
  waitMs: number,
): number | null {
  const time = deedTime({ gate });
  if (gate === null || time === null) return null;
  const managed = gate.results.some(({ target: { action, object }, result }) => {
    if (result !== "done" && result !== "nothing-to-do") return false;
    if (action === "argocd_sync_to_previous") return true;
    const { kind, namespace, name } = object;
    return rollouts.some(
      ({ workload, managedBy }) =>
        managedBy !== undefined && workload.kind === kind && workload.namespace === namespace && workload.name === name,
    );
  });
  return managed ? time.latest + waitMs : null;
}
