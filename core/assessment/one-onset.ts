import { isMostlyElse } from "../correlation/both-versions.ts";
import { changesAt, explainedBy } from "../correlation/changes-at.ts";
import { type Explained, meetings } from "../correlation/meeting.ts";
import { gatherEvidence } from "../correlation/rank.ts";
import { reasonsFor } from "../correlation/reasons.ts";
import { indexSeries } from "../correlation/samples.ts";
import { isToldSideBySide } from "../correlation/version-signs.ts";
import { LEAST_GROUPS, wideCauses } from "../correlation/wide-cause.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Onset } from "../model/finding.ts";
import { episodeOnset, harmFindings } from "./episodes.ts";
import { CHANGE_WINDOW_MS, type Group, scopeTo } from "./scope.ts";

/** How the series label names versions, where nobody says otherwise. */
const VERSION_LABEL = "version";

/** A group with when it began, and what would explain that. */
interface Draft extends Group, Explained {}

/**
 * The groups, where those of one wide cause are one (`wideCauses`), but for those whose own new version is told apart from its
 * old one; and each that was changed with those that it met by more than chance (`meetings`). `versionLabel`: how the series
 * name versions. Pure.
 */
export function withWhatBeganTogether(
  caseFile: CaseFile,
  groups: readonly Group[],
  versionLabel: string,
): readonly Group[] {
  if (groups.length < LEAST_GROUPS) return groups;
  const drafts = groups.flatMap((group): readonly Draft[] => {
    const scope = scopeTo(caseFile, group.services, group.beside);
    const onset = onsetOf(scope, group.services);
    if (onset === null) return [];
    const changes = changesAt(scope, group.services, onset);
    const isChanged = changes.length > 0;
    // What began later at a service that nobody changed since has no better explanation than what began first.
    const began = isChanged ? [] : harmFindings(scope, new Set(group.services)).flatMap((one) => one.onset ?? []);
    const explainedMs = explainedBy(changes, caseFile.at);
    return [
      {
        ...group,
        onset,
        stepMs: stepOf(scope, group.services),
        isChanged,
        began: [onset, ...began],
        explainedMs,
      },
    ];
  });
  const measured = new Set(caseFile.series.map(({ service }) => service)).size;
  let all = groups;
  for (const cause of wideCauses(drafts, measured)) {
    const { coincidence } = cause;
    const told = cause.changed.filter((one) => isTold(caseFile, one, versionLabel));
    const one = [...cause.unchanged, ...cause.changed.filter((other) => !told.includes(other))];
    const services = [...new Set(one.flatMap((group) => group.services))].sort();
    // What stands apart from any of them, and those told by their versions, say nothing of the wide cause.
    const apart = (own: readonly string[]) =>
      [...new Set([...one, ...told].flatMap(({ beside, services: its }) => [...(beside.apart ?? []), ...its]))]
        .filter((name) => !own.includes(name))
        .sort();
    const of = (group: Group, list: readonly Group[]) => list.some((other) => other.services === group.services);
    all = all.flatMap((group): readonly Group[] => {
      if (group.services === one[0]?.services) return [{ services, beside: { apart: apart(services), coincidence } }];
      if (of(group, one)) return [];
      return [of(group, told) ? { ...group, beside: { ...group.beside, coincidence } } : group];
    });
  }
  const apart = drafts.filter(({ services }) =>
    all.some((group) => group.services === services && group.beside.coincidence == null),
  );
  const met = meetings(apart, measured);
  return all.map((group) => {
    const pivot = apart.find(({ services }) => services === group.services);
    if (pivot === undefined) return group;
    const meeting = met.get(pivot) ?? null;
    return meeting === null ? group : { ...group, beside: { ...group.beside, meeting } };
  });
}

const onsetOf = (scope: CaseFile, services: readonly string[]): Onset | null =>
  episodeOnset(harmFindings(scope, new Set(services)), indexSeries(scope.series, VERSION_LABEL), scope.changes);

/** How far apart the samples are of what is degraded at these services, ms: the finest of them tells when it began. */
function stepOf(scope: CaseFile, services: readonly string[]): number {
  const hurt = new Set(harmFindings(scope, new Set(services)).map(({ service, metric }) => `${service}\n${metric}`));
  const steps = scope.series.flatMap(({ service, metric, stepMs }) =>
    hurt.has(`${service}\n${metric}`) ? [stepMs] : [],
  );
  return steps.length === 0 ? 0 : Math.min(...steps);
}

/** Whether a change at the onset is told apart by its versions, and most of what is wrong there is a matter of them. */
function isTold(caseFile: CaseFile, { services, beside, onset }: Draft, versionLabel: string): boolean {
  const scope = scopeTo(caseFile, services, beside);
  const options = { versionLabel, windowMs: CHANGE_WINDOW_MS };
  const evidence = gatherEvidence(scope, onset, new Set(services), options);
  const changes = changesAt(scope, services, onset);
  return changes.some(
    (change) =>
      isMostlyElse(change, evidence) !== true &&
      isToldSideBySide(change, reasonsFor(change, changes, evidence, options), evidence),
  );
}
