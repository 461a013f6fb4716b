import type { Config } from "../config/config.ts";
import { SYNC_MS } from "../correlation/one-deploy.ts";
import type { Change } from "../model/change.ts";
import { APPLICATION, isWorkload } from "./targets.ts";
import { rolledBackByBoth, type Touched, touchedBy } from "./touched.ts";

/**
 * Whether a change touches what the target is made of, or is a part of: one of a workload that the target, an Argo CD
 * application, deploys, or one of the application that deploys the target. What comes of the sync that is taken back
 * (`undone`) is no change of its own: its waves may go on changing workloads for a while. Pure.
 */
export function isBesideSync(
  change: Change,
  one: Touched,
  undone: Change | undefined,
  services: Config["services"],
): boolean {
  if (change.workload === undefined || change.flag !== undefined) return false;
  const isApplication = one.target.object.kind === APPLICATION;
  if (isApplication === (change.workload.kind === APPLICATION)) return false;
  if (!isApplication) return isWorkload(one.target) && one.rolledBack.includes(change.service);
  const { changeId, expected, restore } = one.target;
  const changed = { action: "kubectl_rollout_undo", service: change.service, object: change.workload } as const;
  const own = touchedBy({ ...changed, changeId, expected, restore }, null, services);
  return !isOfSync(change, undone) && rolledBackByBoth(one, own).length > 0;
}

/**
 * Argo CD applies under a name of its own; a workload may also name whoever the sync is of. Who wrote what names nobody is not
 * known: within the time that a sync takes it is the sync's.
 */
function isOfSync({ startedAt, author }: Change, undone: Change | undefined): boolean {
  if (undone === undefined || startedAt > undone.startedAt + SYNC_MS) return false;
  return author === undefined || author === undone.author || author.startsWith(ARGOCD);
}

/** @see https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#server-side-apply, where its manager is `argocd-controller` */
const ARGOCD = "argocd";
