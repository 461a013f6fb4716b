import { UnshipError } from "../../../core/errors.ts";
import type { Target } from "../../../core/model/plan.ts";
import type { KubeClient } from "./client.ts";
import type { HistoryEntry, Workload } from "./history.ts";
import { Pod } from "./objects.ts";
import { DEFAULT_GRACE_MS, podHealth } from "./pods.ts";

/** A pod that crashes in a loop is written to every few seconds: so many looks pass it. */
const LOOKS = 4;
const REVISION_LABEL = "controller-revision-hash";

/** What was done about pods that hold an undo up, for the result's detail ("" where nothing was), and what a person must do. */
export interface Cleared {
  readonly did: string;
  readonly warnings: readonly string[];
}

/** Less than the gate gives a whole look at a target. */
const PATIENCE_MS = 3000;

const NOTHING: Cleared = { did: "", warnings: [] };

/** Whether the StatefulSet waits for a broken pod for ever, though its template is a good one again. */
export const waitsForBrokenPods = ({ kind, object: { spec } }: Workload): boolean =>
  kind === "StatefulSet" &&
  (spec.podManagementPolicy ?? "OrderedReady") === "OrderedReady" &&
  spec.updateStrategy?.type !== "OnDelete";

/**
 * Deletes the pods that an undone StatefulSet would wait for, and no others: controlled by it, of the very revision that
 * was taken back, above its partition, and failing (not Ready, and broken or past their start-up grace), so that they
 * serve nobody. Each under a precondition on the object that was judged; where that changed it is judged again. The
 * controller then makes them anew, of the restored revision. What it may not or need not delete comes as the command.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
 */
export async function deleteBrokenPods(
  client: KubeClient,
  workload: Workload,
  { expected }: Target,
  now: () => number,
  abort: AbortSignal,
): Promise<Cleared> {
  const bad = takenBack(workload, expected);
  if (bad === undefined) return NOTHING;
  const { namespace } = workload.object.metadata;
  const deleted: string[] = [];
  const refused = new Map<string, string>();
  for (let look = 0; look < LOOKS; look += 1) {
    const pods = await podsOfRevision(client, workload, bad, abort);
    if (typeof pods === "string") return toldOf(deleted, [pods]);
    const failing = pods.filter((pod) => podHealth(pod, now(), GRACE) === "failing");
    const due = failing.filter(({ metadata }) => !deleted.includes(metadata.name) && !refused.has(metadata.name));
    if (due.length === 0) return toldOf(deleted, handedOver(pods, refused, namespace, now()));
    for (const { metadata } of due) {
      const outcome = await remove(client, metadata, abort);
      if (outcome === "deleted") deleted.push(metadata.name);
      else if (outcome !== "changed") refused.set(metadata.name, outcome);
    }
  }
  const command = `kubectl delete pods -n ${namespace} -l ${REVISION_LABEL}=${bad.meta.name}`;
  return toldOf(deleted, [
    `Its broken pods changed at each read: those that stay broken must be deleted (${command}).`,
  ]);
}

/**
 * The commands for the pods that an undone StatefulSet still waits for, where the call that undid it is over: it died, or
 * took too long, before it had deleted them. Deletes nothing.
 */
export async function brokenPodsLeft(
  client: KubeClient,
  workload: Workload,
  { expected }: Target,
  now: () => number,
  abort: AbortSignal,
): Promise<readonly string[]> {
  const bad = takenBack(workload, expected);
  if (bad === undefined) return [];
  // Slow pods keep nobody from being told that the undo itself is done.
  const soon = AbortSignal.any([abort, AbortSignal.timeout(PATIENCE_MS)]);
  const pods = await podsOfRevision(client, workload, bad, soon);
  if (typeof pods === "string") return [pods];
  const failing = pods.filter((pod) => podHealth(pod, now(), GRACE) === "failing");
  const left = new Map(failing.map(({ metadata }) => [metadata.name, "was not deleted with the undo"]));
  return handedOver(pods, left, workload.object.metadata.namespace, now());
}

/** The revision that was taken back, where the StatefulSet waits for its broken pods. */
function takenBack(workload: Workload, expected: Target["expected"]): HistoryEntry | undefined {
  if (!waitsForBrokenPods(workload)) return undefined;
  return workload.history.find(
    ({ revision, version }) => revision === expected.revision && version === expected.version,
  );
}

/** Those of its pods that it would wait for, or what a person has to do where they could not be read. */
async function podsOfRevision(
  client: KubeClient,
  workload: Workload,
  bad: HistoryEntry,
  abort: AbortSignal,
): Promise<readonly Pod[] | string> {
  const { namespace } = workload.object.metadata;
  try {
    const listed = await client.list("Pod", namespace, Pod, abort, { labels: { [REVISION_LABEL]: bad.meta.name } });
    return listed.filter((pod) => isHeldUp(pod, workload));
  } catch (error) {
    if (!(error instanceof UnshipError)) throw error;
    const command = `kubectl get pods -n ${namespace} -l ${REVISION_LABEL}=${bad.meta.name}`;
    return `Its pods could not be read: delete those of the bad revision that are broken (${command}).`;
  }
}

/** Nothing is known of how long its pods take: what is not broken outright gets the grace of its probes. */
const GRACE = { leastMs: DEFAULT_GRACE_MS, usualMs: null, over: false } as const;

function isHeldUp({ metadata }: Pod, { object }: Workload): boolean {
  const own = metadata.ownerReferences.some(({ controller, uid }) => controller && uid === object.metadata.uid);
  const ordinal = Number(/-(\d+)$/.exec(metadata.name)?.[1] ?? Number.NaN);
  const partition = object.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  return own && metadata.deletionTimestamp === undefined && ordinal >= partition;
}

/** "changed": it is no longer the pod that was judged, and nothing was deleted. Otherwise why it was not. */
async function remove(client: KubeClient, meta: Pod["metadata"], abort: AbortSignal): Promise<string> {
  const { namespace, name, uid, resourceVersion } = meta;
  try {
    await client.remove("Pod", namespace, name, { uid, resourceVersion }, abort);
    return "deleted";
  } catch (error) {
    if (!(error instanceof UnshipError)) throw error;
    if (error.code === "source.not_found" || error.code === "source.conflict") return "changed";
    return error.code === "source.refused" ? "the credential may not delete pods" : "the API server did not delete it";
  }
}

function handedOver(
  pods: readonly Pod[],
  refused: ReadonlyMap<string, string>,
  namespace: string,
  now: number,
): readonly string[] {
  return pods.flatMap((pod) => {
    const { name } = pod.metadata;
    const command = `kubectl delete pod ${name} -n ${namespace}`;
    const why = refused.get(name);
    if (why !== undefined) return [`Pod ${name} is broken and holds the rollback up, and ${why}: ${command}`];
    return podHealth(pod, now, GRACE) === "starting"
      ? [`Pod ${name} of the bad revision is not Ready yet; where it stays so it holds the rollback up: ${command}`]
      : [];
  });
}

const toldOf = (deleted: readonly string[], warnings: readonly string[]): Cleared => ({
  did: deleted.length === 0 ? "" : `; deleted ${deleted.join(", ")}, which were broken and held it up`,
  warnings,
});
