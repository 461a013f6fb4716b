import { silentAfter } from "../detection/silence.ts";
import type { Change } from "../model/change.ts";
import type { Series } from "../model/signal.ts";
import { WARM_MS } from "./cold-pods.ts";
import type { PodSeries, SampleIndex } from "./samples.ts";

/** Nearly all pods that fail for what is new in them are of the new version; what takes any pod takes it by its share of them. */
const BY_NEW_ALONE = 0.98;
/** One event alone is never strong evidence, twenty to one: a single pod may have a bad node, whatever its version. */
const LEAST_SHARE = 1 / 20;
/**
 * What takes several pods at once (a lost node, a callee that their probes ask) is found by the probe of each within this, ms:
 * `failureThreshold` (3) times `periodSeconds` (10 s), the defaults of a probe.
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes
 */
const FOUND_WITHIN_MS = 30_000;

/** One pod that was ready and is no longer. Unix ms. */
interface Failure {
  readonly isNew: boolean;
  readonly readyAt: number;
  readonly failedAt: number;
}

/**
 * Log likelihood ratio of "pods fail their health checks for what is new in them" against "whatever takes pods takes them of
 * either version", from the pods that were ready and then failed while both versions had ready pods. Each time that pods fail
 * was by chance one of new pods as often as these were of the pods that were ready then.
 *
 * A pod counts once, however long it fails or how often, and only once it is warm; pods that fail within one round of probes count as one, and as of
 * the old version where one of that is among them. A pod that never was ready says nothing: only new pods start during a
 * rollout, so whatever keeps pods from starting (slow starts, no room on a node, a callee that is asked at the start) meets
 * them alone. Sums over the pods of a version say nothing either: they tell no pod that starts from one that fails, nor one
 * pod from many. 0 where nothing is known pod by pod. Pure. Work: O(events · pods + samples).
 */
export function readinessByVersion(change: Change, index: SampleIndex): number {
  const pods = index.byPod(change.service, "health_check_failures");
  const failures = pods
    .flatMap((pod) => firstFailure(pod, change) ?? [])
    .toSorted((a, b) => a.failedAt - b.failedAt || a.readyAt - b.readyAt);
  let nats = 0;
  for (const event of together(failures, Math.max(0, ...pods.map(({ series }) => series.stepMs)))) {
    const share = shareOfReady(pods, change.to, Math.min(...event.map(({ readyAt }) => readyAt)));
    if (share === null) continue;
    nats += event.every(({ isNew }) => isNew)
      ? Math.log(BY_NEW_ALONE / Math.max(LEAST_SHARE, share))
      : Math.log((1 - BY_NEW_ALONE) / (1 - share));
  }
  return nats;
}

/**
 * When a pod that was ready began to fail for the first time during a rollout, so that it failed when it was warm. A silence
 * says nothing of what it was before it.
 */
function firstFailure({ version, series }: PodSeries, { to, startedAt, finishedAt }: Change): Failure | null {
  const { startAt, stepMs, values } = series;
  const end = finishedAt ?? Number.POSITIVE_INFINITY;
  let warmAt = Number.POSITIVE_INFINITY;
  let readyAt: number | null = null;
  let failedAt: number | null = null;
  let seenAt = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length && startAt + i * stepMs <= end; i++) {
    const at = startAt + i * stepMs;
    const value = values[i] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    if (at - seenAt > silentAfter(stepMs)) readyAt = null;
    seenAt = at;
    if (value <= 0) {
      readyAt = at;
      failedAt = null;
      warmAt = Math.min(warmAt, at + WARM_MS);
      continue;
    }
    failedAt ??= at;
    if (readyAt !== null && failedAt > startedAt && at > warmAt) return { isNew: version === to, readyAt, failedAt };
  }
  return null;
}

/** Failures in order of time, those of one round of probes together; a look at the pods may be a step late. */
function together(failures: readonly Failure[], stepMs: number): readonly (readonly Failure[])[] {
  const events: Failure[][] = [];
  for (const one of failures) {
    const last = events.at(-1);
    const began = last?.[0]?.failedAt ?? Number.NEGATIVE_INFINITY;
    if (last !== undefined && one.failedAt - began <= FOUND_WITHIN_MS + stepMs) last.push(one);
    else events.push([one]);
  }
  return events;
}

/** The new version's share of the pods that were ready at a moment; null where only one version, or none, had any. */
function shareOfReady(pods: readonly PodSeries[], to: string, at: number): number | null {
  const ready = pods.filter(({ series }) => valueAt(series, at) === 0);
  const fresh = ready.filter(({ version }) => version === to).length;
  return fresh === 0 || fresh === ready.length ? null : fresh / ready.length;
}

const valueAt = ({ startAt, stepMs, values }: Series, at: number): number | null =>
  values[Math.round((at - startAt) / stepMs)] ?? null;
