import type { Config } from "../../core/config/config.ts";

/** So many of anything that a limit counts never come together in a replay. */
const NEVER_REACHED = 1_000_000;

/**
 * The configuration with every limit that all incidents share set so that it binds nothing: what is judged alone and what
 * is judged beside others then differ by the judgement alone (S16). What belongs to one service or one plan stays as the
 * file has it: modes, `never_auto_rollback`, `human_review`, `require_human_approval_if`, `require_approval`, the cooldown
 * of a service and its consecutive rollbacks.
 *
 * - `max_rollbacks_per_hour` (each action), `max_auto_rollbacks_per_day`: never reached
 * - `cooldown_between_rollbacks`: by service, never `scope: global`
 * - `blast_radius`: no share of all traffic, since that changes with what else is measured
 * - `freeze_windows`: none
 */
export function withUnboundLimits(config: Config): Config {
  return {
    ...config,
    allowedActions: config.allowedActions.map((action) => ({
      ...action,
      maxRollbacksPerHour: action.maxRollbacksPerHour === null ? null : NEVER_REACHED,
    })),
    guardrails: { ...config.guardrails, maxAutoRollbacksPerDay: NEVER_REACHED, cooldownScope: "service" },
    blastRadius: { ...config.blastRadius, trafficShare: null },
    freezeWindows: [],
  };
}
