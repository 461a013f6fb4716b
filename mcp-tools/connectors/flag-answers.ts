import { UnshipError } from "../../core/errors.ts";
import type { Target, TargetResult } from "../../core/model/plan.ts";
import { cleanDeep, cleanText } from "../../core/model/untrusted-text.ts";
import type { TargetState } from "../../core/ports.ts";

/** Which service evaluates which flags, as the configuration says. */
export interface ServiceFlags {
  readonly service: string;
  readonly flags: readonly string[];
}

/** A flag in one environment, as its own system holds it now. */
export interface FlagStanding {
  readonly enabled: boolean;
  /** Changes with every write to the flag in this environment. */
  readonly version: string;
  /** Who changed it last and when, to be put behind a sentence: " (by ada at …)"; "" where that is not known. */
  readonly byWhom: string;
  /** What stands now, so that a person can put it back; read by people. */
  readonly before: string;
  readonly obstacles: readonly string[];
  readonly warnings: readonly string[];
}

export type FlagAnswer = Pick<TargetResult, "result" | "detail"> & { readonly warnings?: readonly string[] };

/** A detail is read by people: so much of what stood before is kept. */
const BEFORE_CHARS = 2000;

/** What stood before, for the record: a flag can hold any value, and none of it may carry a secret there (S10). */
export const beforeText = (state: unknown): string =>
  `before: ${cleanText(JSON.stringify(cleanDeep(state)), BEFORE_CHARS)}`;

function flagResult(target: Target, { result, detail, warnings = [] }: FlagAnswer, at: number): TargetResult {
  const where = target.environment ?? "no environment";
  return { target, result, detail: `Flag ${target.object.name} in ${where}: ${detail}`, at, warnings: [...warnings] };
}

/** Why a connector that serves one project and environment is not the one for this target; null: it is. */
export function misnamed(
  { object, environment }: Target,
  serves: { readonly project: string; readonly environment: string },
): string | null {
  if (environment === undefined) return "the plan names no environment";
  if (environment !== serves.environment) return `this connector serves the environment ${serves.environment}`;
  return object.namespace === serves.project || object.namespace === ""
    ? null
    : `this connector serves the project ${serves.project}, not ${object.namespace}`;
}

/**
 * How a connector of one project and environment answers for a flag: refuses one that is not its own, reads what stands
 * (what `unread` makes of a failure is the answer then), and lets `then` judge it; `refused` says what the refusal means. `now`: Unix ms, for the results.
 */
export function flagAnswering<S extends FlagStanding>({
  serves,
  read,
  now,
}: {
  readonly serves: { readonly project: string; readonly environment: string };
  readonly read: (target: Target, abort: AbortSignal) => Promise<S>;
  readonly now: () => number;
}) {
  return async (
    target: Target,
    abort: AbortSignal,
    unread: (error: unknown) => FlagAnswer,
    then: (standing: S) => FlagAnswer | Promise<FlagAnswer>,
    refused: (refusal: string) => FlagAnswer = (detail) => ({ result: "refused", detail }),
  ): Promise<TargetResult> => {
    const refusal = misnamed(target, serves);
    if (refusal !== null) return flagResult(target, refused(refusal), now());
    const standing = await read(target, abort).catch(unread);
    return flagResult(target, "result" in standing ? standing : await then(standing), now());
  };
}

/** Why not to switch off what stands; null: switch. */
export function judgeFlag(standing: FlagStanding, { expected }: Target): FlagAnswer | null {
  const { enabled, version, byWhom, obstacles } = standing;
  if (!enabled) return { result: "nothing-to-do", detail: `it is off already${byWhom}` };
  if (obstacles.length > 0) return { result: "refused", detail: obstacles.join("; ") };
  if (expected.revision === "on" && version === expected.version) return null;
  return {
    result: "stale",
    detail: `it changed since the plan${byWhom}: it is at version ${version}, the plan expects ${expected.version}`,
  };
}

/**
 * What stands, for the gate. `dependents`: flags that change with it by their system's own rules (S3); with them the flag
 * itself, so that one that no service is described for is not taken for its dependents alone.
 */
export function inspectedFlag(standing: FlagStanding, target: Target, dependents: readonly string[]): TargetState {
  const { enabled, version, byWhom, obstacles, warnings } = standing;
  const stale = judgeFlag(standing, target)?.result === "stale";
  return {
    version,
    revision: enabled ? "on" : "off",
    obstacles,
    warnings,
    ...reachOfFlag(target, dependents),
    ...(stale ? { changedBy: `it changed${byWhom}` } : {}),
  };
}

