import { gapBetween } from "../../core/correlation/onset-gap.ts";
import { ORDINARY_ROLLOUT_MS } from "../../core/correlation/timing.ts";
import { SPREADS_MS } from "../../core/correlation/wide-cause.ts";
import type { Assessment, CaseFile } from "../../core/model/assessment.ts";
import { type Incident, isResidual } from "../../core/model/incident.ts";
import { isBound } from "./allotting.ts";
import { changesOf } from "./changed-since.ts";
import { servicesOf, worse } from "./incident-state.ts";
import { noKnownChange } from "./nothing-undone.ts";

/**
 * The older open incident of a wide cause that goes on spreading and reached this one: no known change is to blame for it, nobody
 * was rolling one of its services out when it began, and it began no later than `SPREADS_MS` after a service of the wide incident did.
 * People know of that, and hear no second time of the same outage. undefined: none did, and it is told by itself.
 */
export function spreadsFrom(
  incident: Incident,
  assessment: Assessment,
  { caseFile, open }: { readonly caseFile: CaseFile; readonly open: () => readonly Incident[] },
): Incident | undefined {
  const { onset } = incident;
  if (onset === null || isBound(incident) || incident.wide === true || !noKnownChange(incident, assessment))
    return undefined;
  const isFresh = (name: string) =>
    changesOf(name, caseFile.changes).some(
      ({ startedAt, finishedAt }) =>
        startedAt > incident.detectedAt ||
        (startedAt <= onset.latest && (finishedAt ?? caseFile.at) + ORDINARY_ROLLOUT_MS >= onset.earliest),
    );
  if (servicesOf(incident).some(isFresh)) return undefined;
  const found = worse(caseFile.findings);
  return open().find((one) => {
    if (one.wide !== true || one.id === incident.id || isBound(one) || isResidual(one)) return false;
    const reached = new Set(servicesOf(one));
    return found.some(
      (finding) =>
        reached.has(finding.service) && finding.onset !== null && gapBetween(finding.onset, onset) <= SPREADS_MS,
    );
  });
}
