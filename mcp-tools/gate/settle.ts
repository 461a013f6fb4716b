import { setTimeout as delay } from "node:timers/promises";
import type { Intent } from "../../core/guardrails/gate-store.ts";
import { positionOf, targetText, versionText } from "../../core/guardrails/targets.ts";
import type { Target, TargetResult } from "../../core/model/plan.ts";
import type { Clock, Executor, TargetState } from "../../core/ports.ts";
import { within } from "./gather.ts";
import type { GateLimits } from "./parts.ts";
import { lookedAt } from "./untouched.ts";

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
    return await lookedAt({ ...answer, target }, executor, target, limits.inspectTimeoutMs);
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

/**
 * What each answer of `Executor.reconcile` says of the try before it. `failed` is the one that may have written, unless
 * the target still stands at the version as before: then it may be tried again.
 */
const SAYS: Readonly<Record<TargetResult["result"], "done" | "not-told" | "may-have-written" | "wrote-nothing">> = {
  done: "done",
  unknown: "not-told",
  unreachable: "not-told",
  failed: "may-have-written",
  "nothing-to-do": "wrote-nothing",
  stale: "wrote-nothing",
  refused: "wrote-nothing",
};

/**
 * From the target's own word, and from where it stands. Where it stands can take back a claim that it was written; it
 * never makes of what may have written a target that was left alone.
 */
async function look(executor: Executor, intent: Intent, clock: Clock, limits: GateLimits): Promise<Settlement> {
  const { target, key } = intent;
  try {
    const answer = await within(limits.inspectTimeoutMs, (abort) => executor.reconcile(target, key, abort));
    const says = SAYS[answer.result];
    if (says === "done") return { kind: "settled", result: { ...answer, target } };
    if (says === "not-told") return { kind: "unknown", result: { ...answer, target, result: "unknown" } };
    const state = await within(limits.inspectTimeoutMs, (abort) => executor.inspect(target, abort));
    const position = positionOf(target, state);
    if (position === "expected") return { kind: "not-done", detail: answer.detail };
    return { kind: "settled", result: { ...answer, target, ...endAt(position, state, answer, says, target) } };
  } catch {
    return unasked(intent, "the target gave no answer", clock);
  }
}

function endAt(
  position: "restored" | "elsewhere",
  state: TargetState,
  { detail }: TargetResult,
  says: "may-have-written" | "wrote-nothing",
  target: Target,
): Pick<TargetResult, "result" | "detail"> {
  const there = position === "restored" ? state.version : versionText(state);
  if (says === "may-have-written")
    return { result: "failed", detail: `${detail}; ${targetText(target)} is at ${there}: check what was done` };
  return position === "restored"
    ? { result: "nothing-to-do", detail: `${detail}; already at ${there}` }
    : { result: "stale", detail: `${targetText(target)} is at ${there}; ${detail}` };
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
