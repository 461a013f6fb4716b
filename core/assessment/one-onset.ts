import { isMostlyElse } from "../correlation/both-versions.ts";
import { type CallGraph, createCallGraph } from "../correlation/call-graph.ts";
import { changesAt, explainedBy } from "../correlation/changes-at.ts";
import { componentsOf } from "../correlation/components.ts";
import { chanceBeside, meetings, type Placed } from "../correlation/meeting.ts";
import { gapBetween, spreadOf } from "../correlation/onset-gap.ts";
import { gatherEvidence } from "../correlation/rank.ts";
import { reasonsFor } from "../correlation/reasons.ts";
import { indexSeries } from "../correlation/samples.ts";
import { spreadingTo } from "../correlation/spreading.ts";
import { isToldSideBySide } from "../correlation/version-signs.ts";
import { beginsWith, LEAST_GROUPS, SPREADS_MS, wideCauses } from "../correlation/wide-cause.ts";
import type { BeganBeside, CaseFile } from "../model/assessment.ts";
import type { Onset } from "../model/finding.ts";
import { episodeOnset, harmFindings } from "./episodes.ts";
import { CHANGE_WINDOW_MS, type Group, scopeTo } from "./scope.ts";

/** How the series label names versions, where nobody says otherwise. */
const VERSION_LABEL = "version";

/** A group with when it began, and what would explain that. */
interface Draft extends Group, Placed {
  /** Its services that were changed at the onset. */
  readonly changed: readonly string[];
  /** When the first of these changes started, Unix ms; infinite for none. */
  readonly changedFrom: number;
}

/**
 * The groups, where those of one wide cause are one (`wideCauses`), but for those whose own new version is told apart from its
 * old one, or whose change began only after the wide cause did; each that was changed with what it is known by that others began at its very onset: more than meet by chance
 * (`meetings`), or siblings in its call graph. `versionLabel`: how the series name versions. Pure.
 */
