import type { HistoryEntry, Workload } from "./history.ts";
import { entryOf, type Inventory, podsOf } from "./inventory.ts";
import { isOwn, type Mark, marksAbout } from "./mark.ts";
import type { ManagedField } from "./objects.ts";
import { isComplete } from "./rollout-status.ts";
import { fingerprint } from "./template.ts";

/** One time that a template became a workload's current one. */
export interface Stage {
  readonly revision: string;
  readonly entry: HistoryEntry;
  readonly previous: HistoryEntry | null;
  /** Unix ms; null: not known any more (an older return to a template that came back again since). */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** `finishedAt` is the latest moment at which it can have finished: nobody saw it, and another reader may have. */
  readonly endUnseen: boolean;
  readonly own: Mark | null;
  /** The field manager of the write, where the object tells, or told while this was its current stage. */
  readonly author: string | null;
}

/** Remembers what one process saw, since a cluster forgets: when a revision came, and when it was first complete. */
export interface Timeline {
  stages(workload: Workload, inventory: Inventory, now: number): readonly Stage[];
}

/**
 * The history of a workload as stages, oldest first.
 *
 * When a stage started is told by the creation of its ReplicaSet or ControllerRevision, unless that was reused: a
 * rollback renumbers an old one and keeps its creation time. Then it is, in this order of trust: our own mark; the
 * controller's event of scaling that ReplicaSet up again; the time of the last write to the object's template (its
 * managedFields; for a ControllerRevision, its own, since nothing but the renumbering writes to it); the moment when
 * this process first saw the revision, which is late by up to one poll. Each only if it is after the stage before.
 *
 * When it finished is told by the Deployment's condition Progressing (reason NewReplicaSetAvailable), and for the other
 * kinds by the last pod that became Ready. A stage that was replaced finished at the next one's start or its progress
 * deadline, whichever came first: a healthy rollout takes no longer. That is a bound, and told as one (`endUnseen`), unless
 * this process saw it complete before.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 */
export function createTimeline(): Timeline {
  const seen = new Map<string, { startedAt: number | null; finishedAt: number | null; author: string | null }>();
  return {
    stages(workload, inventory, now) {
      const { uid } = workload.object.metadata;
      const marks = marksOn(workload);
      const occurrences = occurrencesOf(workload, marks);
      let after = 0;
      const started = occurrences.map(({ revision, entry, reused, last }) => {
        const key = `${uid}:${revision}:${entry.meta.name}`;
        const memory = seen.get(key) ?? { startedAt: null, finishedAt: null, author: null };
        seen.set(key, memory);
        const own = marks.find((mark) => isOwn(mark, revision, entry.template)) ?? null;
        const told = own?.at ?? (reused ? returnedAt(workload, entry, inventory, after) : entry.meta.creationTimestamp);
        if (last) memory.author ??= authorOf(workload);
        memory.startedAt ??= told === undefined ? (last ? now : null) : Math.max(told, after);
        after = Math.max(after, memory.startedAt ?? 0);
        return { revision, entry, own, startedAt: memory.startedAt, memory, last };
      });
      forgetOldest(seen);
      return started.map(({ memory, last, ...stage }, index) => {
        const next = started[index + 1];
        const bound = last ? null : replacedAt(workload, stage.startedAt, next?.startedAt ?? null);
        const endUnseen = memory.finishedAt === null && bound !== null;
        if (last && isComplete(workload))
          memory.finishedAt ??= completedAt(workload, stage.entry, inventory, now, stage.startedAt);
        else if (last) memory.finishedAt = null;
        const previous = started[index - 1]?.entry ?? null;
        return { ...stage, previous, finishedAt: memory.finishedAt ?? bound, endUnseen, author: memory.author };
      });
    },
  };
}

/** A hundred thousand stages: some tens of MB at most, and far beyond what a fleet deploys in a week. */
const SEEN_LIMIT = 100_000;

function forgetOldest(seen: Map<string, unknown>): void {
  for (const key of seen.keys()) {
    if (seen.size <= SEEN_LIMIT) return;
    seen.delete(key);
  }
}

function occurrencesOf({ history, current }: Workload, marks: readonly Mark[]) {
  const all = history.flatMap((entry) => {
    const numbers = [...formerNumbers(entry, marks), entry.revision];
    return numbers.map((revision, index) => ({
      revision,
      entry,
      reused: index > 0 || isOlderThanItsNumber(history, entry, Number(revision)),
      last: entry === current && revision === entry.revision,
    }));
  });
  return all.toSorted((a, b) => Number(a.revision) - Number(b.revision));
}

