import { UnshipError } from "../../../core/errors.ts";
import type { Target, TargetResult } from "../../../core/model/plan.ts";
import type { Executor, TargetState } from "../../../core/ports.ts";
import { type FlagAnswer as Answer, reachOfFlag, reconciledFlag, type SwitchedOffBy, untold } from "../flag-answers.ts";
import type { Feature, UnleashClient, UnleashEvent } from "./client.ts";
import type { Author, OwnWrites } from "./own-writes.ts";

/** A flag in the client's environment and the newest event about it there. */
interface Standing {
  readonly feature: Feature;
  readonly enabled: boolean;
  readonly newest: UnleashEvent | null;
  /** Newest first, as many as were asked for. */
  readonly events: readonly UnleashEvent[];
}

/**
 * Switches a flag off in one environment. It acts only while the flag is on and no event about it is newer than the
 * plan's expected version (the id of the newest event then); what stood before is kept in the result's detail. Unleash
 * has no conditional write, so between that check and the switch lie some milliseconds: what else happened in them is
 * read from the event log afterwards and said in a warning. `now`: Unix ms, for the results.
 *
 * @see https://docs.getunleash.io/api/toggle-feature-environment-off
 */
export function featureFlagDisable({
  client,
  own,
  now,
}: {
  readonly client: UnleashClient;
  readonly own: OwnWrites;
  readonly now: () => number;
}): Executor {
  const answer = (target: Target, { result, detail, warnings = [] }: Answer): TargetResult => ({
    target,
    result,
    detail: `Flag ${target.object.name} in ${target.environment ?? "no environment"}: ${detail}`,
    at: now(),
    warnings: [...warnings],
  });
  const asked = async (target: Target, abort: AbortSignal, then: (standing: Standing) => Promise<Answer> | Answer) => {
    const refusal = misnamed(target, client);
    if (refusal !== null) return answer(target, { result: "refused", detail: refusal });
    const [standing] = await Promise.all([
      read(client, target.object.name, abort).catch((error: unknown) => unread(error)),
      own.learn(client, abort),
    ]);
    return answer(target, "result" in standing ? standing : await then(standing));
  };
  return {
    action: "feature_flag_disable",
    async inspect(target, abort) {
      const refusal = misnamed(target, client);
      if (refusal !== null) return { version: "", revision: "", obstacles: [refusal], warnings: [] };
      const [standing] = await Promise.all([read(client, target.object.name, abort), own.learn(client, abort)]);
      return inspected(standing, target, own);
    },
    dryRun: (target, abort) =>
      asked(target, abort, (standing) => {
        const detail = `would be switched off; ${before(standing, client)}`;
        return judge(standing, target) ?? { result: "done", detail, warnings: warningsFor(standing, client, own) };
      }),
    execute: (target, _key, abort) =>
      asked(target, abort, (standing) => {
        if (isDone(standing, target, own))
          return { result: "done", detail: `an earlier try of this plan did it${byWhom(standing.newest)}` };
        return judge(standing, target) ?? switchOff(client, own, standing, target, abort);
      }),
    async reconcile(target, _key, abort) {
      const refusal = misnamed(target, client);
      if (refusal !== null) return answer(target, untold(refusal));
      const [standing] = await Promise.all([
        read(client, target.object.name, abort, EVENTS_AFTER).catch((error: unknown) => unread(error)),
        own.learn(client, abort),
      ]);
      if (!("result" in standing)) return answer(target, reconciled(standing, target, own));
      return answer(target, standing.result === "stale" ? standing : { ...standing, result: "unknown" });
    },
  };
}

async function switchOff(
  client: UnleashClient,
  own: OwnWrites,
  standing: Standing,
  target: Target,
  abort: AbortSignal,
): Promise<Answer> {
  const warnings = warningsFor(standing, client, own);
  const was = before(standing, client);
  try {
    await client.switchOff(target.object.name, abort);
  } catch (error) {
    if (!(error instanceof UnshipError)) throw error;
    return { ...writeFailure(error), warnings };
  }
  const after = await settle(client, own, target, standing, abort);
  if (after === null)
    return { result: "unknown", detail: `the switch was answered, but the flag cannot be read; ${was}`, warnings };
  const { mine, others, enabled, doubtful } = after;
  if (doubtful !== null) return { result: "unknown", detail: `it was switched off, and ${doubtful}; ${was}`, warnings };
  if (mine !== null) own.add(mine);
  const meanwhile = others.map(
    ({ type, createdBy }) => `${createdBy} did ${type} at the same moment; check whether both are meant.`,
  );
  if (enabled)
    return {
      result: "failed",
      detail: `it was switched on again at once; ${was}`,
      warnings: [...warnings, ...meanwhile],
    };
  // Unleash writes no event for a switch that changes nothing: someone was quicker.
  if (mine === null)
    return { result: "nothing-to-do", detail: `it was switched off by someone else just before; ${was}`, warnings };
  return { result: "done", detail: `switched off (event ${mine.id}); ${was}`, warnings: [...warnings, ...meanwhile] };
}

