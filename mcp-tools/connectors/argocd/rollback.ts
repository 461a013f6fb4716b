import { setTimeout as sleep } from "node:timers/promises";
import { UnshipError } from "../../../core/errors.ts";
import type { Target, TargetResult } from "../../../core/model/plan.ts";
import type { Arrival, Executor, TargetState } from "../../../core/ports.ts";
import { type Application, autoSync, current, operationInProgress, versionOf } from "./application.ts";
import { capacityOf } from "./capacity.ts";
import type { ArgocdClient } from "./client.ts";
import {
  entryOf,
  failedTry,
  type Judgement,
  judge,
  obstaclesTo,
  ownTry,
  type Seen,
  standing,
  syncedAt,
  warningsFor,
} from "./judge.ts";
import { autoSyncWords, MAY_BE_OFF, switchedOffBy, switchOnAgain, switchOnIfSafe } from "./own-switch.ts";
import { ownersOf } from "./owners.ts";
import { switchOffPatch } from "./patches.ts";
import { reachOf } from "./reach.ts";
import type { RevertDesk } from "./revert.ts";

/** The controller writes an application's status a few times a minute, more often while it syncs; so many tries pass it. */
const TRIES = 5;
/** A sync of a few manifests takes seconds; what takes longer is verified afterwards. Below the gate's time limit. */
const PATIENCE_MS = 15_000;
const LOOK_MS = 500;

type Answer = Pick<TargetResult, "result" | "detail" | "untouched" | "carriedOut"> & {
  readonly warnings?: readonly string[];
};

export interface RollbackParts {
  readonly client: ArgocdClient;
  /** Unix ms, for the mark and the results. */
  readonly now: () => number;
  /** Prepares the commit that finishes the job; null: no repository is configured. */
  readonly revert: RevertDesk | null;
  readonly lookMs?: number;
  readonly patienceMs?: number;
}

/**
 * Takes an Argo CD application back to an entry of its history by the rollback API, which refuses while auto-sync is
 * on. So it first sets `automated.enabled` to false, and nothing else of the spec, under a test of the resourceVersion
 * that was judged; then it asks for the rollback and waits for it a while. It refuses by name what would be undone at
 * once (an ApplicationSet, a parent application), what is under way, and what a sync window forbids: Argo CD would
 * start such a rollback later, when nobody expects it. Where the rollback is refused after auto-sync was switched off,
 * auto-sync is switched on again; where no answer came, it stays off and the answer says so.
 *
 * Argo CD checks the test against the application as its server reads it, and then writes the spec over whatever came
 * in the milliseconds after; its rollback has no precondition at all. What was synced meanwhile is said afterwards.
 * A dry run asks Argo CD nothing but to read: its own dry run is an operation, and needs auto-sync off.
 *
 * @see https://github.com/argoproj/argo-cd/blob/37ee009/server/application/application.go (Rollback, Patch, updateApp)
 */
export function argocdSyncToPrevious(parts: RollbackParts): Executor {
  const { client, now } = parts;
  const answer = (target: Target, { result, detail, warnings = [], untouched, carriedOut }: Answer): TargetResult => ({
    target,
    result,
    detail: `Application ${target.object.name}: ${detail}`,
    at: now(),
    warnings: [...warnings],
    ...(untouched === undefined ? {} : { untouched }),
    ...(carriedOut === undefined ? {} : { carriedOut }),
  });
  return {
    action: "argocd_sync_to_previous",
    async inspect(target, abort) {
      const seen = await look(client, target, abort);
      const entry = entryOf(seen.application, target.restore.revision);
      const capacity = entry === undefined ? undefined : await capacityOf(client, seen.application, entry, abort);
      return { ...inspected(seen, target), ...(capacity === undefined ? {} : { capacity }) };
    },
    async dryRun(target, abort) {
      const seen = await look(client, target, abort).catch(unread);
      if ("result" in seen) return answer(target, seen);
      const verdict = judge(seen, target);
      if (verdict.kind === "answer") return answer(target, verdict);
      const detail = `would roll back to id ${verdict.entry.id} (${versionOf(verdict.entry)})`;
      return answer(target, { result: "done", detail, warnings: warningsFor(seen) });
    },
    execute: async (target, key, abort) => answer(target, await rollBack(parts, target, key, abort)),
    reconcile: async (target, key, abort) => answer(target, await reconciled(client, target, key, abort)),
    async arrived(target, abort) {
      const { name, namespace } = target.object;
      return arrivalOf(await client.application(name, namespace, abort), target);
    },
  };
}