/** A ReplicaSet keeps the numbers that it had before; of a ControllerRevision those of our own rollbacks alone are known. */
function formerNumbers({ formerly, number, template }: HistoryEntry, marks: readonly Mark[]): readonly string[] {
  const kept = formerly.filter((one) => Number.isSafeInteger(Number(one)));
  if (kept.length > 0 || marks.length === 0) return kept;
  const written = fingerprint(template);
  const ours = marks.filter((mark) => mark.template === written).flatMap(({ to, revision }) => [to, revision]);
  return [...new Set(ours)].filter((one) => Number(one) < number).toSorted((a, b) => Number(a) - Number(b));
}

/** Numbered after an entry that was created later: it had been renumbered, so its creation is not when that number came. */
function isOlderThanItsNumber(history: readonly HistoryEntry[], entry: HistoryEntry, number: number): boolean {
  const createdAt = entry.meta.creationTimestamp ?? 0;
  return history.some((other) => other.number < number && (other.meta.creationTimestamp ?? 0) > createdAt);
}

const marksOn = ({ object, history }: Workload): readonly Mark[] =>
  marksAbout(
    object.metadata,
    history.map(({ meta }) => meta),
  );

/** When a reused entry came back, as the cluster tells; undefined where nothing does. `after`: not before this. */
function returnedAt(workload: Workload, entry: HistoryEntry, inventory: Inventory, after: number): number | undefined {
  const { kind, object, current } = workload;
  const scaledUp =
    kind !== "Deployment"
      ? []
      : inventory.events.filter(
          ({ involvedObject, message, metadata }) =>
            involvedObject.kind === "Deployment" &&
            involvedObject.name === object.metadata.name &&
            metadata.namespace === object.metadata.namespace &&
            message.startsWith(`Scaled up replica set ${entry.meta.name} `),
        );
  // An event that recurs keeps its first time and moves its last.
  const events = scaledUp.flatMap((one) => [one.firstTimestamp, one.lastTimestamp, one.eventTime]);
  const writes = kind === "Deployment" ? templateWrites(object.metadata.managedFields) : entry.meta.managedFields;
  const fields = entry === current || kind !== "Deployment" ? writes.map(({ time }) => time) : [];
  // The API keeps whole seconds, our own marks milliseconds.
  const possible = (times: readonly (number | undefined)[]) =>
    times.flatMap((one = -1) => (one >= after - (after % 1000) ? [one] : []));
  const [firstEvent, lastWrite] = [Math.min(...possible(events)), Math.max(...possible(fields))];
  return [firstEvent, lastWrite].find(Number.isFinite);
}

/** Writes to the object itself that own a part of its pod template, newest last. */
export function templateWrites(fields: readonly ManagedField[]): readonly ManagedField[] {
  return fields
    .filter(
      ({ subresource, fieldsV1 }) =>
        subresource === undefined && JSON.stringify(fieldsV1 ?? {}).includes('"f:template":'),
    )
    .toSorted((a, b) => (a.time ?? 0) - (b.time ?? 0));
}

function authorOf({ object }: Workload): string | null {
  return templateWrites(object.metadata.managedFields).at(-1)?.manager ?? null;
}

/** Kubernetes' own default for progressDeadlineSeconds. */
const PROGRESS_DEADLINE_SECONDS = 600;

function replacedAt({ object }: Workload, startedAt: number | null, nextAt: number | null): number | null {
  if (startedAt === null) return null;
  const deadline = startedAt + (object.spec.progressDeadlineSeconds ?? PROGRESS_DEADLINE_SECONDS) * 1000;
  return Math.min(nextAt ?? deadline, deadline);
}

function completedAt(
  workload: Workload,
  entry: HistoryEntry,
  inventory: Inventory,
  now: number,
  startedAt: number | null,
): number {
  const { kind, object } = workload;
  const progressing = object.status.conditions.find(({ type }) => type === "Progressing");
  if (
    kind === "Deployment" &&
    progressing?.lastUpdateTime !== undefined &&
    progressing.lastUpdateTime >= (startedAt ?? 0)
  )
    return progressing.lastUpdateTime;
  const ready = podsOf(inventory, workload)
    .filter((pod) => entryOf(workload, pod) === entry)
    .flatMap(({ status }) =>
      status.conditions.filter(({ type, status: value }) => type === "Ready" && value === "True"),
    )
    .map(({ lastTransitionTime }) => lastTransitionTime ?? now);
  return ready.length === 0 ? (startedAt ?? now) : Math.max(startedAt ?? 0, ...ready);
}
