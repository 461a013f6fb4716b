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
 * (what `unread` makes of a failure is the answer then), and lets `then` judge it. `now`: Unix ms, for the results.
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
  ): Promise<TargetResult> => {
    const refusal = misnamed(target, serves);
    if (refusal !== null) return flagResult(target, { result: "refused", detail: refusal }, now());
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

export function inspectedFlag(standing: FlagStanding, target: Target): TargetState {
  const { enabled, version, byWhom, obstacles, warnings } = standing;
  const stale = judgeFlag(standing, target)?.result === "stale";
  return {
    version,
    revision: enabled ? "on" : "off",
    obstacles,
    warnings,
    ...(stale ? { changedBy: `it changed${byWhom}` } : {}),
  };
}

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
