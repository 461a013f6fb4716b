import { setTimeout as sleep } from "node:timers/promises";
import { UnshipError } from "../../../core/errors.ts";
import type { ActionType, Target, TargetResult } from "../../../core/model/plan.ts";
import type { Executor, TargetState } from "../../../core/ports.ts";
import { type Trial, trialOf } from "./argo-rollout.ts";
import { namedEntry } from "./change-id.ts";
import { FIELD_MANAGER, type KubeClient } from "./client.ts";
import { readHistory, type Workload } from "./history.ts";
import { type ActMark, actAnnotation, actMarkOf } from "./mark.ts";
import { RolloutObject } from "./objects.ts";
import { isComplete } from "./rollout-status.ts";
import { mayStillLand, type UnansweredWrites, unansweredWrites } from "./unanswered-writes.ts";
import { addAnnotations } from "./undo-patch.ts";

/** Its controller writes the status a few times a second while it rolls out; so many tries pass it. */
const TRIES = 6;
const FIRST_PAUSE_MS = 20;

/** A Rollout with its history, read now. */
interface Seen {
  readonly object: RolloutObject;
  readonly workload: Workload;
  readonly trial: Trial | null;
}

type Verdict =
  | { readonly kind: "go" }
  | { readonly kind: "answer"; readonly result: TargetResult["result"]; readonly detail: string };

/** One of the three acts on a trial: when it may be done, by which write, and what it leaves to say. */
interface Act {
  readonly action: ActionType;
  /** What stands, in the plan's terms, once the act is done; null: it is not. */
  readonly standing: (seen: Seen) => Pick<TargetState, "version" | "revision"> | null;
  readonly done: (target: Target) => string;
  readonly obstacles: (seen: Seen) => readonly string[];
  readonly warnings: (seen: Seen) => readonly string[];
  /** The one field that it sets to true: its JSON pointer. */
  readonly field: "/status/abort" | "/spec/paused" | "/status/promoteFull";
}

const version = ({ version, revision }: Trial["newest"]) => ({ version, revision });

/**
 * Gives all traffic back to the stable version. The spec stays as it is, so the Rollout is degraded afterwards, and any
 * retry or change of the spec tries the new version again. Once a version is wholly promoted there is nothing to abort.
 */
const ABORT: Act = {
  action: "rollout_abort",
  standing: ({ trial }) => (trial?.aborted ? version(trial.stable) : null),
  done: ({ restore }) => `aborted: all traffic is back at ${restore.version}`,
  obstacles: () => [],
  warnings: ({ object, trial }) => [
    `${trial?.newest.version ?? "The new version"} stays in its spec: it is degraded now, and a retry or any change of the spec tries that version again. Only changing the template (in Git, where that rules) finishes the job.`,
    ...(object.spec.strategy?.canary?.dynamicStableScale === true
      ? ["dynamicStableScale: the stable version has fewer pods than before the trial; traffic returns as they come."]
      : []),
  ],
  field: "/status/abort",
};

/** Holds the trial where it is: both versions go on serving as they do now, until somebody lets it go on or aborts it. */
const PAUSE: Act = {
  action: "rollout_pause",
  standing: ({ object, trial }) =>
    object.spec.paused && trial !== null ? { version: trial.newest.version, revision: "paused" } : null,
  done: ({ expected }) => `paused: ${expected.version} keeps the share that it has`,
  obstacles: () => [],
  warnings: ({ trial }) => [
    `${trial?.newest.version ?? "The new version"} goes on serving its share: a pause rolls nothing back, and ends by a promotion or an abort alone.`,
  ],
  field: "/spec/paused",
};

/** Gives all traffic to the new version at once: what is left of its steps, pauses and analyses is skipped. */
const PROMOTE: Act = {
  action: "rollout_promote",
  standing: ({ workload: { current }, trial, object }) => {
    const whole = trial === null && current !== null && object.status.stableRS === object.status.currentPodHash;
    if (!whole && !trial?.promoting) return null;
    return { version: trial?.newest.version ?? current?.version ?? "", revision: "promoted" };
  },
  done: ({ expected }) => `promoted: ${expected.version} gets all traffic, without the steps that were left`,
  obstacles: ({ object, trial }) => [
    ...(trial?.aborted ? ["it was aborted: a retry tries the new version again, a promotion does not"] : []),
    ...(object.spec.paused ? ["somebody paused it: only they should let it go on"] : []),
  ],
  warnings: () => ["Steps, pauses and analyses that were left are skipped."],
  field: "/status/promoteFull",
};

