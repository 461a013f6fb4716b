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
  reconciledFlag,
  type SwitchedOffBy,
  unreadAfter,
  unreadFlag,
  untold,
} from "../flag-answers.ts";
import type { AuditEntry, LaunchDarklyClient } from "./client.ts";
import { authorOf, hasMark, markOf, type Standing, standingOf } from "./standing.ts";

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
  const read = async (target: Target, abort: AbortSignal): Promise<Standing> =>
    standingOf(await client.flag(target.object.name, abort), client);
  const answering = flagAnswering({ serves: client, read, now });
  return {
    action: "feature_flag_disable",
    async inspect(target, abort) {
      const refusal = misnamed(target, client);
      if (refusal !== null) return notOurs(refusal);
      const [standing, dependents] = await Promise.all([
        read(target, abort),
        client.dependents(target.object.name, abort),
      ]);
      return inspectedFlag(standing, target, dependents);
    },
    dryRun: (target, abort) => answering(target, abort, unreadFlag, (standing) => dryRunOf(standing, target)),
    execute: (target, key, abort) =>
      answering(target, abort, unreadFlag, async (standing) => {
        if (!standing.enabled && (await switchedOff(client, standing, target, key, abort)).who === "this plan")
          return { result: "done", detail: `an earlier try of this plan did it${standing.byWhom}` };
        return judgeFlag(standing, target) ?? switchOff(client, standing, target, key, abort, read);
      }),
    reconcile: (target, key, abort) =>
      answering(
        target,
        abort,
        unreadAfter,
        async (standing) =>
          reconciledFlag(
            standing,
            judgeFlag(standing, target),
            await switchedOff(client, standing, target, key, abort),
          ),
        untold,
      ),
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

/** The flag and its entry are dated by two parts of one system. */
const LOG_LAG_MS = 5000;
const UNTOLD = "the audit log does not say (yet) whether this plan switched it off";

/**
 * Who switched it off since the plan, by the audit log: this plan, where an entry carries its mark. Each write to the flag
 * counts its version up by one, so that a flag that is on and one version further was certainly not switched off and on
 * again. Never throws for a log that is down.
 */
async function switchedOff(
  client: LaunchDarklyClient,
  { enabled, version, changedAt }: Standing,
  { object, expected }: Target,
  key: string,
  abort: AbortSignal,
): Promise<SwitchedOffBy> {
  try {
    const entries = await client.audit(object.name, abort);
    const mine = entries.find((entry) => hasMark(entry, key));
    if (mine !== undefined) return { who: "this plan", said: ` (${told(mine)})` };
    const since = Number(version) - Number(expected.version);
    if (enabled && since <= 1) return { who: "others", said: "" };
    const last = entries.find(({ titleVerb }) => (enabled ? /\bon\b/ : /\boff\b/).test(titleVerb ?? ""));
    // A page that ends within what happened since the plan, or a log that lags behind the flag, may hide the own entry.
    const whole = since <= entries.length && (entries[0]?.date ?? 0) >= (changedAt ?? 0) - LOG_LAG_MS;
    if (last === undefined || !whole) return { who: "unknown", because: UNTOLD };
    return { who: "others", said: `; ${told(last)}` };
  } catch (error) {
    if (error instanceof UnshipError) return { who: "unknown", because: UNTOLD };
    throw error;
  }
}

const told = (entry: AuditEntry): string =>
  `${authorOf(entry)} ${entry.titleVerb ?? "changed it"} at ${new Date(entry.date).toISOString()}`;
