import { setTimeout as delay } from "node:timers/promises";
import type { Intent } from "../../core/guardrails/gate-store.ts";
import { positionOf, targetText, versionText } from "../../core/guardrails/targets.ts";
import type { TargetResult } from "../../core/model/plan.ts";
import type { Clock, Executor } from "../../core/ports.ts";
import { within } from "./gather.ts";
import type { GateLimits } from "./parts.ts";

/**
 * What came of an act whose answer is not known. `not-done`: the target certainly stands at the version as before;
 * `detail` says what else of the act was begun, such as a setting that was changed first.
 */
export type Settlement =
  | { readonly kind: "settled"; readonly result: TargetResult }
  | { readonly kind: "not-done"; readonly detail: string }
  | { readonly kind: "unknown"; readonly result: TargetResult };

/** Carries out one target; an executor that throws or stays silent leaves the result unknown. */
export async function execute(
  executor: Executor,
  intent: Intent,
  clock: Clock,
  limits: GateLimits,
): Promise<TargetResult> {
  const { target, key } = intent;
  try {
    const patienceMs = Math.max(limits.executeTimeoutMs, executor.executeTimeoutMs ?? 0);
    const answer = await within(patienceMs, (abort) => executor.execute(target, key, abort));
    return { ...answer, target };
  } catch {
    return unknown(intent, "the write was sent and no answer came", clock);
  }
}

/**
 * Finds out from the target's real state what came of an earlier try, looking again for a while when the target does
 * not answer. Never writes.
 */
export async function settle(
  executor: Executor,
  intent: Intent,
  clock: Clock,
  limits: GateLimits,
): Promise<Settlement> {
  let last: Settlement = unasked(intent, "nobody could ask the target", clock);
  for (const pauseMs of limits.reconcileDelaysMs) {
    if (pauseMs > 0) await delay(pauseMs);
    last = await look(executor, intent, clock, limits);
    if (last.kind !== "unknown") return last;
  }
  return last;
}

async function look(executor: Executor, intent: Intent, clock: Clock, limits: GateLimits): Promise<Settlement> {
  const { target, key } = intent;
  try {
    const answer = await within(limits.inspectTimeoutMs, (abort) => executor.reconcile(target, key, abort));
    if (answer.result === "done") return { kind: "settled", result: { ...answer, target } };
    if (answer.result === "unknown" || answer.result === "unreachable") {
      return { kind: "unknown", result: { ...answer, target, result: "unknown" } };
    }
    const state = await within(limits.inspectTimeoutMs, (abort) => executor.inspect(target, abort));
    const position = positionOf(target, state);
    if (position === "expected") return { kind: "not-done", detail: answer.detail };
    const result: TargetResult =
      position === "restored"
        ? { ...answer, target, result: "nothing-to-do", detail: `${answer.detail}; already at ${state.version}` }
        : {
            ...answer,
            target,
            result: "stale",
            detail: `${targetText(target)} is at ${versionText(state)}; ${answer.detail}`,
          };
    return { kind: "settled", result };
  } catch {
    return unasked(intent, "the target gave no answer", clock);
  }
}

/** The settlement of a target that nobody could ask. */
export const unasked = (intent: Intent, detail: string, clock: Clock): Settlement & { readonly kind: "unknown" } => ({
  kind: "unknown",
  result: unknown(intent, detail, clock),
});

const unknown = (intent: Intent, detail: string, clock: Clock): TargetResult => ({
  target: intent.target,
  result: "unknown",
  detail,
  at: clock.now(),
  warnings: [],
});