export interface RolloutActsOptions {
  readonly client: KubeClient;
  /** Unix ms, for the results. */
  readonly now: () => number;
}

/**
 * Abort, pause and promote of an Argo Rollout. Each writes one field, under a test of the resourceVersion of the object
 * that was judged, and only while the trial is the plan's: the same new version beside the same stable one. On a
 * conflict the object is read and judged again. The field says itself whether an act stands, and the object's managedFields
 * whose it is. That an act was done and has been ended since, by a retry, say, no field tells: so a mark of the plan is left
 * in the same write or, since a write of the status can leave none, in one of its own before it. Where that stands and somebody
 * wrote after it, the act is not repeated.
 *
 * @see https://github.com/argoproj/argo-rollouts/tree/9f8d111/pkg/kubectl-argo-rollouts/cmd (abort, pause, promote)
 */
export function rolloutActs(options: RolloutActsOptions): readonly Executor[] {
  return [ABORT, PAUSE, PROMOTE].map((act) => executorOf(act, options));
}

function executorOf(act: Act, { client, now }: RolloutActsOptions): Executor {
  const unanswered = unansweredWrites(now);
  const answer = (target: Target, answered: Answer): TargetResult => ({
    target,
    result: answered.result,
    detail: `${target.object.kind} ${target.object.namespace}/${target.object.name}: ${answered.detail}`,
    at: now(),
    warnings: [...(answered.warnings ?? [])],
  });
  return {
    action: act.action,
    inspect: async (target, abort) => inspected(act, await read(client, target, abort), target),
    async arrived(target, abort) {
      const seen = await read(client, target, abort);
      const stands = act.standing(seen);
      const reached = stands?.version === target.restore.version && stands.revision === target.restore.revision;
      if (!reached) return { state: "not-coming", detail: words(seen) };
      // A pause moves no pods; the others are in effect once the version that has all traffic has all its pods.
      const up = act === PAUSE || (isComplete(seen.workload) && (act === ABORT || seen.trial === null));
      return { state: up ? "arrived" : "coming", detail: words(seen) };
    },
    dryRun: async (target, abort) => answer(target, await carryOut(act, client, target, null, abort)),
    execute: async (target, key, abort) =>
      answer(target, await carryOut(act, client, target, { key, at: now(), unanswered }, abort)),
    async reconcile(target, key, abort) {
      const seen = await read(client, target, abort).catch(unread);
      if ("result" in seen)
        return answer(target, seen.result === "unreachable" ? { ...seen, result: "unknown" } : seen);
      if (seen.workload.current === null) return answer(target, { result: "unknown", detail: BEHIND });
      const verdict = judge(act, seen, target);
      if (verdict.kind === "go") {
        const ended = endedSince(act, seen, key);
        const { result, detail, next } = unanswered.whether(key, seen.object.metadata);
        return answer(target, ended ?? { result, detail: `${detail}${next}` });
      }
      const done = verdict.result === "nothing-to-do" && isOurs(act, seen);
      return answer(target, { ...verdict, result: done ? "done" : verdict.result, warnings: act.warnings(seen) });
    },
  };
}

type Answer = Pick<TargetResult, "result" | "detail"> & { readonly warnings?: readonly string[] };