export const reachOfFlag = (
  { object }: Target,
  dependents: readonly string[],
): Pick<TargetState, "reaches" | "touches"> => ({
  reaches: dependents.length === 0 ? [] : [object.name, ...dependents],
  // A dependent may stand under never_auto_rollback by its own name, whoever's it is.
  touches: dependents,
});

/**
 * Who switched a flag off since a plan, as its system's own log tells; `said` stands behind a sentence: " (event 3 by ada)".
 * `others`: certainly not the plan.
 */
export type SwitchedOffBy =
  | { readonly who: "this plan"; readonly said: string }
  | { readonly who: "others"; readonly said: string }
  | { readonly who: "unknown"; readonly because: string };

/**
 * What came of a switch whose answer was lost. Whether the log holds an act of the plan's own comes first, wherever the
 * flag stands now: a flag that somebody switched on again was switched off by us all the same, and the act counts (S13).
 * `verdict`: what would be said of the flag as it stands, null where it still is as the plan expects.
 */
export function reconciledFlag(
  { enabled, byWhom }: Pick<FlagStanding, "enabled" | "byWhom">,
  verdict: FlagAnswer | null,
  off: SwitchedOffBy,
): FlagAnswer {
  if (verdict === null)
    return { result: "failed", detail: "not done: it is still on as the plan expects; it may be tried again" };
  const is = enabled ? "on" : "off";
  if (off.who === "unknown") return { result: "unknown", detail: `it is ${is}, and ${off.because}` };
  if (off.who === "others") return { ...verdict, detail: `not done by this plan: ${verdict.detail}${off.said}` };
  if (!enabled) return { result: "done", detail: `done: it is off${off.said}` };
  const undone = `this plan switched it off${off.said}, and somebody switched it on again${byWhom}`;
  return { result: "failed", detail: `${undone}: ask them before it is switched off once more` };
}

/** What a plan is refused for by the file as it is now says nothing of a switch that was sent before the file was changed. */
export const untold = (refusal: string): FlagAnswer => ({
  result: "unknown",
  detail: `${refusal}: whether it was switched off before cannot be determined`,
});

export const notOurs = (refusal: string): TargetState => ({
  version: "",
  revision: "",
  obstacles: [refusal],
  warnings: [],
});

export function dryRunOf(standing: FlagStanding, target: Target): FlagAnswer {
  const { before, warnings } = standing;
  return judgeFlag(standing, target) ?? { result: "done", detail: `would be switched off; ${before}`, warnings };
}

/**
 * What a failed switch means. `unknown` where it may have happened; everything else certainly wrote nothing. `forbids`:
 * what a 403 of this vendor can mean.
 */
export function failedSwitch({ code, facts: { status, because } }: UnshipError, forbids: string): FlagAnswer {
  if (status === 403) return { result: "refused", detail: `it is forbidden (403): ${forbids}` };
  if (because === "not-sent" || status === 429) {
    const detail = `the switch was not taken (${status ?? because}); nothing was written`;
    return { result: "unreachable", detail };
  }
  if (code !== "source.unavailable" && code !== "source.too_large" && code !== "source.shape")
    return { result: "failed", detail: `the switch was refused with status ${status}; nothing was written` };
  return { result: "unknown", detail: `the switch was sent and not answered (${status ?? because ?? "unreadable"})` };
}

/** What it means for a target that its flag could not be read. */
export function unreadFlag(error: unknown): FlagAnswer {
  if (!(error instanceof UnshipError)) throw error;
  if (error.code === "source.not_found")
    return { result: "stale", detail: "it does not exist any more, or not in this environment" };
  if (error.code === "input.invalid") return { result: "refused", detail: error.message };
  if (error.code === "source.refused")
    return { result: "failed", detail: `it may not be read: status ${error.facts.status}` };
  return {
    result: "unreachable",
    detail: `it could not be read (${error.facts.status ?? error.facts.because ?? error.code})`,
  };
}

/** After a crash: a flag that cannot be read leaves the result unknown, unless it is gone. */
export const unreadAfter = (error: unknown): FlagAnswer => {
  const answer = unreadFlag(error);
  return answer.result === "stale" ? answer : { ...answer, result: "unknown" };
};
