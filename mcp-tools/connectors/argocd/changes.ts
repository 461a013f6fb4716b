import type { Change } from "../../../core/model/change.ts";
import { cleanText } from "../../../core/model/untrusted-text.ts";
import type { ChangeSource } from "../../../core/ports.ts";
import { type Application, type HistoryEntry, initiator, operationInProgress, versionOf } from "./application.ts";
import type { ArgocdClient, RevisionMetadata } from "./client.ts";
import { isByUs } from "./judge.ts";
import { markOf } from "./mark.ts";
import { releasedBy, type SyncTime } from "./parents.ts";
import { type ServiceApplication, servicesOf } from "./services.ts";

/** A sync that changed what stands: one of the history, or one that runs or failed and so is not in it yet. */
interface Sync {
  readonly version: string;
  readonly revision: string;
  readonly previous: HistoryEntry | null;
  /** Absent: it did not end well, and Argo CD has nothing to go back to for it. */
  readonly entry: HistoryEntry | null;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly by: string;
  readonly own: boolean;
}

/** Revision texts that were asked for, so that each is asked for once; far more than ten a history of any set-up. */
const REMEMBERED = 2000;

/**
 * Deploys, as the history of Argo CD's applications keeps them: one change for each sync to another version than the
 * one before, and one for a sync that is under way or failed. Who: the account, or for auto-sync the author of the
 * commit. A sync ends before its pods are up, and Argo CD keeps no record of when those were: a change ends when it
 * begins, which says that nobody knows how long its pods took, and has no end as long as its application progresses. One
 * change for each service that the application deploys. What a sync of its parent application brought is said so.
 */
export function argocdChanges(client: ArgocdClient, services: readonly ServiceApplication[]): ChangeSource {
  const texts = new Map<string, RevisionMetadata | null>();
  return {
    name: client.source,
    async changes(window, abort) {
      const [applications, username] = await Promise.all([client.applications(abort), client.username(abort)]);
      const found = applications.flatMap((application) =>
        syncsOf(application, username)
          .filter(({ startedAt }) => startedAt <= window.to)
          .filter(
            ({ startedAt, finishedAt }) => startedAt >= window.from || finishedAt === null || finishedAt >= window.from,
          )
          .map((sync) => ({
            application,
            sync,
            by: releasedBy(application, sync.startedAt, applications, (parent) => syncTimes(parent, username)),
          })),
      );
      if (texts.size > REMEMBERED) texts.clear();
      await Promise.all(found.map(({ application, sync }) => readText(application, sync, abort)));
      return found
        .flatMap(({ application, sync, by }) =>
          servicesOf(application, services).map((service, index): Change => {
            const change = changeOf(application, sync, service, index);
            return by.length === 0 ? change : { ...change, releasedBy: [...by] };
          }),
        )
        .toSorted((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
    },
  };

  async function readText({ metadata }: Application, { revision }: Sync, abort: AbortSignal): Promise<void> {
    if (!COMMIT.test(revision) || texts.has(revision)) return;
    // A commit that cannot be read leaves its author unknown, and is asked for again.
    const text = await client.revisionMetadata(metadata.name, metadata.namespace, revision, abort).catch(() => null);
    if (text !== null) texts.set(revision, text);
  }

  function changeOf({ metadata }: Application, sync: Sync, service: string, index: number): Change {
    const { version, revision, previous, entry, startedAt, finishedAt, by, own } = sync;
    const text = texts.get(revision) ?? null;
    const author = by === "auto-sync" ? (text?.author ?? by) : by;
    const { name, namespace } = metadata;
    return {
      id: `deploy:argocd/${namespace}/${name}:${startedAt}${index === 0 ? "" : `:${service}`}`,
      kind: "deploy",
      service,
      from: previous === null ? "" : versionOf(previous),
      to: version,
      startedAt,
      finishedAt,
      source: client.source,
      reversible: previous !== null && entry !== null,
      workload: { kind: "Application", namespace, name },
      author: own ? "unship" : cleanText(author),
      ...(previous === null ? {} : { fromRevision: String(previous.id) }),
      ...(entry === null ? {} : { toRevision: String(entry.id) }),
      ...(COMMIT.test(revision) ? { commit: revision } : {}),
      ...(text?.message ? { message: cleanText(text.message) } : {}),
      ...(own ? { ownRollback: true } : {}),
    };
  }
}

const COMMIT = /^[0-9a-f]{40}$/;

function syncsOf(application: Application, username: string | null): readonly Sync[] {
  const { history } = application.status;
  const past = history.flatMap((entry, index): readonly Sync[] => {
    const previous = history[index - 1] ?? null;
    const startedAt = entry.deployStartedAt ?? entry.deployedAt;
    if (startedAt === null || (previous !== null && versionOf(previous) === versionOf(entry))) return [];
    return [
      {
        version: versionOf(entry),
        revision: firstRevision(entry),
        previous,
        entry,
        startedAt,
        finishedAt: index === history.length - 1 && isProgressing(application) ? null : startedAt,
        by: initiator(entry.initiatedBy),
        own: isOwn(application, entry, username),
      },
    ];
  });
  const unrecorded = unrecordedSync(application);
  return unrecorded === null ? past : [...past, unrecorded];
}

/** The same syncs by when they themselves began and ended, whenever the pods that came of them did. */
const syncTimes = (application: Application, username: string | null): readonly SyncTime[] =>
  syncsOf(application, username).map(({ version, startedAt, finishedAt, entry }) => ({
    version,
    startedAt,
    finishedAt: entry?.deployedAt ?? finishedAt,
  }));

const isProgressing = (application: Application): boolean =>
  operationInProgress(application) !== null || application.status.health?.status === "Progressing";

/** The operation that runs, or that failed: it may have changed something, and the history knows nothing of it. */
function unrecordedSync({ status }: Application): Sync | null {
  const state = status.operationState;
  const synced = state?.syncResult ?? state?.operation?.sync;
  const { startedAt = null } = state ?? {};
  if (state == null || synced == null || startedAt === null || state.phase === "Succeeded") return null;
  if (state.operation?.sync?.dryRun === true) return null;
  const previous = status.history.at(-1) ?? null;
  const version = versionOf({ source: null, sources: [], ...synced });
  if (previous !== null && (versionOf(previous) === version || (previous.deployedAt ?? 0) > startedAt)) return null;
  const running = state.phase === "Running" || state.phase === "Terminating";
  return {
    version,
    revision: firstRevision(synced),
    previous,
    entry: null,
    startedAt,
    finishedAt: running ? null : (state.finishedAt ?? startedAt),
    by: initiator(state.operation?.initiatedBy),
    own: false,
  };
}

/**
 * Our own rollback: a sync of ours to a version that stood before. Anything else that the account synced is a deploy like
 * any other, and so is what somebody else, or auto-sync, took back after our mark: a rollback that Argo CD refused is none.
 */
function isOwn(application: Application, entry: HistoryEntry, username: string | null): boolean {
  const { history } = application.status;
  const version = versionOf(entry);
  const mark = markOf(application);
  const to = history.find(({ id }) => id === mark?.to);
  const first = mark === null ? undefined : history.find(({ id }) => id > mark.from);
  const claimed = first === entry && to !== undefined && to.id < entry.id && versionOf(to) === version;
  const before = history.some(({ id, ...rest }) => id < entry.id && versionOf({ ...rest }) === version);
  return before && isByUs(entry.initiatedBy, username, claimed);
}

const firstRevision = ({
  revision,
  revisions,
}: {
  readonly revision?: string | null | undefined;
  readonly revisions: readonly string[];
}): string => revision || (revisions[0] ?? "");
