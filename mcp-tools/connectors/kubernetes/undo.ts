import { setTimeout as sleep } from "node:timers/promises";
import { UnshipError } from "../../../core/errors.ts";
import type { Target, TargetResult } from "../../../core/model/plan.ts";
import type { Arrival, Executor, TargetState } from "../../../core/ports.ts";
import { brokenPodsLeft, type Cleared, deleteBrokenPods } from "./broken-pods.ts";
import { capacityOf } from "./capacity.ts";
import { type KubeClient, WORKLOAD_KINDS, type WorkloadKind } from "./client.ts";
import { type HistoryEntry, readHistory, type Workload } from "./history.ts";
import { causeOfRollback, isOwn, markAnnotations, markOf, marksAbout } from "./mark.ts";
import { type PodTemplate, RolloutObject, WorkloadObject } from "./objects.ts";
import { isComplete } from "./rollout-status.ts";
import { fingerprint, sameTemplate, versionOf } from "./template.ts";
import { mayStillLand, type UnansweredWrites, unansweredWrites } from "./unanswered-writes.ts";
import { judge, obstaclesTo, settled, standing, warningsFor } from "./undo-judge.ts";
import { undoPatch } from "./undo-patch.ts";
import { writtenAt } from "./written-at.ts";

/** A rollout in progress bumps resourceVersion with each of its status writes, a few a second; so many tries pass it. */
const TRIES = 8;
/** Doubles with each try: 10, 20, … 640 ms. As client-go's RetryOnConflict begins. */
const FIRST_PAUSE_MS = 10;

type Answer = Pick<TargetResult, "result" | "detail"> & {
  readonly warnings?: readonly string[];
  /** Of one that is found done: when it was written. */
  readonly carriedOut?: TargetResult["carriedOut"];
  /** Of an unknown one: no answer of the server came, so that it may carry the write out later. */
  readonly mayStillLand?: boolean;
};

/**
 * What `kubectl rollout undo --to-revision` does for a Deployment, StatefulSet or DaemonSet, and `kubectl argo rollouts
 * undo` for a Rollout, plus what they lack: it
 * restores the revision that the plan names and never "the previous one"; it writes only while the object is exactly
 * at the plan's expected revision and version, under an optimistic lock, and on a conflict reads and judges again; it
 * refuses by name what should not be undone (paused, deleted, managed by GitOps, revision gone); it keeps the object's
 * annotations and every field that it does not know; and it leaves a mark in the same write, by which `reconcile` can
 * tell from the object alone whether it happened. Broken pods that a StatefulSet would wait for are deleted after that
 * write. `now`: Unix ms, for that mark and the results.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.32.3/staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollback.go
 */
export function kubectlRolloutUndo({
  client,
  now,
}: {
  readonly client: KubeClient;
  readonly now: () => number;
}): Executor {
  const parts = { client, now, unanswered: unansweredWrites(now) };
  const answer = (target: Target, { result, detail, warnings = [], carriedOut }: Answer): TargetResult => ({
    target,
    result,
    detail: `${target.object.kind} ${target.object.namespace}/${target.object.name}: ${detail}`,
    at: now(),
    warnings: [...warnings],
    ...(carriedOut === undefined ? {} : { carriedOut }),
  });
  return {
    action: "kubectl_rollout_undo",
    inspect: async (target, abort) => inspected(await readWorkload(client, target, abort), target),
    dryRun: async (target, abort) => answer(target, await undo(parts, target, "dry-run", true, abort)),
    execute: async (target, key, abort) => answer(target, await undo(parts, target, key, false, abort)),
    reconcile: async (target, key, abort) => answer(target, await reconciled(parts, target, key, abort)),
    arrived: async (target, abort) => arrivalOf(await readWorkload(client, target, abort), target),
  };
}

interface Parts {
  readonly client: KubeClient;
  readonly now: () => number;
  readonly unanswered: UnansweredWrites;
}

async function undo(
  { client, now, unanswered }: Parts,
  target: Target,
  key: string,
  dryRun: boolean,
  abort: AbortSignal,
): Promise<Answer> {
  for (let turn = 0; turn < TRIES; turn++) {
    if (turn > 0) await sleep(FIRST_PAUSE_MS * 2 ** (turn - 1), undefined, { signal: abort }).catch(() => {});
    const workload = await readWorkload(client, target, abort).catch((error: unknown) => unread(error));
    if ("result" in workload) return workload;
    if (hasMark(workload, key)) {
      const done = { result: "done" as const, detail: `${standing(workload)}: an earlier try of this plan did it` };
      return dryRun ? done : cleared(done, await deleteBrokenPods(client, workload, target, now, abort));
    }
    const verdict = judge(workload, target);
    if (verdict.kind === "answer") return verdict;
    const answer = await write(client, workload, target, verdict.entry, key, dryRun, now(), abort);
    if (answer === "conflict") continue;
    if (answer.mayStillLand) unanswered.sent(key, workload.object.metadata);
    if (dryRun || answer.result !== "done") return answer;
    return cleared(answer, await deleteBrokenPods(client, workload, target, now, abort));
  }
  return {
    result: "failed",
    detail: `it changed between reading and writing ${TRIES} times in a row; nothing was written`,
  };
}