/** What the log says came since the check: the switch (the last one off), and what others did. */
async function settle(client: UnleashClient, own: OwnWrites, target: Target, standing: Standing, abort: AbortSignal) {
  try {
    const [feature, events] = await Promise.all([
      client.feature(target.object.name, abort),
      client.events({ feature: target.object.name, limit: EVENTS_AFTER }, abort),
    ]);
    const since = events.filter(({ id }) => id > (standing.newest?.id ?? 0));
    const off = since.filter(isOff);
    const { mine, doubtful } = ownOf(off, own);
    const others = since.filter((event) => event !== mine);
    const enabled = stateOf(feature, client)?.enabled ?? false;
    const silent = !enabled && off.length === 0 ? "the event log does not say (yet) by whom" : null;
    return { mine, others, enabled, doubtful: doubtful ?? silent };
  } catch (error) {
    if (error instanceof UnshipError) return null;
    throw error;
  }
}

const isOff = ({ type }: UnleashEvent): boolean => type === "feature-environment-disabled";

/**
 * Which of the switches off at the moment of our own, newest first, is ours; `doubtful`: why nobody can tell. Without a name
 * to go by, the only one is the one that was answered. A configured name that nothing has confirmed decides against nobody.
 */
function ownOf(
  off: readonly UnleashEvent[],
  own: OwnWrites,
): { readonly mine: UnleashEvent | null; readonly doubtful: string | null } {
  const by = (...authors: readonly Author[]) => off.filter((event) => authors.includes(own.author(event)));
  const [mine = null] = by("own", "token");
  const [unknown = null, ...more] = by("unknown");
  if (mine !== null || unknown === null) return { mine, doubtful: null };
  if (more.length > 0) return { mine: null, doubtful: "that more than once at the same moment" };
  if (!own.named) return { mine: unknown, doubtful: null };
  const doubtful = `whether ${unknown.createdBy} is the name of unship's token cannot be determined: see actor in the file`;
  return { mine: null, doubtful };
}

/** Far more than can happen to one flag between a check and a switch. */
const EVENTS_AFTER = 50;

/** Why not to act on what stands; null: act. */
function judge({ enabled, newest }: Standing, { expected }: Target): Answer | null {
  const version = String(newest?.id ?? 0);
  if (!enabled) return { result: "nothing-to-do", detail: `it is off already${byWhom(newest)}` };
  if (expected.revision !== "on" || version !== expected.version)
    return {
      result: "stale",
      detail: `it changed since the plan${byWhom(newest)}; the plan expects event ${expected.version}`,
    };
  return null;
}

/** Off by an event of our own that came after the plan. */
function isDone({ enabled, newest }: Standing, { expected }: Target, own: OwnWrites): boolean {
  return !enabled && newest !== null && newest.id > Number(expected.version) && own.has(newest);
}

/**
 * From the real state and the log: an own event off since the one that the plan expected means that it was done, whatever
 * came after it. What another name did is never claimed; where the own name is not known, nobody can say whose an event is.
 */
function reconciled(standing: Standing, target: Target, own: OwnWrites): Answer {
  const { enabled, events, newest } = standing;
  const since = events.filter(({ id }) => id > Number(target.expected.version));
  const mine = since.find((event) => own.has(event));
  const warnings = since.filter((event) => event !== mine).map((event) => `Since the plan${byWhom(event)}; check it.`);
  const answer = reconciledFlag({ enabled, byWhom: byWhom(newest) }, judge(standing, target), switchedOff(since, own));
  return answer.result === "done" ? { ...answer, warnings } : answer;
}

function switchedOff(since: readonly UnleashEvent[], own: OwnWrites): SwitchedOffBy {
  const mine = since.find((event) => own.has(event));
  if (mine !== undefined) return { who: "this plan", said: byWhom(mine) };
  const off = since.filter(isOff).find((event) => own.author(event) !== "other");
  if (off !== undefined) {
    const because = `it was switched off since the plan${byWhom(off)}: whether this plan did that cannot be determined, since the name of unship's token is not known to be its alone`;
    return { who: "unknown", because };
  }
  if (since.length >= EVENTS_AFTER)
    return { who: "unknown", because: "too much happened to it since the plan to say by whom" };
  return { who: "others", said: "" };
}

