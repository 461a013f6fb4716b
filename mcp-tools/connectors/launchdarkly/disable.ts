import { UnshipError } from "../../../core/errors.ts";
import type { Target } from "../../../core/model/plan.ts";
import type { Executor } from "../../../core/ports.ts";
import {
  dryRunOf,
  type FlagAnswer,
  type FlagStanding,
  failedSwitch,
  flagAnswering,
  inspectedFlag,
  judgeFlag,
  misnamed,
  notOurs,
  unreadAfter,
  unreadFlag,
} from "../flag-answers.ts";
import type { LaunchDarklyClient } from "./client.ts";
import { authorOf, hasMark, markOf, standingOf } from "./standing.ts";

const FORBIDS = "the token lacks the right, or the environment wants an approval in LaunchDarkly";

/**
 * Switches a flag off in one environment, with the precondition in the write itself: LaunchDarkly tests the flag's
 * version there and writes, or does nothing. On a refusal the flag is read and judged again, never written again. The
 * switch carries the idempotency key as its comment in the audit log, by which it is known after a restart. `now`: Unix
 * ms, for the results.
 */
export function launchDarklyDisable({
  client,
  now,
}: {
  readonly client: LaunchDarklyClient;
  readonly now: () => number;
}): Executor {
  const read = async (target: Target, abort: AbortSignal): Promise<FlagStanding> =>
    standingOf(await client.flag(target.object.name, abort), client);
  const answering = flagAnswering({ serves: client, read, now });
  return {
    action: "feature_flag_disable",
    async inspect(target, abort) {
      const refusal = misnamed(target, client);
      return refusal === null ? inspectedFlag(await read(target, abort), target) : notOurs(refusal);
    },
    dryRun: (target, abort) => answering(target, abort, unreadFlag, (standing) => dryRunOf(standing, target)),
    execute: (target, key, abort) =>
      answering(target, abort, unreadFlag, async (standing) => {
        if (!standing.enabled && (await madeBy(client, target, key, abort)) === "this plan")
          return { result: "done", detail: `an earlier try of this plan did it${standing.byWhom}` };
        return judgeFlag(standing, target) ?? switchOff(client, standing, target, key, abort, read);
      }),
    reconcile: (target, key, abort) =>
      answering(target, abort, unreadAfter, async (standing) => {
        const verdict = judgeFlag(standing, target);
        if (verdict === null)
          return { result: "failed", detail: "not done: it is still on as the plan expects; it may be tried again" };
        if (standing.enabled) return { ...verdict, detail: `not as this plan left it: ${verdict.detail}` };
        const author = await madeBy(client, target, key, abort);
        if (author === "this plan") return { result: "done", detail: `done: it is off${standing.byWhom}` };
        if (author !== null) return { ...verdict, detail: `not done by this plan: ${author} switched it off` };
        return { result: "unknown", detail: "it is off, and the audit log does not say (yet) by whom" };
      }),
  };
}

async function switchOff(
  client: LaunchDarklyClient,
  standing: FlagStanding,
  target: Target,
  key: string,
  abort: AbortSignal,
  read: (target: Target, abort: AbortSignal) => Promise<FlagStanding>,
): Promise<FlagAnswer> {
  const { before, warnings } = standing;
  try {
    const after = await client.switchOff(target.object.name, Number(standing.version), markOf(key), abort);
    const { enabled, version } = standingOf(after, client);
    if (enabled) return { result: "failed", detail: `it was switched on again at once; ${before}`, warnings };
    return { result: "done", detail: `switched off (now version ${version}); ${before}`, warnings };
  } catch (error) {
    if (!(error instanceof UnshipError)) throw error;
    const failure = failedSwitch(error, FORBIDS);
    if (failure.result !== "failed") return { ...failure, warnings };
    // Refused as a whole: by its own test, by a change at the same moment (409), or for another reason.
    const now = await read(target, abort).catch((cause: unknown) => unreadFlag(cause));
    const verdict = "result" in now ? now : judgeFlag(now, target);
    return verdict ?? failure;
  }
}

/** Who switched it off last, by the audit log; null where its newest entries do not say. Never throws for a log that is down. */
async function madeBy(
  client: LaunchDarklyClient,
  target: Target,
  key: string,
  abort: AbortSignal,
): Promise<string | null> {
  try {
    const entries = await client.audit(target.object.name, abort);
    if (entries.some((entry) => hasMark(entry, key))) return "this plan";
    const off = entries.find(({ titleVerb }) => /\boff\b/.test(titleVerb ?? ""));
    return off === undefined ? null : `${authorOf(off)} at ${new Date(off.date).toISOString()}`;
  } catch (error) {
    if (error instanceof UnshipError) return null;
    throw error;
  }
}