/** It is degraded by what it was taken back from until its pods are up, so that degraded is no end. */
function arrivalOf(application: Application, { restore }: Target): Arrival {
  const live = current(application);
  const running = operationInProgress(application);
  if (running !== null) return { state: "coming", detail: running };
  const failed = failedTry(application);
  if (failed !== null) return { state: "not-coming", detail: failed };
  if (live === null || versionOf(live) !== restore.version)
    return { state: "not-coming", detail: standing(application) };
  const health = application.status.health?.status ?? "unknown";
  return {
    state: health === "Healthy" ? "arrived" : "coming",
    detail: `${standing(application)}; its health is ${health}`,
  };
}

async function rollBack(parts: RollbackParts, target: Target, key: string, abort: AbortSignal): Promise<Answer> {
  const { client, now } = parts;
  let keptOn = 0;
  for (let turn = 0; turn < TRIES; turn++) {
    if (turn > 0) await sleep(parts.lookMs ?? LOOK_MS, undefined, { signal: abort }).catch(() => {});
    const seen = await look(client, target, abort).catch(unread);
    if ("result" in seen) return seen;
    const earlier = ownTry(seen, target, key);
    if (earlier.entry !== null)
      return { result: "done", detail: `an earlier try of this plan did it: ${standing(seen.application)}` };
    if (earlier.running) return follow(parts, seen, target, key, abort);
    const verdict = judge(seen, target);
    if (verdict.kind === "answer") return earlier.marked ? givenUp(client, seen, verdict, key, abort) : verdict;
    const { entry } = verdict;
    const { name, namespace } = seen.application.metadata;
    if (!earlier.marked || autoSync(seen.application) === "on") {
      const mark = {
        plan: key,
        from: Number(target.expected.revision),
        to: entry.id,
        took: target.expected.version,
        at: now(),
      };
      const patched = await client.patch(name, namespace, switchOffPatch(seen.application, mark), abort).then(
        (application) => ({ application }),
        (error: unknown) => patchFailure(error),
      );
      if ("result" in patched) {
        if (await moved(client, seen.application, abort)) continue;
        return patched;
      }
      // The server's own word on what stands now: whoever was quicker is judged again.
      const after = { ...seen, application: patched.application };
      if (autoSync(after.application) === "on") keptOn += 1;
      if (autoSync(after.application) === "on" || judge(after, target).kind !== "go") continue;
    }
    try {
      await client.rollback(name, namespace, entry.id, { dryRun: false }, abort);
    } catch (error) {
      return notStarted(parts, error, seen, target, key, abort);
    }
    return follow(parts, seen, target, key, abort);
  }
  const after = await look(client, target, abort).catch(() => null);
  const back = after === null ? MAY_BE_OFF : await switchOnAgain(client, after.application, key, abort);
  const why =
    keptOn === TRIES
      ? `auto-sync stayed on though it was switched off ${TRIES} times: something puts it back, or this Argo CD is older than 3.1, which brought automated.enabled`
      : `it changed between reading and writing ${TRIES} times in a row`;
  return { result: "failed", detail: `${why}; no rollback was started; ${back.words}` };
}

/**
 * The plan goes no further, though it had switched auto-sync off: that is undone, or it would stay off and nobody would
 * know. Where the old version stands already, it is not undone while Git asks for another one: auto-sync would deploy that.
 * What stays half done is a failure, whatever stands.
 */
async function givenUp(
  client: ArgocdClient,
  { application }: Seen,
  { result, detail }: Extract<Judgement, { readonly kind: "answer" }>,
  key: string,
  abort: AbortSignal,
): Promise<Answer> {
  const left =
    result === "nothing-to-do"
      ? await switchOnIfSafe(client, application, key, abort)
      : await switchOnAgain(client, application, key, abort);
  return { result: left.stays ? "failed" : result, detail: `${detail}; no rollback was started; ${left.words}` };
}

