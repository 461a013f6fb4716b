import type { Config } from "../config/config.ts";
import type { CaseFile } from "../model/assessment.ts";
import { nameOfChange } from "../model/change-name.ts";
import type { Target } from "../model/plan.ts";

/** What can be done with a version on trial besides ending it, and the revision at which each ends. */
export const TRIAL_ACTS = {
  pause: { action: "rollout_pause", ends: "paused" },
  promote: { action: "rollout_promote", ends: "promoted" },
} as const;
export type TrialAct = keyof typeof TRIAL_ACTS;

/**
 * The targets that would pause or promote the trials that these changes began, in this order; `obstacles` says why
 * there are none. Only an Argo Rollout has a trial that can be held or ended in favour of the new version, and only
 * where the file allows that action.
 */
export function trialTargets(
  caseFile: Pick<CaseFile, "changes" | "rollouts">,
  { allowedActions }: Pick<Config, "allowedActions">,
  changeIds: readonly string[],
  act: TrialAct,
): { readonly targets: readonly Target[]; readonly obstacles: readonly string[] } {
  const { action, ends } = TRIAL_ACTS[act];
  const planned = changeIds.map((id): Target | string => {
    const change = caseFile.changes.find((one) => one.id === id);
    if (change === undefined) return `change ${id} is not in the case`;
    const trial = caseFile.rollouts.find(
      ({ service, workload, stable, version }) =>
        service === change.service && workload.kind === "Rollout" && stable !== undefined && version === change.to,
    );
    if (trial === undefined)
      return `${change.service} has no version of ${nameOfChange(change)} on trial in an Argo Rollout`;
    return {
      action,
      service: change.service,
      changeId: id,
      object: trial.workload,
      ...(change.environment === undefined ? {} : { environment: change.environment }),
      expected: { version: trial.version, revision: trial.revision },
      restore: { version: trial.version, revision: ends },
    };
  });
  const obstacles = planned.filter((one) => typeof one === "string");
  if (!allowedActions.some(({ type }) => type === action)) obstacles.push(`the file does not allow ${action}`);
  return obstacles.length > 0
    ? { targets: [], obstacles }
    : { targets: planned.filter((one) => typeof one !== "string"), obstacles: [] };
}
