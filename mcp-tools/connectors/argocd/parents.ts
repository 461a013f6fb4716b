import type { WorkloadRef } from "../../../core/model/change.ts";
import type { Application } from "./application.ts";

/** One sync of an application that changed what is live. Unix ms; `finishedAt` null: it goes on. */
export interface SyncTime {
  /** Its name among the syncs of its application, stable once it is known. */
  readonly version: string;
  readonly startedAt: number;
  readonly finishedAt: number | null;
}

/** Clocks of two processes, and the time from a child's change until its own sync begins. */
const EARLY_MS = 5_000;
/**
 * A child with auto-sync begins to sync as soon as its spec is changed; what waits for the controller's next comparison does
 * so within its usual period.
 * @see https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/ (timeout.reconciliation, 120 s and up to 60 s of jitter)
 */
const RECONCILED_MS = 180_000;

/**
 * What of an application's sync was brought by a sync of the application that holds its Application object (an app of apps):
 * the children's syncs that begin while that one runs or shortly after, whatever repository each comes from. A sync of which
 * the parent itself says that it left this child unchanged brought nothing. Named by the parent and its sync, so that two
 * syncs of one parent are two.
 */
export function releasedBy(
  child: Application,
  startedAt: number,
  all: readonly Application[],
  syncsOf: (application: Application) => readonly SyncTime[],
): readonly WorkloadRef[] {
  return parentsOf(child, all).flatMap((parent) => {
    const sync = syncsOf(parent).findLast((one) => one.startedAt <= startedAt + EARLY_MS);
    if (sync === undefined || leftUnchanged(parent, child, sync)) return [];
    if (sync.finishedAt !== null && startedAt > sync.finishedAt + RECONCILED_MS) return [];
    const { name, namespace } = parent.metadata;
    return [{ kind: "Application", namespace, name: `${name}@${sync.version}` }];
  });
}

/** The applications whose resources this one is among. */
export function parentsOf({ metadata: { name, namespace } }: Application, all: readonly Application[]) {
  return all.filter(({ status }) =>
    status.resources.some(
      (one) =>
        one.group === "argoproj.io" &&
        one.kind === "Application" &&
        one.name === name &&
        (one.namespace === "" || one.namespace === namespace),
    ),
  );
}

/**
 * Argo CD keeps of its last operation alone what became of each resource, in kubectl's words ("… unchanged").
 * @see https://github.com/argoproj/gitops-engine/blob/v0.7.3/pkg/sync/sync_context.go
 */
function leftUnchanged({ status }: Application, child: Application, sync: SyncTime): boolean {
  const state = status.operationState;
  if (state?.startedAt !== sync.startedAt) return false;
  const result = state.syncResult?.resources.find(
    ({ kind, name }) => kind === "Application" && name === child.metadata.name,
  );
  return result?.message?.endsWith(" unchanged") ?? false;
}