const cleared = ({ result, detail, warnings = [] }: Answer, { did, warnings: more }: Cleared): Answer => ({
  result,
  detail: `${detail}${did}`,
  warnings: [...warnings, ...more],
});

/** One write of what was just judged. "conflict": the object is no longer the one that was judged; nothing was written. */
async function write(
  client: KubeClient,
  workload: Workload,
  target: Target,
  entry: HistoryEntry,
  key: string,
  dryRun: boolean,
  at: number,
  abort: AbortSignal,
): Promise<Answer | "conflict"> {
  const { kind, object, history } = workload;
  const { namespace, name, generation } = object.metadata;
  const revision = String((history.at(-1)?.number ?? 0) + 1);
  const mark = {
    key,
    revision,
    from: target.expected.revision,
    to: entry.revision,
    template: fingerprint(entry.template),
    at,
    uid: object.metadata.uid,
  };
  const cause = causeOfRollback(target.expected.version, `revision ${entry.revision} (${entry.version})`, key);
  const patch = undoPatch(workload, entry, markAnnotations(mark, cause, marksOn(workload)));
  const warnings = warningsFor(workload, entry);
  try {
    const schema = kind === "Rollout" ? RolloutObject : WorkloadObject;
    const after = await client.patch<WorkloadObject>(kind, namespace, name, patch, schema, { dryRun }, abort);
    const changed = changedOnTheWay(workload, entry, after.spec.template);
    if (changed.instead !== null) return { result: "failed", detail: changed.instead, warnings };
    if (after.metadata.generation === generation)
      return {
        result: "nothing-to-do",
        detail: `the API server found no difference to revision ${entry.revision}`,
        warnings,
      };
    const did = dryRun ? "the API server would accept" : "restored";
    return {
      result: "done",
      detail: `${did} revision ${entry.revision} (${entry.version}), from now on revision ${revision}`,
      warnings: [...warnings, ...changed.warnings],
    };
  } catch (error) {
    if (!(error instanceof UnshipError)) throw error;
    if (error.code === "source.conflict") return "conflict";
    if (error.facts.status === 422 && (await moved(client, target, object, abort))) return "conflict";
    return { ...writeFailure(error, dryRun), warnings };
  }
}

/**
 * What the API server stored of a template that we wrote, where that is another one: admission webhooks and policies rewrite
 * what is sent to them. `instead`: what is restored does not stand.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
 */
function changedOnTheWay({ object }: Workload, entry: HistoryEntry, stored: PodTemplate) {
  if (sameTemplate(stored, entry.template)) return { instead: null, warnings: [] };
  const stands = versionOf(stored);
  const kept = sameTemplate(stored, object.spec.template);
  const find = "an admission webhook or policy changed it (kubectl get mutatingwebhookconfigurations)";
  if (!kept && stands === entry.version)
    return {
      instead: null,
      warnings: [`The API server stored another template than that of revision ${entry.revision}: ${find}.`],
    };
  const what = kept ? `kept the template as it was (${stands})` : `stored ${stands}`;
  return {
    instead: `the API server took the write and ${what}, not revision ${entry.revision} (${entry.version}): ${find}`,
    warnings: [],
  };
}

/** A failed JSON-patch test is answered with 422, like an invalid object: the resourceVersion tells them apart. */
async function moved(client: KubeClient, target: Target, object: WorkloadObject, abort: AbortSignal): Promise<boolean> {
  const again = await readObject(client, target, abort).catch(() => null);
  return again !== null && again.metadata.resourceVersion !== object.metadata.resourceVersion;
}

