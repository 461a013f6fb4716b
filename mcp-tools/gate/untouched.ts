import { positionOf } from "../../core/guardrails/targets.ts";
import type { ActionType, Target, TargetResult } from "../../core/model/plan.ts";
import type { Executor } from "../../core/ports.ts";
import { within } from "./gather.ts";

/**
 * Whether a target that stands at its version as before shows that an act which failed wrote nothing: an act is one write
 * there. A command can have run half-way without that.
 */
const VERSION_TELLS: Readonly<Record<ActionType, boolean>> = {
  kubectl_rollout_undo: true,
  argocd_sync_to_previous: true,
  argocd_resume_auto_sync: true,
  feature_flag_disable: true,
  rollout_abort: true,
  rollout_pause: true,
  rollout_promote: true,
  database_migration_rollback: false,
};

/**
 * A failed act with what its target shows of it: `untouched` where it stands as the plan expected it. An executor that knows
 * better says so itself (a sync that failed half-way). Any other result, and one whose target does not answer, as it is. Never
 * writes or throws.
 */
export async function lookedAt(
  result: TargetResult,
  executor: Executor,
  target: Target,
  patienceMs: number,
): Promise<TargetResult> {
  if (result.result !== "failed" || result.untouched !== undefined || !VERSION_TELLS[target.action]) return result;
  try {
    const state = await within(patienceMs, (abort) => executor.inspect(target, abort));
    return { ...result, untouched: positionOf(target, state) === "expected" };
  } catch {
    return result;
  }
}
