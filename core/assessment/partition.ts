import { type CallGraph, createCallGraph } from "../correlation/call-graph.ts";
import { changesAt } from "../correlation/changes-at.ts";
import { componentsOf } from "../correlation/components.ts";
import { APART_MS, isNear, isSameOnset } from "../correlation/onset-gap.ts";
import { sharedChange } from "../correlation/shared-change.ts";
import { gravityOf, ofGravestClass } from "../correlation/trouble.ts";
import type { CaseFile } from "../model/assessment.ts";
import { harmFindings } from "./episodes.ts";
import { type Dated, linked } from "./linking.ts";
import { withWhatBeganTogether } from "./one-onset.ts";
import { type Group, scopeTo } from "./scope.ts";

/** How the series label names versions, where nobody says otherwise. */
const VERSION_LABEL = "version";

const partitioned = new WeakMap<CaseFile, Map<string, readonly Group[]>>();

/**
 * What is degraded, by what can join it (S16): one group for each incident. Two degraded services stand in one group where
 * calls join them (one calls the other, directly or through others, or both call something that nobody measures) and their
 * onsets are near, or where they begin at the very same time in one call graph, which one shared cause explains better than
 * two that met by chance; or where one act of release changed both shortly before. They stand apart where nothing known joins them, and where the one that began later was changed
 * itself in between and calls nothing of what began before: what failed earlier explains neither; and where all that is
 * wrong with one of them is a new revision whose pods do not become ready, and it does not call the other. What a large part of
 * all measured services shares is one group, whatever joins them (`wideCauses`), but for those whose own new version is
 * told apart from its old one. Pure; ordered by their earliest onset; worked out once for each snapshot.
 */
export function partition(caseFile: CaseFile, versionLabel = VERSION_LABEL): readonly Group[] {
  const known = partitioned.get(caseFile) ?? new Map<string, readonly Group[]>();
  partitioned.set(caseFile, known);
  const found = known.get(versionLabel) ?? newPartition(caseFile, versionLabel);
  known.set(versionLabel, found);
  return found;
}

/** The services of each incident that there is now; see `partition`. */
export function episodes(caseFile: CaseFile, versionLabel = VERSION_LABEL): readonly (readonly string[])[] {
  return partition(caseFile, versionLabel).map(({ services }) => services);
}

/**
 * The incident that the focus belongs to, grown by what was degraded with it since; without a focus the gravest.
 */
export function servicesMeant(
  caseFile: CaseFile,
  focus?: readonly string[],
  versionLabel = VERSION_LABEL,
): readonly string[] {
  const found = episodes(caseFile, versionLabel);
  if (focus === undefined) {
    // Late answers come with many troubles and without any: failed requests come first where they are nearly as grave.
    const grave = new Set(ofGravestClass(harmFindings(caseFile)));
    const gravity = (services: readonly string[]) =>
      Math.max(0, ...[...grave].filter(({ service }) => services.includes(service)).map(gravityOf));
    return [...found].sort((a, b) => gravity(b) - gravity(a))[0] ?? [];
  }
  const together = found.filter((services) => services.some((service) => focus.includes(service)));
  return [...new Set([...focus, ...together.flat()])].sort();
}

/** The evidence about an incident of these services, and nothing else; see `scopeTo`. */
export function evidenceAbout(caseFile: CaseFile, services: readonly string[], versionLabel = VERSION_LABEL): CaseFile {
  const own = partition(caseFile, versionLabel).filter((group) => group.services.some((one) => services.includes(one)));
  const apart = [...new Set(own.flatMap(({ beside }) => beside.apart ?? []))].filter((one) => !services.includes(one));
  const coincidence = own.find(({ beside }) => beside.coincidence != null)?.beside.coincidence ?? null;
  const meeting = own.find(({ beside }) => beside.meeting != null)?.beside.meeting ?? null;
  const siblings = own.find(({ beside }) => beside.siblings != null)?.beside.siblings ?? null;
  // What one of several groups cannot have been reached by may have reached another.
  const [first] = own;
  const unreached = own.length === 1 ? (first?.beside.unreached ?? []).filter((one) => !services.includes(one)) : [];
  return scopeTo(caseFile, services, {
    apart: apart.sort(),
    coincidence,
    meeting,
    siblings,
    ...(unreached.length === 0 ? {} : { unreached }),
  });
}

function newPartition(caseFile: CaseFile, versionLabel: string): readonly Group[] {
  const found = harmFindings(caseFile).filter((one): one is Dated => one.onset !== null);
  const joins = joinsOf(caseFile, found);
  return withWhatBeganTogether(
    caseFile,
    linked(found, joins).map(({ findings, services, apart }) => {
      const unreached = [...new Set(joins.besideStuck(findings))].toSorted();
      const all = [...new Set([...apart, ...unreached])].toSorted();
      return { services, beside: { apart: all, ...(unreached.length === 0 ? {} : { unreached }) } };
    }),
    versionLabel,
  );
}