/** Waits for the sync that was asked for, as long as patience lasts. `before`: what stood when it was judged. */
async function follow(
  parts: RollbackParts,
  before: Seen,
  target: Target,
  key: string,
  abort: AbortSignal,
): Promise<Answer> {
  const { client, lookMs = LOOK_MS, patienceMs = PATIENCE_MS } = parts;
  const { name, namespace } = before.application.metadata;
  const warnings = warningsFor(before);
  for (let waited = 0; ; waited += lookMs) {
    const application = await client.application(name, namespace, abort).catch(() => null);
    if (application !== null) {
      const seen = { ...before, application };
      const failed = failedTry(application);
      const { entry } = ownTry(seen, target, key);
      if (entry !== null) {
        const also = [...meanwhile(application, target), ...(await revertWords(parts, application, target, key))];
        return { result: "done", detail: `rolled back: ${standing(application)}`, warnings: [...warnings, ...also] };
      }
      if (failed !== null)
        return {
          result: "failed",
          detail: `${failed}; ${standing(application)}; ${autoSyncWords(application)}`,
          warnings,
          // It may have synced some of the objects, though the history knows nothing of it.
          untouched: false,
        };
    }
    if (waited >= patienceMs || abort.aborted) {
      if (application === null)
        return { result: "unknown", detail: "the rollback was accepted, and the application cannot be read", warnings };
      const running = operationInProgress(application);
      if (running === null)
        return { result: "unknown", detail: `the rollback was accepted and cannot be seen; ${standing(application)}` };
      const also = await revertWords(parts, application, target, key);
      return { result: "done", detail: `the rollback is under way: ${running}`, warnings: [...warnings, ...also] };
    }
    await sleep(lookMs, undefined, { signal: abort }).catch(() => {});
  }
}

/** The rollback was not accepted, or nobody knows: what stands now, and auto-sync put back where that is safe. */
async function notStarted(
  parts: RollbackParts,
  error: unknown,
  before: Seen,
  target: Target,
  key: string,
  abort: AbortSignal,
): Promise<Answer> {
  if (!(error instanceof UnshipError)) throw error;
  const { status, because } = error.facts;
  const refused =
    error.code !== "source.unavailable" && error.code !== "source.shape" && error.code !== "source.too_large";
  const after = await look(parts.client, target, abort).catch(() => null);
  const stands = after === null ? "it cannot be read now" : standing(after.application);
  if (!refused && because !== "not-sent" && status !== 429)
    return {
      result: "unknown",
      detail: `the rollback was sent and not answered (${status ?? because ?? "unreadable"}); ${stands}`,
      warnings: [after === null ? MAY_BE_OFF.words : autoSyncWords(after.application)],
    };
  const why =
    status === 403
      ? "the token may not roll it back (it needs the right sync, or rollback where Argo CD enforces that)"
      : (obstaclesTo(after ?? before)[0] ?? `Argo CD did not take the rollback (${status ?? because})`);
  const back = after === null ? MAY_BE_OFF : await switchOnAgain(parts.client, after.application, key, abort);
  const result = refused ? (status === 403 ? "failed" : "refused") : "unreachable";
  const detail = `${why}; no rollback was started; ${stands}; ${back.words}`;
  return { result: back.stays ? "failed" : result, detail };
}

/** Syncs to anything else between the plan and now. */
function meanwhile({ status }: Application, { expected, restore }: Target): readonly string[] {
  return status.history
    .filter((entry) => entry.id > Number(expected.revision) && versionOf(entry) !== restore.version)
    .map((entry) => `${versionOf(entry)} was synced at the same moment (id ${entry.id}); check whether it is meant.`);
}

async function revertWords(
  { revert }: RollbackParts,
  application: Application,
  { expected, restore }: Target,
  key: string,
): Promise<readonly string[]> {
  const [bad, good] = [entryOf(application, expected.revision), entryOf(application, restore.revision)];
  if (revert === null || bad === undefined || good === undefined) return [];
  return [await revert.prepare({ application: application.metadata.name, bad, good, key })];
}

