import { speaksOfErrors } from "../correlation/aliases.ts";
import type { CaseEvidence } from "../correlation/rank.ts";
import { tellsBesideItsStart } from "../correlation/version-signs.ts";
import type { Candidate } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { nameOfChange } from "../model/change-name.ts";

/** Whether what is wrong with its service shows in its readiness, while pods of others that nobody changed are being moved. */
export const isLikeMovedPods = (change: Change, top: Candidate, evidence: CaseEvidence): boolean =>
  (evidence.caseFile.moved ?? []).some((one) => one !== change.service) &&
  evidence.worse.get(change.service)?.has("health_check_failures") === true &&
  !tellsBesideItsStart(change, top.reasons, evidence);

/**
 * What leaves a new version to people within a wide cause, or null. Versions differ there as well by where their pods stand: those of a
 * small or late part of a rollout may all stand where the cause is, and fail while the old ones do not; what was rolled out before the cause
 * began and fails with it is as likely to be that. And pods that start cold are slower than warm ones, whatever they run: what would show
 * that this stays is whether the service gets well once they are warm, and the wide cause slows it meanwhile.
 */
export function likeWideCause(change: Change, { caseFile, worse }: CaseEvidence): string | null {
  const { coincidence } = caseFile;
  if (coincidence === undefined || change.kind === "flag" || change.kind === "migration") return null;
  const others = `${coincidence.services} services that nobody changed were degraded at the same onset`;
  if (change.startedAt < coincidence.onset.earliest)
    return `${others}, after ${nameOfChange(change)} had begun: its pods may run where the cause is`;
  if ([...(worse.get(change.service) ?? [])].some(speaksOfErrors)) return null;
  return `${others}, which may keep ${change.service} slow once its new pods are warm`;
}
