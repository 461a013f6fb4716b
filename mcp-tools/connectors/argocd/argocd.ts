import type { ChangeSource, Executor, RolloutSource } from "../../../core/ports.ts";
import { argocdResumeAutoSync } from "./auto-sync.ts";
import { argocdChanges } from "./changes.ts";
import { type ArgocdClient, type ArgocdOptions, argocdClient } from "./client.ts";
import { type Clone, revertDesk } from "./revert.ts";
import { argocdSyncToPrevious } from "./rollback.ts";
import { argocdRollouts } from "./rollouts.ts";
import type { ServiceApplication } from "./services.ts";

export interface Argocd {
  readonly client: ArgocdClient;
  readonly changes: ChangeSource;
  readonly rollouts: RolloutSource;
  /** For the gate alone. */
  readonly syncToPrevious: Executor;
  /** For the gate alone. */
  readonly resumeAutoSync: Executor;
  close(): Promise<void>;
}

/** Everything unship does with one Argo CD server. `now`: Unix ms. */
export function connectArgocd(
  options: ArgocdOptions & {
    readonly services: readonly ServiceApplication[];
    /** Local clones in which reverts are prepared. */
    readonly clones: readonly Clone[];
    /** Where `git` is looked for; undefined: the system's usual places. */
    readonly searchPath?: string | undefined;
    readonly now: () => number;
  },
): Argocd {
  const client = argocdClient(options);
  const revert = options.clones.length === 0 ? null : revertDesk(options.clones, options.searchPath);
  return {
    client,
    changes: argocdChanges(client, options.services),
    rollouts: argocdRollouts(client, options.services, options.now),
    syncToPrevious: argocdSyncToPrevious({ client, now: options.now, revert }),
    resumeAutoSync: argocdResumeAutoSync({ client, now: options.now }),
    close: () => client.close(),
  };
}