export function withWhatBeganTogether(
  caseFile: CaseFile,
  groups: readonly Group[],
  versionLabel: string,
): readonly Group[] {
  if (groups.length < 2) return groups;
  const components = componentsOf(caseFile);
  const drafts = groups.flatMap((group): readonly Draft[] => {
    const scope = scopeTo(caseFile, group.services, group.beside);
    const onset = onsetOf(scope, group.services);
    if (onset === null) return [];
    const changes = changesAt(scope, group.services, onset);
    const changed = [...new Set(changes.map(({ service }) => service))].sort();
    const isChanged = changed.length > 0;
    // What began later at a service that nobody changed since has no better explanation than what began first.
    const began = isChanged ? [] : harmFindings(scope, new Set(group.services)).flatMap((one) => one.onset ?? []);
    const explainedMs = explainedBy(changes, caseFile.at);
    return [
      {
        ...group,
        part: components.of(group.services[0] ?? ""),
        onset,
        stepMs: stepOf(scope, group.services),
        changed,
        changedFrom: Math.min(...changes.map(({ startedAt }) => startedAt)),
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
    // A change that started only after the first of them had begun is no suspect of what they share, and may be bad itself.
    const reached = cause.unchanged.filter(({ onset }) => gapBetween(onset, coincidence.onset) <= SPREADS_MS);
    const first = Math.min(...reached.map(({ onset }) => onset.latest));
    const own = cause.changed.filter((one) => one.changedFrom > first || isTold(caseFile, one, versionLabel));
    const one = [...cause.unchanged, ...cause.changed.filter((other) => !own.includes(other))];
    const services = [...new Set(one.flatMap((group) => group.services))].sort();
    // What stands apart from any of them, and those with a cause of their own, say nothing of the wide cause.
    const apart = (its: readonly string[]) =>
      [...new Set([...one, ...own].flatMap(({ beside, services: theirs }) => [...(beside.apart ?? []), ...theirs]))]
        .filter((name) => !its.includes(name))
        .sort();
    const of = (group: Group, list: readonly Group[]) => list.some((other) => other.services === group.services);
    all = all.flatMap((group): readonly Group[] => {
      if (group.services === one[0]?.services) return [{ services, beside: { apart: apart(services), coincidence } }];
      if (of(group, one)) return [];
      return [of(group, own) ? { ...group, beside: { ...group.beside, coincidence } } : group];
    });
  }
  const apart = drafts.filter(({ services }) =>
    all.some((group) => group.services === services && group.beside.coincidence == null),
  );
  const graph = createCallGraph(caseFile.topology);
  // What its own new version explains is no sign of a cause that several share.
  const unexplained = apart.length < LEAST_GROUPS ? [] : apart.filter((one) => !isItsOwn(caseFile, one, versionLabel));
  const met = meetings(unexplained, measured);
  return all.map((group) => {
    const pivot = apart.find(({ services }) => services === group.services);
    if (pivot === undefined) return group;
    const meeting = met.get(pivot) ?? null;
    const siblings = pivot.isChanged ? besideOf(caseFile, graph, pivot, apart, versionLabel) : null;
    if (meeting === null && siblings === null) return group;
    return { ...group, beside: { ...group.beside, meeting, siblings } };
  });
}

/** Those that something beneath them and a changed group may have reached: siblings, or whom a cause went on to. Null where there are none. */
function besideOf(
  caseFile: CaseFile,
  graph: CallGraph,
  pivot: Draft,
  all: readonly Draft[],
  versionLabel: string,
): BeganBeside | null {
  const found = [siblingsOf, reachedBeside].flatMap((of) => of(caseFile, graph, pivot, all, versionLabel) ?? []);
  return found.toSorted((a, b) => a.byChance - b.byChance)[0] ?? null;
}

/** Whom a cause that spreads reached beside a changed group, in whatever call graphs: see `spreadingTo`. */
function reachedBeside(
  caseFile: CaseFile,
  graph: CallGraph,
  pivot: Draft,
  all: readonly Draft[],
  versionLabel: string,
): BeganBeside | null {
  const calls = callsWith(graph, pivot);
  const unexplained = all.filter(
    (one) => one === pivot || (!one.services.some(calls) && !isItsOwn(caseFile, one, versionLabel)),
  );
  const spreading = spreadingTo(pivot, unexplained);
  if (spreading === null) return null;
  const services = spreading.others.flatMap((one) => (one.isChanged ? one.changed : one.services)).toSorted();
  return { services, withinMs: spreading.withinMs, of: pivot.changed, byChance: spreading.byChance };
}

/**
 * Those that began with a changed group in the same call graph, neither calling the other, and are incidents of their own since
 * each was changed: something beneath both is as good an explanation, unless their versions tell. What is degraded in other
 * call graphs says nothing of it. Null where there are none.
 */
function siblingsOf(
  caseFile: CaseFile,
  graph: CallGraph,
  pivot: Draft,
  all: readonly Draft[],
  versionLabel: string,
): BeganBeside | null {
  const components = componentsOf(caseFile);
  const isJoined = ({ services }: Draft) => services.some((a) => pivot.changed.some((b) => components.of(a).has(b)));
  const calls = callsWith(graph, pivot);
  /** Where it may have begun: at what was changed there, else at those that call nobody of their own group. */
  const placesOf = ({ services, changed }: Draft) =>
    changed.length > 0 ? changed : services.filter((one) => !services.some((other) => graph.ancestors(other).has(one)));
  const joined = all.filter(isJoined);
  const siblings = joined
    .filter((one) => one !== pivot && beginsWith(pivot, one) && !isItsOwn(caseFile, one, versionLabel))
    .map((group) => ({ group, places: placesOf(group).filter((one) => !calls(one)) }))
    .filter(({ places }) => places.length > 0);
  if (siblings.length === 0) return null;
  const services = siblings.flatMap(({ places }) => places).toSorted();
  const groups = siblings.map(({ group }) => group);
  const withinMs = spreadOf([pivot, ...groups].map(({ onset }) => onset));
  return { services, withinMs, of: pivot.changed, byChance: chanceBeside(pivot, groups, joined) };
}

/** Whether a service is one that was changed here, calls it, or is called by it, directly or through others. */
const callsWith =
  ({ ancestors }: CallGraph, { changed }: Draft) =>
  (a: string): boolean =>
    changed.some((b) => a === b || ancestors(a).has(b) || ancestors(b).has(a));

const isItsOwn = (caseFile: CaseFile, one: Draft, versionLabel: string): boolean =>
  one.isChanged && isTold(caseFile, one, versionLabel);

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
