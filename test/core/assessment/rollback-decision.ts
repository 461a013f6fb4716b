import type { Decision } from "../../../core/model/decision.ts";
import { likelihood } from "../../../core/model/likelihood.ts";
import { MINUTE, T0 } from "../correlation/fixtures.ts";

/** A decision to take one change back by itself, ten minutes after `T0`. */
export function rollbackOf(service: string, changeId: string, probability: number): Decision {
  return {
    action: "rollback",
    service,
    culprit: { changeId, probability },
    changeIds: [changeId],
    automatic: true,
    needsPerson: [],
    why: [`${changeId} is the culprit with probability ${likelihood(probability)}`],
    hotfix: null,
    decidedAt: T0 + 10 * MINUTE,
  };
}