/** What a write that failed with this error may have done. 429 is sent before anything is done; a 5xx may come after. */
function writeFailure(error: UnshipError, dryRun: boolean): Answer {
  const { status, because } = error.facts;
  if (error.code !== "source.unavailable" && error.code !== "source.shape" && error.code !== "source.too_large")
    return { result: "failed", detail: `the API server refused the write with status ${status}; nothing was written` };
  if (because === "not-sent" || status === 429 || dryRun)
    return {
      result: "unreachable",
      detail: `the API server did not take the write (${status ?? because}); nothing was written`,
    };
  const detail = `the write was sent and not answered (${status ?? because ?? "unreadable"})`;
  return { result: "unknown", detail, mayStillLand: mayStillLand(error) };
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

async function reconciled(
  { client, now, unanswered }: Parts,
  target: Target,
  key: string,
  abort: AbortSignal,
): Promise<Answer> {
  const workload = await readWorkload(client, target, abort).catch((error: unknown) => unread(error));
  if ("result" in workload) {
    const unreadable = workload.result === "unreachable" || workload.result === "failed";
    return unreadable ? { result: "unknown", detail: workload.detail } : workload;
  }
  const marked = marksOn(workload).some((mark) => mark.key === key);
  const warnings = warningsFor(workload, workload.current, "after");
  if (hasMark(workload, key)) {
    const left = await brokenPodsLeft(client, workload, target, now, abort);
    const carriedOut = writtenAt(workload.object.metadata) ?? undefined;
    return { result: "done", detail: `done: ${standing(workload)}`, warnings: [...warnings, ...left], carriedOut };
  }
  const verdict = judge(workload, target);
  // Its mark beside exactly what the plan expects: the write was taken, and its template was not.
  if (marked && verdict.kind !== "go")
    return { result: "done", detail: `done, and replaced since: ${standing(workload)}`, warnings };
  if (verdict.kind === "go") {
    const open = unanswered.whether(key, workload.object.metadata);
    return { result: open.result, detail: `${open.detail}: ${standing(workload)}${open.next}`, warnings };
  }
  if (verdict.result === "stale" && wasRestored(workload, target))
    return {
      result: "unknown",
      detail: `${target.restore.version} was restored after this plan and replaced since (${standing(workload)}); no mark tells whether this plan did it`,
      warnings,
    };
  return { ...verdict, detail: `not done by this plan: ${verdict.detail}`, warnings };
}

const marksOn = ({ object, history }: Workload) =>
  marksAbout(
    object.metadata,
    history.map(({ meta }) => meta),
  );

/**
 * What the plan restores was given a number after the one that the plan expects, and is not what stands. Ours leaves a mark
 * with that, which somebody's replacement of the whole object takes away: a ControllerRevision that came back has no copy.
 */
function wasRestored({ history, current }: Workload, { expected, restore }: Target): boolean {
  const isGone = history.every(({ revision }) => revision !== restore.revision);
  const isBack = history.some((one) => one.version === restore.version && one.number > Number(expected.revision));
  return isGone && isBack && current?.version !== restore.version;
}

/** The mark of this key on the object, true of the template that stands (its controller may not have numbered it yet). */
function hasMark({ object }: Workload, key: string): boolean {
  const mark = markOf(object.metadata);
  return mark !== null && mark.key === key && isOwn(mark, mark.revision, object.spec.template);
}

function inspected(workload: Workload, target: Target): TargetState {
  const { current, object, history } = workload;
  const entry = history.find(({ revision }) => revision === target.restore.revision) ?? null;
  const verdict = judge(workload, target);
  const refusal = verdict.kind === "answer" && verdict.result === "refused" ? [verdict.detail] : [];
  const moved = verdict.kind === "answer" && verdict.result === "stale";
  const capacity = entry === null ? undefined : capacityOf(workload.kind, object, entry.template);
  return {
    version: current?.version ?? versionOf(object.spec.template),
    revision: settled(workload) ? (current?.revision ?? "") : "",
    obstacles: [...new Set([...obstaclesTo(workload), ...refusal])],
    warnings: warningsFor(workload, entry),
    ...(moved ? { changedBy: standing(workload) } : {}),
    ...(capacity === undefined ? {} : { capacity }),
  };
}

/** All pods of the restored version serve, or what stands in the way of that. */
function arrivalOf(workload: Workload, { restore }: Target): Arrival {
  const { object, current } = workload;
  const version = current?.version ?? versionOf(object.spec.template);
  const detail = standing(workload);
  if (version !== restore.version) return { state: "not-coming", detail: `it is at ${version} by now` };
  if (isComplete(workload)) return { state: "arrived", detail };
  if (object.spec.paused) return { state: "not-coming", detail: "its rollout is paused" };
  const progressing = object.status.conditions.find(({ type }) => type === "Progressing");
  const stuck = progressing?.reason === "ProgressDeadlineExceeded" && progressing.status === "False";
  return stuck
    ? { state: "not-coming", detail: "its rollout exceeded its progress deadline" }
    : { state: "coming", detail };
}

async function readWorkload(client: KubeClient, target: Target, abort: AbortSignal): Promise<Workload> {
  const object = await readObject(client, target, abort);
  return readHistory(client, workloadKind(target), object, abort);
}

async function readObject(client: KubeClient, target: Target, abort: AbortSignal): Promise<WorkloadObject> {
  const { namespace, name } = target.object;
  const kind = workloadKind(target);
  return client.get(kind, namespace, name, kind === "Rollout" ? RolloutObject : WorkloadObject, abort);
}

function workloadKind(target: Target): WorkloadKind {
  const kind = WORKLOAD_KINDS.find((one) => one === target.object.kind);
  if (kind !== undefined) return kind;
  const reason = `kubectl rollout undo knows ${WORKLOAD_KINDS.join(", ")}, not ${target.object.kind}`;
  throw new UnshipError("target.refused", { target: target.object.name, reason });
}
