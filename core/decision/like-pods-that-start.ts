import { speaksOfErrors } from "../correlation/aliases.ts";
import type { CaseEvidence } from "../correlation/rank.ts";
import { tellsBesideItsStart } from "../correlation/version-signs.ts";
import type { Candidate } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";

/** Whether what is wrong with its service shows in its readiness, while pods of others that nobody changed are being moved. */
export const isLikeMovedPods = (change: Change, top: Candidate, evidence: CaseEvidence): boolean =>
  (evidence.caseFile.moved ?? []).some((one) => one !== change.service) &&
  evidence.worse.get(change.service)?.has("health_check_failures") === true &&
  !tellsBesideItsStart(change, top.reasons, evidence);

/**
 * What leaves a version that is only slower beside the old one to people within a wide cause, or null. Pods that start cold are
 * slower than warm ones, whatever they run, and what shows that this stays is whether the service gets well once they are
 * warm: here it does not, since the wide cause slows it meanwhile.
 */
export function slowWithinWideCause(change: Change, { caseFile, worse }: CaseEvidence): string | null {
  const { coincidence } = caseFile;
  if (coincidence === undefined || change.kind === "flag" || change.kind === "migration") return null;
  if ([...(worse.get(change.service) ?? [])].some(speaksOfErrors)) return null;
  return `${coincidence.services} services that nobody changed were degraded at the same onset, which may keep ${change.service} slow once its new pods are warm`;
}
