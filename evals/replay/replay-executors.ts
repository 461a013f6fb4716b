import { ActionType, type Target, type TargetResult } from "../../core/model/plan.ts";
import type { Clock, Executor } from "../../core/ports.ts";

/**
 * The executors of a replay: they do nothing and report success, and what was rolled back stands in `taken`, so that
 * the bundle's rollouts and flags show it from then on. A second try of the same key finds it done.
 */
export function replayExecutors(clock: Clock, taken: Map<string, number>): readonly Executor[] {
  const done = new Map<string, TargetResult>();
  return ActionType.options.map((action): Executor => {
    const answer = (target: Target, result: TargetResult["result"], detail: string): TargetResult => ({
      target,
      result,
      detail,
      at: clock.now(),
      warnings: [],
    });
    return {
      action,
      // A recording holds no limits of pods: its rehearsal takes the old version for as strong as the new one. A
      // recorded switch of a flag names the one service that evaluates it.
      inspect: async (target) => ({
        ...target.expected,
        obstacles: [],
        warnings: [],
        capacity: { replicas: 1, less: [] },
        ...(action === "feature_flag_disable" ? { reaches: [target.service] } : {}),
      }),
      dryRun: async (target) => answer(target, "done", "replay: would be rolled back"),
      execute: async (target, key) => {
        const known = done.get(key);
        if (known !== undefined) return known;
        taken.set(target.changeId, clock.now());
        const result = answer(
          target,
          "done",
          action === "feature_flag_disable" ? "replay: switched off" : "replay: rolled back",
        );
        done.set(key, result);
        return result;
      },
      reconcile: async (target, key) => done.get(key) ?? answer(target, "failed", "replay: it was not done"),
    };
  });
}
