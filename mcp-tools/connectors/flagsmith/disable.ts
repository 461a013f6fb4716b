import { UnshipError } from "../../../core/errors.ts";
import type { Target } from "../../../core/model/plan.ts";
import type { Executor } from "../../../core/ports.ts";
import {
  beforeText,
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
import type { Flag, FlagsmithClient } from "./client.ts";
import { API_KEY, type flagHistory } from "./history.ts";
import { LOG_LAG_MS, type OwnSwitches } from "./own-switches.ts";

const FORBIDS = "the key lacks the right, or the environment wants a change request or versions of features";

export interface DisableParts {
  readonly client: FlagsmithClient;
  readonly history: ReturnType<typeof flagHistory>;
  readonly own: OwnSwitches;
  readonly now: () => number;
}

type Read = FlagStanding & { readonly stateId: number };

/**
 * Switches a feature off in one environment. It acts only while the feature is on and its state there was not changed
 * since the plan (`updated_at`). Flagsmith has no conditional write and takes no mark of ours, so between that check and
 * the switch lie some milliseconds: what else happened in them is read from the audit log afterwards and said. After a
 * restart a switch off by a key of the organisation may be ours or another program's: then the result stays unknown.
 * `now`: Unix ms, for the results.
 *
 * @see https://docs.flagsmith.com/clients/rest
 */
export function flagsmithDisable(parts: DisableParts): Executor {
  const { client, own, now } = parts;
  const read = async (target: Target, abort: AbortSignal): Promise<Read> =>
    standingOf(await client.flag(target.object.name, abort), client.environment);
  const answering = flagAnswering({ serves: client, read, now });
  return {
    action: "feature_flag_disable",
    async inspect(target, abort) {
      const refusal = misnamed(target, client);
      // Flagsmith knows no flags that depend on others.
      return refusal === null ? inspectedFlag(await read(target, abort), target, []) : notOurs(refusal);
    },
    dryRun: (target, abort) => answering(target, abort, unreadFlag, (standing) => dryRunOf(standing, target)),
    execute: (target, key, abort) =>
      answering(target, abort, unreadFlag, (standing) => {
        if (!standing.enabled && own.hasKey(key))
          return { result: "done", detail: `an earlier try of this plan did it${standing.byWhom}` };
        return judgeFlag(standing, target) ?? switchOff(parts, standing, key, abort);
      }),
    reconcile: (target, key, abort) =>
      answering(
        target,
        abort,
        unreadAfter,
        async (standing) =>
          reconciledFlag(standing, judgeFlag(standing, target), await switchedOff(parts, standing, target, key, abort)),
        untold,
      ),
  };
}

/**
 * Who switched it off since the plan: this process, where it remembers; else the audit log tells of persons alone, since a
 * switch by a key of the organisation may be ours or another program's.
 */
async function switchedOff(
  { own, history }: DisableParts,
  { stateId, enabled, version }: Read,
  target: Target,
  key: string,
  abort: AbortSignal,
): Promise<SwitchedOffBy> {
  if (own.hasKey(key)) return { who: "this plan", said: "" };
  const cannotTell = "whether this plan switched it off cannot be determined";
  const silent = { who: "unknown", because: `the audit log does not say by whom: ${cannotTell}` } as const;
  const since = await history(sinceOf(target), abort, stateId).catch(() => null);
  // It is written in the background, and may not hold yet what changed the state last.
  const newest = since?.at(-1)?.at ?? 0;
  if (since === null || newest < Date.parse(version) - LOG_LAG_MS) return silent;
  const off = since.filter(({ switched }) => switched !== null && (switched === "unknown" || !switched.to));
  if (off.some(({ author }) => author === API_KEY))
    return { who: "unknown", because: `a key of the organisation did it: ${cannotTell}` };
  const last = off.at(-1);
  if (last === undefined) return enabled ? { who: "others", said: "" } : silent;
  return { who: "others", said: `; ${last.author} switched it off at ${iso(last.at)}` };
}

function standingOf({ name, archived, state }: Flag, environment: string): Read {
  const { id, enabled, updated_at, feature_state_value, multivariate_feature_state_values } = state;
  return {
    stateId: id,
    enabled,
    version: updated_at,
    byWhom: ` (last changed at ${updated_at})`,
    before: beforeText({ enabled, feature_state_value, multivariate_feature_state_values }),
    obstacles: archived ? ["it is archived"] : [],
    warnings: [
      `Only ${environment} is switched off; a segment or an identity with a state of its own for ${name} keeps it.`,
    ],
  };
}

/** When Flagsmith says that the write just made happened; this machine's time where it does not. */
async function switchedAt({ client, now }: DisableParts, stateId: number, abort: AbortSignal): Promise<number> {
  const at = await client.state(stateId, abort).then(({ updated_at }) => Date.parse(updated_at), whenOurs);
  return Number.isFinite(at) ? at : now();
}

function whenOurs(error: unknown): number {
  if (error instanceof UnshipError) return Number.NaN;
  throw error;
}

async function switchOff(parts: DisableParts, standing: Read, key: string, abort: AbortSignal): Promise<FlagAnswer> {
  const { client, own } = parts;
  const { before, warnings, stateId } = standing;
  try {
    const { enabled } = await client.switchOff(stateId, abort);
    if (enabled) return { result: "failed", detail: `it was switched on again at once; ${before}`, warnings };
    own.add(key, stateId, await switchedAt(parts, stateId, abort));
    const others = await meanwhile(parts, standing, abort);
    return { result: "done", detail: `switched off; ${before}`, warnings: [...warnings, ...others] };
  } catch (error) {
    if (!(error instanceof UnshipError)) throw error;
    return { ...failedSwitch(error, FORBIDS), warnings };
  }
}

/** What the audit log holds of this state since the check, but for our own switch: the newest one off by a key. */
async function meanwhile(
  { history }: DisableParts,
  { stateId, version }: Read,
  abort: AbortSignal,
): Promise<readonly string[]> {
  try {
    const since = (await history(Date.parse(version), abort, stateId)).filter(({ at }) => at > Date.parse(version));
    const mine = since.findLast(({ author }) => author === API_KEY);
    return since
      .filter((event) => event !== mine)
      .map(({ author }) => `${author} changed it at the same moment; check whether both are meant.`);
  } catch {
    return ["The audit log could not be read: whether somebody changed it at the same moment is not known."];
  }
}

const sinceOf = ({ expected }: Target): number => {
  const at = Date.parse(expected.version);
  return Number.isNaN(at) ? 0 : at;
};

const iso = (at: number): string => new Date(at).toISOString();
