import type { Change } from "../../core/model/change.ts";

/** Whether somebody, not unship, changed a service after a moment (Unix ms): what is degraded there since may be of that. */
export const isChangedSince = (service: string, since: number, changes: readonly Change[]): boolean =>
  changesOf(service, changes).some(({ startedAt }) => startedAt > since);

/** What others than unship did to a service. */
export const changesOf = (service: string, changes: readonly Change[]): readonly Change[] =>
  changes.filter((change) => change.service === service && change.ownRollback !== true);
