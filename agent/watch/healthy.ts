import type { CaseFile } from "../../core/model/assessment.ts";
import type { Change } from "../../core/model/change.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import type { WatchParts } from "./ports.ts";

/** The entry that ends a service's row of automatic rollbacks; the gate reads it. */
const HEALTHY = "change.healthy";

/**
 * Writes down which later changes of the services that were taken back have proved healthy: finished, served for as
 * long as a recovery may take to show, and nothing wrong with the service now. Until one has, the gate counts each
 * further rollback of the service as one more in a row.
 */
export async function noteHealthyChanges(
  parts: WatchParts,
  caseFile: CaseFile,
  inTrouble: ReadonlySet<string>,
): Promise<void> {
  const acted = await parts.ledger.entries({ kinds: ["plan.reserved"] });
  if (acted.length === 0) return;
  const noted = new Set((await parts.ledger.entries({ kinds: [HEALTHY] })).map(({ body }) => changeIdIn(body)));
  const servedMs = parts.config.feedback.timeoutMs;
  const proven = caseFile.changes.filter(
    (change) =>
      change.ownRollback !== true &&
      !noted.has(change.id) &&
      !inTrouble.has(change.service) &&
      change.finishedAt !== null &&
      caseFile.at - change.finishedAt >= servedMs &&
      isAfterAct(change, acted) &&
      !wasTakenBack(change, caseFile),
  );
  for (const { id, service } of proven) {
    await parts.ledger.append({
      kind: HEALTHY,
      incidentId: null,
      planId: null,
      actor: "watch",
      body: { service, changeId: id },
    });
  }
}

/** Only a change that began after an act of ours says anything about what came after it. */
function isAfterAct(change: Change, acted: readonly LedgerEntry[]): boolean {
  return acted.some(({ at }) => change.startedAt > at);
}

/** A change that something else replaced since is no longer the one that serves. */
function wasTakenBack(change: Change, { changes }: CaseFile): boolean {
  return changes.some(
    ({ service, kind, startedAt }) =>
      service === change.service && kind === change.kind && startedAt > change.startedAt,
  );
}

function changeIdIn(body: unknown): unknown {
  return typeof body === "object" && body !== null && "changeId" in body ? body.changeId : undefined;
}