/** `run` null: a dry run, which leaves no mark. */
async function carryOut(
  act: Act,
  client: KubeClient,
  target: Target,
  run: { readonly key: string; readonly at: number; readonly unanswered: UnansweredWrites } | null,
  abort: AbortSignal,
): Promise<Answer> {
  const { namespace, name } = target.object;
  const dryRun = run === null;
  const patch = (body: readonly unknown[], status: boolean) =>
    client.patch(
      "Rollout",
      namespace,
      name,
      { contentType: "application/json-patch+json", body },
      RolloutObject,
      { dryRun, status },
      abort,
    );
  for (let turn = 0; turn < TRIES; turn++) {
    if (turn > 0) await sleep(FIRST_PAUSE_MS * 2 ** (turn - 1), undefined, { signal: abort }).catch(() => {});
    const seen = await read(client, target, abort).catch(unread);
    if ("result" in seen) return seen;
    const verdict = judge(act, seen, target);
    if (verdict.kind === "answer") return verdict;
    const ended = run === null ? null : endedSince(act, seen, run.key);
    if (ended !== null) return ended;
    const warnings = act.warnings(seen);
    const { metadata } = seen.object;
    const mark = run === null ? [] : addAnnotations(metadata, actAnnotation(markFor(act, seen, run)));
    let judged: typeof metadata | null = metadata;
    try {
      if (isOfStatus(act)) {
        const marked = actMarkOf(metadata);
        const due = run !== null && (marked?.key !== run.key || marked.generation !== metadata.generation);
        // A mark that was not answered is no act: nothing of it can be carried out later.
        judged = null;
        judged = due ? (await patch([...asRead(metadata), ...mark], false)).metadata : metadata;
        await patch([...asRead(judged), setting(act)], true);
      } else await patch([...asRead(metadata), setting(act), ...mark], false);
      return {
        result: "done",
        detail: `${dryRun ? "the API server would accept it: " : ""}${act.done(target)}`,
        warnings,
      };
    } catch (error) {
      if (!(error instanceof UnshipError)) throw error;
      // A failed test is answered with 422, like an invalid object: the resourceVersion tells them apart.
      const conflict = error.code === "source.conflict" || error.facts.status === 422;
      if (conflict && (await moved(client, target, seen, abort))) continue;
      const failure = writeFailure(error, dryRun);
      if (failure.result === "unknown" && mayStillLand(error) && judged !== null) run?.unanswered.sent(run.key, judged);
      return { ...failure, warnings };
    }
  }
  return {
    result: "failed",
    detail: `it changed between reading and writing ${TRIES} times in a row; nothing was written`,
  };
}

const BEHIND = "its controller has not caught up with the last write";

/** Whether the act may be done to what stands. Pure; asked before each write, so after each conflict too. */
function judge(act: Act, seen: Seen, target: Target): Verdict {
  const { expected, restore } = target;
  const { object, trial, workload } = seen;
  const answer = (result: TargetResult["result"], detail: string): Verdict => ({ kind: "answer", result, detail });
  if (object.metadata.deletionTimestamp !== undefined) return answer("refused", "it is being deleted");
  const { current } = workload;
  if (current === null) return answer("stale", BEHIND);
  const stands = act.standing(seen);
  const own = current.version === expected.version && current.revision === expected.revision;
  if (own && stands?.version === restore.version && stands.revision === restore.revision)
    return answer("nothing-to-do", `it is so already (${words(seen)})`);
  if (!own)
    return answer("stale", `${words(seen)}; the plan expects ${expected.version} (revision ${expected.revision})`);
  const named = namedEntry(target);
  if (named !== null && named !== current.meta.name)
    return answer(
      "stale",
      `${words(seen)}, of ${current.meta.name}; the plan is about ${named}: it was made anew since`,
    );
  if (trial === null)
    return answer(
      "refused",
      `${words(seen)}, which has all traffic: there is no trial any more, only an undo rolls it back`,
    );
  if (act === ABORT && (trial.stable.version !== restore.version || trial.stable.revision !== restore.revision))
    return answer(
      "stale",
      `beside it serves ${trial.stable.version} (revision ${trial.stable.revision}), not ${restore.version}`,
    );
  const [obstacle] = act.obstacles(seen);
  return obstacle === undefined ? { kind: "go" } : answer("refused", obstacle);
}

function words({ workload: { current }, trial }: Seen): string {
  const at = `it is at ${current?.version ?? "no version"} (revision ${current?.revision ?? "none"})`;
  if (trial === null) return at;
  return `${at}, ${trial.aborted ? "aborted; all traffic is at" : "beside"} ${trial.stable.version}`;
}

function inspected(act: Act, seen: Seen, target: Target): TargetState {
  const { workload, object } = seen;
  const verdict = judge(act, seen, target);
  const current = workload.current ?? { version: "", revision: "" };
  const stands = act.standing(seen) ?? { version: current.version, revision: current.revision };
  const refused = verdict.kind === "answer" && verdict.result === "refused";
  const stale = verdict.kind === "answer" && verdict.result === "stale";
  return {
    ...stands,
    obstacles: refused ? [verdict.detail] : [],
    warnings: act.warnings(seen),
    // Nothing is restored that does not serve now: the stable version runs beside the new one, with pods of its own.
    capacity: { replicas: object.spec.replicas, less: [] },
    ...(stale ? { changedBy: verdict.detail } : {}),
  };
}

async function read(client: KubeClient, target: Target, abort: AbortSignal): Promise<Seen> {
  const { kind, namespace, name } = target.object;
  if (kind !== "Rollout")
    throw new UnshipError("target.refused", { target: name, reason: `Argo Rollouts knows a Rollout, not a ${kind}` });
  const object = await client.get("Rollout", namespace, name, RolloutObject, abort);
  const workload = await readHistory(client, "Rollout", object, abort);
  return { object, workload, trial: trialOf(workload) };
}

