import { silentAfter } from "../../core/detection/silence.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Change } from "../../core/model/change.ts";
import { writtenTargets } from "../../core/model/deed.ts";
import { GateAnswer } from "../../core/model/plan.ts";
import { troubled } from "./incident-state.ts";
import type { WatchParts } from "./ports.ts";

/** How often changes that followed a rollback are looked at: they prove healthy over minutes, not seconds. */
export const HEALTH_LOOK_MS = 60_000;

/**
 * Writes down which later changes of the services that were taken back have proved healthy: finished, served for as
 * long as a recovery may take to show, and nothing wrong with the service now. Until one has, the gate counts each
 * further rollback of the service as one more in a row.
 */
export async function noteHealthyChanges(
  parts: Pick<WatchParts, "ledger" | "config">,
  caseFile: CaseFile,
): Promise<void> {
  const acts = await actsByService(parts);
  if (acts.size === 0) return;
  const inTrouble = troubled(caseFile.findings, caseFile.conditions);
  const noted = new Set(
    (await parts.ledger.entries({ kinds: [LEDGER_KINDS.changeHealthy] })).map(({ body }) => changeIdIn(body)),
  );
  const servedMs = parts.config.feedback.timeoutMs;
  const proven = caseFile.changes.filter(
    (change) =>
      change.ownRollback !== true &&
      !noted.has(change.id) &&
      !inTrouble.has(change.service) &&
      change.finishedAt !== null &&
      caseFile.at - change.finishedAt >= servedMs &&
      change.startedAt > (acts.get(change.service) ?? Infinity) &&
      isMeasured(change.service, change.finishedAt, caseFile) &&
      !wasTakenBack(change, caseFile),
  );
  for (const { id, service, kind } of proven) {
    await parts.ledger.append({
      kind: LEDGER_KINDS.changeHealthy,
      incidentId: null,
      planId: null,
      actor: "watch",
      body: { service, changeId: id, kind },
    });
  }
}

/** When each service was last taken back. */
async function actsByService({ ledger }: Pick<WatchParts, "ledger">): Promise<ReadonlyMap<string, number>> {
  const acts = new Map<string, number>();
  for (const { at, body } of await ledger.entries({ kinds: [LEDGER_KINDS.planAnswered] })) {
    const answer = GateAnswer.safeParse(body);
    if (answer.success) for (const { service } of writtenTargets({ gate: answer.data })) acts.set(service, at);
  }
  return acts;
}

/** Half of the samples since then, and a fresh one: a service that nobody measures has proved nothing (S9). */
const MEASURED_SHARE = 0.5;

function isMeasured(service: string, since: number, { series, at }: CaseFile): boolean {
  return series.some((one) => {
    if (one.service !== service || one.metric !== "error_rate" || Object.keys(one.labels).length > 0) return false;
    const values = one.values.filter((_, index) => one.startAt + index * one.stepMs > since);
    const wanted = (at - since) / one.stepMs;
    const newest = one.startAt + one.values.findLastIndex((value) => value !== null) * one.stepMs;
    const isFresh = at - newest <= silentAfter(one.stepMs);
    return isFresh && values.filter((value) => value !== null).length >= MEASURED_SHARE * wanted;
  });
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