/** Which findings belong to one incident, and which stand apart though calls join them. */
function joinsOf(caseFile: CaseFile, found: readonly Dated[]) {
  const graph = createCallGraph(caseFile.topology);
  const components = componentsOf(caseFile);
  const measured = new Set(caseFile.series.map(({ service }) => service));
  const isJoined = (a: string, b: string): boolean => {
    if (a === b || graph.ancestors(a).has(b) || graph.ancestors(b).has(a)) return true;
    return [...graph.callees(a)].some((callee) => !measured.has(callee) && graph.callees(b).has(callee));
  };
  const changesOf = Map.groupBy(caseFile.changes, ({ service }) => service);
  const byId = new Map(caseFile.changes.map((change) => [change.id, change]));
  const releases = sharedChange(caseFile.changes).map(({ services, changeIds }) => ({
    services: new Set(services),
    startedAt: Math.min(...changeIds.map((id) => byId.get(id)?.startedAt ?? Number.POSITIVE_INFINITY)),
  }));
  /** One act of release changed both before they began, at about one time. */
  const isOneRelease = (a: Dated, b: Dated): boolean =>
    isNear(a.onset, b.onset) &&
    releases.some(
      ({ services, startedAt }) =>
        services.has(a.service) &&
        services.has(b.service) &&
        startedAt <= Math.min(a.onset.latest, b.onset.latest) &&
        Math.max(a.onset.earliest, b.onset.earliest) - startedAt <= APART_MS,
    );
  /** It was changed itself after the other began, and calls nothing that explains it. */
  const isOwn = (later: Dated, earlier: Dated): boolean =>
    later.service !== earlier.service &&
    later.onset.earliest > earlier.onset.latest &&
    !graph.ancestors(earlier.service).has(later.service) &&
    (changesOf.get(later.service) ?? []).some(
      (change) =>
        change.ownRollback !== true &&
        change.startedAt > earlier.onset.latest &&
        change.startedAt <= later.onset.latest,
    );
  const isLater = (later: Dated, earlier: Dated): boolean =>
    isOwn(later, earlier) ||
    (later.onset.earliest > earlier.onset.latest &&
      changed.some(
        (one) => isOwn(one, earlier) && isSameOnset(one.onset, later.onset) && isJoined(one.service, later.service),
      ));
  const changed = found.filter(({ service }) => changesOf.has(service));
  const isBeside = (a: Dated, b: Dated) => components.of(a.service).has(b.service);
  const stuck = stuckAlone(caseFile, found);
  const below = descendantsOf(graph);
  /** What never became ready serves nobody and degrades none of its callers; what it calls may hold it up. */
  const isStuckBeside = (a: Dated, b: Dated) => stuck.has(a.service) && !below(a.service).has(b.service);
  const isStuck = (a: Dated, b: Dated) => isStuckBeside(a, b) || isStuckBeside(b, a);
  const isRolling = ({ service, onset }: Dated) =>
    (changesOf.get(service) ?? []).some(
      (change) =>
        change.ownRollback !== true &&
        change.startedAt <= onset.latest &&
        (change.finishedAt ?? caseFile.at) >= onset.earliest,
    );
  /** Each began while a change of its own rolled out, and neither calls the other nor what the other calls. */
  const isRival = (a: Dated, b: Dated) =>
    a.service !== b.service &&
    isRolling(a) &&
    isRolling(b) &&
    ![...below(a.service)].some((one) => below(b.service).has(one));
  const isApart = (a: Dated, b: Dated) =>
    isBeside(a, b) && (isLater(a, b) || isLater(b, a) || isStuck(a, b) || isRival(a, b));
  return {
    isApart,
    /** Whom new pods that do not become ready do not call, degraded or mended meanwhile: it cannot hold them up. */
    besideStuck: (group: readonly Dated[]): readonly string[] => {
      const services = new Set(group.map(({ service }) => service));
      if ([...services].some((service) => !stuck.has(service))) return [];
      return [...services].flatMap((service) =>
        [...components.of(service)].filter((other) => !services.has(other) && !graph.ancestors(other).has(service)),
      );
    },
    isOne: (a: Dated, b: Dated): boolean => {
      if (a.service === b.service || isOneRelease(a, b)) return true;
      if (!isBeside(a, b)) return false;
      const isNearby = isSameOnset(a.onset, b.onset) || (isNear(a.onset, b.onset) && isJoined(a.service, b.service));
      return isNearby && !isApart(a, b);
    },
  };
}

/** A service and all that it calls, directly or through others. */
function descendantsOf({ callees }: CallGraph): (service: string) => ReadonlySet<string> {
  const known = new Map<string, ReadonlySet<string>>();
  return (service) => {
    const before = known.get(service);
    if (before !== undefined) return before;
    const found = new Set([service]);
    for (const one of found) for (const callee of callees(one)) found.add(callee);
    known.set(service, found);
    return found;
  };
}

/**
 * Services of which nothing is worse but that pods are not ready while a change of their own rolls out: the pods of the new
 * revision do not become ready, before its deadline as after it.
 */
function stuckAlone(caseFile: CaseFile, found: readonly Dated[]): ReadonlySet<string> {
  const others = new Set(
    found.filter(({ metric }) => metric !== "health_check_failures").map(({ service }) => service),
  );
  const rolling = found.filter(
    ({ service, detector, onset }) =>
      !others.has(service) && (detector === "rollout" || changesAt(caseFile, [service], onset).length > 0),
  );
  return new Set(rolling.map(({ service }) => service));
}