function byWhom(event: UnleashEvent | null): string {
  if (event === null) return "";
  return ` (event ${event.id}, ${event.type} by ${event.createdBy} at ${new Date(event.createdAt).toISOString()})`;
}

function inspected(standing: Standing, target: Target, own: OwnWrites): TargetState {
  const { enabled, newest, feature } = standing;
  const stale = judge(standing, target)?.result === "stale";
  return {
    version: String(newest?.id ?? 0),
    revision: enabled ? "on" : "off",
    obstacles: feature.archived ? ["it is archived"] : [],
    warnings: warningsFor(standing, { environment: target.environment ?? "" }, own),
    // Unleash lets no flag with a parent have dependents of its own, so these are all.
    ...reachOfFlag(target, feature.children ?? []),
    ...(stale ? { changedBy: `it changed${byWhom(newest)}` } : {}),
  };
}

function warningsFor(
  { feature }: Standing,
  { environment }: { readonly environment: string },
  own: OwnWrites,
): readonly string[] {
  const problem = own.problem();
  const warnings = [
    ...(problem === null ? [] : [problem]),
    `Only ${environment} is switched off; users get the flag's off value there, whoever had it on.`,
  ];
  if (feature.children?.length)
    warnings.push(`Flags that depend on it go off with it: ${feature.children.join(", ")}.`);
  return warnings;
}

/** What stood before, so that a person can put it back: its rules stay in Unleash too, only the switch moves. */
function before({ feature }: Standing, client: Pick<UnleashClient, "environment">): string {
  const state = stateOf(feature, client);
  const strategies = (state?.strategies ?? []).map(({ name, disabled, parameters }) => ({
    name,
    disabled: disabled === true,
    parameters,
  }));
  return `before: ${JSON.stringify({ enabled: state?.enabled ?? false, strategies }).slice(0, BEFORE_CHARS)}`;
}

/** Dozens of strategies; a detail is read by people. */
const BEFORE_CHARS = 2000;

function misnamed({ object, environment }: Target, client: UnleashClient): string | null {
  if (environment === undefined) return "the plan names no environment";
  if (environment !== client.environment) return `this connector serves the environment ${client.environment}`;
  return object.namespace === client.project || object.namespace === ""
    ? null
    : `this connector serves the project ${client.project}, not ${object.namespace}`;
}

function writeFailure({ code, facts: { status, because } }: UnshipError): Answer {
  if (status === 403)
    return {
      result: "refused",
      detail: "Unleash forbids it (403): the token lacks the right, or the environment wants a change request",
    };
  if (code !== "source.unavailable" && code !== "source.too_large")
    return { result: "failed", detail: `Unleash refused the switch with status ${status}; nothing was written` };
  if (because === "not-sent" || status === 429)
    return {
      result: "unreachable",
      detail: `Unleash did not take the switch (${status ?? because}); nothing was written`,
    };
  return { result: "unknown", detail: `the switch was sent and not answered (${status ?? because ?? "unreadable"})` };
}

function unread(error: unknown): Answer {
  if (!(error instanceof UnshipError)) throw error;
  if (error.code === "source.not_found")
    return { result: "stale", detail: "it does not exist any more, or not in this environment" };
  if (error.code === "input.invalid") return { result: "refused", detail: error.message };
  if (error.code === "source.refused")
    return { result: "failed", detail: `Unleash refused to show it, with status ${error.facts.status}` };
  return {
    result: "unreachable",
    detail: `it could not be read (${error.facts.status ?? error.facts.because ?? error.code})`,
  };
}

async function read(client: UnleashClient, name: string, abort: AbortSignal, limit = 1): Promise<Standing> {
  const [feature, events] = await Promise.all([
    client.feature(name, abort),
    client.events({ feature: name, limit }, abort),
  ]);
  const state = stateOf(feature, client);
  if (state === undefined)
    throw new UnshipError("source.not_found", { source: client.source, what: `flag ${name} in ${client.environment}` });
  return { feature, enabled: state.enabled, newest: events[0] ?? null, events };
}

function stateOf({ environments }: Feature, { environment }: Pick<UnleashClient, "environment">) {
  return environments.find(({ name }) => name === environment);
}