async function reconciled(client: ArgocdClient, target: Target, key: string, abort: AbortSignal): Promise<Answer> {
  const seen = await look(client, target, abort).catch(unread);
  if ("result" in seen) {
    const unreadable = seen.result === "unreachable" || seen.result === "failed";
    return unreadable ? { result: "unknown", detail: seen.detail } : seen;
  }
  const { application } = seen;
  const { entry, running, marked } = ownTry(seen, target, key);
  const warnings = warningsFor(seen);
  if (entry !== null)
    return {
      result: "done",
      detail: `done: ${standing(application)}`,
      warnings: [...warnings, ...meanwhile(application, target)],
      carriedOut: syncedAt(entry),
    };
  if (running) return { result: "done", detail: `under way: ${operationInProgress(application)}`, warnings };
  const stays = switchedOffBy(application, key);
  const half = stays ? "; auto-sync is off, switched by this plan" : "";
  const failed = marked ? failedTry(application) : null;
  if (failed !== null) return { result: "failed", detail: `${failed}; ${standing(application)}${half}`, warnings };
  const verdict = judge(seen, target);
  if (verdict.kind === "go")
    return { result: "failed", detail: `not done: ${standing(application)}; it may be tried again${half}`, warnings };
  const detail = `not done by this plan: ${verdict.detail}${half}`;
  return stays
    ? { result: "failed", detail: `${detail}: switch it on again once Git asks for what should be deployed`, warnings }
    : { ...verdict, detail, warnings };
}

function inspected(seen: Seen, target: Target): TargetState {
  const { application } = seen;
  const live = current(application);
  const verdict = judge(seen, target);
  const refusal = verdict.kind === "answer" && verdict.result === "refused" ? [verdict.detail] : [];
  const stale = verdict.kind === "answer" && verdict.result === "stale";
  return {
    version: live === null ? "" : versionOf(live),
    revision: live === null ? "" : String(live.id),
    obstacles: [...new Set([...obstaclesTo(seen), ...refusal])],
    warnings: warningsFor(seen),
    ...(stale ? { changedBy: standing(application) } : {}),
    ...reachOf(application),
  };
}

/** Reads all that the judgement needs, at once. */
async function look(client: ArgocdClient, target: Target, abort: AbortSignal): Promise<Seen> {
  const { kind, name, namespace } = target.object;
  if (kind !== "Application")
    throw new UnshipError("target.refused", { target: name, reason: `Argo CD syncs an Application, not a ${kind}` });
  const [application, windows, username] = await Promise.all([
    client.application(name, namespace, abort),
    client.syncWindows(name, namespace, abort).catch(() => null),
    client.username(abort),
  ]);
  return { application, windows, username, owners: await ownersOf(client, application, abort) };
}

/** Whether the application is no longer the one that was read: Argo CD answers a failed test like an error of its own. */
async function moved(client: ArgocdClient, { metadata }: Application, abort: AbortSignal): Promise<boolean> {
  const again = await client.application(metadata.name, metadata.namespace, abort).catch(() => null);
  return again !== null && again.metadata.resourceVersion !== metadata.resourceVersion;
}

function patchFailure(error: unknown): Answer {
  if (!(error instanceof UnshipError)) throw error;
  const { status, because } = error.facts;
  if (status === 403)
    return { result: "failed", detail: "the token may not change it (it needs the right update); nothing was written" };
  if (error.code !== "source.unavailable" && error.code !== "source.shape" && error.code !== "source.too_large")
    return { result: "failed", detail: `Argo CD refused to switch auto-sync off (${status}); nothing was written` };
  if (because === "not-sent" || status === 429)
    return {
      result: "unreachable",
      detail: `Argo CD did not take the write (${status ?? because}); nothing was written`,
    };
  return {
    result: "unknown",
    detail: `auto-sync was to be switched off and no answer came (${status ?? because ?? "unreadable"}); no rollback was started`,
  };
}

function unread(error: unknown): Answer {
  if (!(error instanceof UnshipError)) throw error;
  if (error.code === "input.invalid") return { result: "refused", detail: error.message };
  if (error.code === "target.refused") return { result: "refused", detail: String(error.facts.reason) };
  // Argo CD answers 403 for an application that does not exist too, so that names cannot be guessed.
  if (error.facts.status === 403)
    return {
      result: "failed",
      detail: "Argo CD refuses to show it (403): it does not exist, or the token may not read it",
    };
  if (error.code === "source.not_found") return { result: "stale", detail: "it does not exist any more" };
  if (error.code === "source.refused")
    return { result: "failed", detail: `Argo CD refused to show it, with status ${error.facts.status}` };
  return {
    result: "unreachable",
    detail: `it could not be read (${error.facts.status ?? error.facts.because ?? error.code})`,
  };
}