async function moved(client: KubeClient, target: Target, { object }: Seen, abort: AbortSignal): Promise<boolean> {
  const again = await read(client, target, abort).catch(() => null);
  return again !== null && again.object.metadata.resourceVersion !== object.metadata.resourceVersion;
}

const isOfStatus = ({ field }: Act): boolean => field.startsWith("/status/");

const asRead = ({ resourceVersion }: { readonly resourceVersion: string }) => [
  { op: "test", path: "/metadata/resourceVersion", value: resourceVersion },
];

const setting = ({ field }: Act) => ({ op: "add", path: field, value: true });

const markFor = ({ action }: Act, { object }: Seen, { key, at }: Pick<ActMark, "key" | "at">): ActMark => ({
  key,
  at,
  action,
  generation: object.metadata.generation,
});

/**
 * What to answer where this plan began the act, the act does not stand, and somebody may have ended it: what people ended is
 * not done again. Null where nobody wrote since, so that it certainly was not done. Its controller's writes end no act by
 * themselves: it does so after a change of the spec (a new generation), a retry or a promotion, which stand under other names.
 *
 * @see https://github.com/argoproj/argo-rollouts/blob/9f8d111/rollout/sync.go (resetRolloutStatus)
 */
function endedSince(act: Act, { object: { metadata } }: Seen, key: string): Answer | null {
  const mark = actMarkOf(metadata);
  if (mark?.key !== key || mark.action !== act.action) return null;
  if (!isOfStatus(act)) return { result: "done", detail: "done by this plan, and ended by somebody since" };
  const { managedFields, generation } = metadata;
  const ours = managedFields.filter(
    ({ manager, subresource }) => manager === FIELD_MANAGER && subresource === undefined,
  );
  // By the clock that the other writes were timed by, which keeps whole seconds.
  const since = Math.max(...ours.flatMap(({ time }) => time ?? []));
  const from = Number.isFinite(since) ? since : Math.floor(mark.at / 1000) * 1000;
  const others = managedFields.filter(({ manager, time }) => !NO_PERSON.includes(manager) && (time ?? 0) >= from);
  // An API server always keeps them: where none stand, somebody cleared them.
  if (managedFields.length > 0 && generation === mark.generation && others.length === 0) return null;
  const untold = generation === mark.generation ? "nothing tells who wrote to it since" : "its spec was changed since";
  const who = others.length === 0 ? untold : `${others.map(({ manager }) => manager).join(", ")} wrote to it since`;
  return {
    result: "unknown",
    detail: `this plan began it, it does not hold, and ${who}: whether it was done and ended, or never done, cannot be determined, and it is not repeated`,
  };
}

/** Ourselves, and Argo Rollouts' controller, by the name of its program, which is what a client writes under. */
const NO_PERSON: readonly string[] = [FIELD_MANAGER, "rollouts-controller"];

/** The API server keeps who wrote a field last. @see https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
function isOurs({ field }: Act, { object }: Seen): boolean {
  const key = `"f:${field.split("/").at(-1)}":`;
  return object.metadata.managedFields.some(
    ({ manager, fieldsV1 }) => manager === FIELD_MANAGER && JSON.stringify(fieldsV1 ?? {}).includes(key),
  );
}

function writeFailure({ code, facts: { status, because } }: UnshipError, dryRun: boolean): Answer {
  if (code !== "source.unavailable" && code !== "source.shape" && code !== "source.too_large")
    return { result: "failed", detail: `the API server refused the write with status ${status}; nothing was written` };
  if (because === "not-sent" || status === 429 || dryRun)
    return { result: "unreachable", detail: `the API server did not take the write (${status ?? because})` };
  return { result: "unknown", detail: `the write was sent and not answered (${status ?? because ?? "unreadable"})` };
}

function unread(error: unknown): Answer {
  if (!(error instanceof UnshipError)) throw error;
  if (error.code === "source.not_found") return { result: "stale", detail: "it does not exist any more" };
  if (error.code === "input.invalid") return { result: "refused", detail: error.message };
  if (error.code === "target.refused") return { result: "refused", detail: String(error.facts.reason) };
  if (error.code === "source.refused")
    return { result: "failed", detail: `the API server refused to show it, with status ${error.facts.status}` };
  return {
    result: "unreachable",
    detail: `it could not be read (${error.facts.status ?? error.facts.because ?? error.code})`,
  };
}
