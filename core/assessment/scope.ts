import { type Components, componentsOf } from "../correlation/components.ts";
import { podsMoved } from "../correlation/pods-moved.ts";
import { isHarm } from "../detection/meaning.ts";
import type { BeganBeside, CaseFile, Coincidence } from "../model/assessment.ts";
import type { Topology } from "../model/evidence.ts";
import { readinessOfServices } from "./readiness-of-services.ts";

/** As far back as changes are looked for where no step says otherwise: "last 30 minutes" in the example configuration. */
export const CHANGE_WINDOW_MS = 1_800_000;
/** Evidence reaches back at least as far before now as changes are looked for, */
const LEAST_BACK_MS = CHANGE_WINDOW_MS;
/** and before the earliest onset as far as what was usual is read from (`baselines`). */
export const BEFORE_MS = 3_600_000;

/**
 * From when on evidence about these services is read: half an hour ago, or their earliest onset where that is older, but
 * no further back than samples are kept (`keptMs`). Unix ms.
 */
export function evidenceSince(
  { findings }: Pick<CaseFile, "findings">,
  at: number,
  keptMs: number,
  isMeant: (service: string) => boolean = () => true,
): number {
  const onsets = findings.flatMap(({ onset, verdict, service }) =>
    onset === null || verdict !== "worse" || !isMeant(service) ? [] : [onset.earliest],
  );
  return Math.max(at - keptMs, Math.min(at - LEAST_BACK_MS, ...onsets));
}

/**
 * From when on evidence about each service is read (Unix ms): by its own degradation and that of what something known joins
 * to it, so that what is read of it is the same whatever else is degraded.
 */
export function sinceByService(
  evidence: Pick<CaseFile, "findings">,
  at: number,
  keptMs: number,
  components: Components,
): (service: string) => number {
  const earliest = new Map<ReadonlySet<string>, number>();
  const bySet = Map.groupBy(evidence.findings, ({ service }) => components.of(service));
  const calm = evidenceSince({ findings: [] }, at, keptMs);
  for (const [set, findings] of bySet) earliest.set(set, evidenceSince({ findings }, at, keptMs));
  return (service) => earliest.get(components.of(service)) ?? calm;
}

/** From when on evidence about each degraded service is read by its own findings alone, Unix ms; sorted by name. */
export function sinceOfDegraded(
  { findings }: Pick<CaseFile, "findings">,
  at: number,
  keptMs: number,
): ReadonlyMap<string, number> {
  const worse = findings.filter(({ verdict }) => verdict === "worse");
  const bySet = Map.groupBy(worse, ({ service }) => service);
  return new Map(
    [...bySet]
      .map(([service, own]) => [service, evidenceSince({ findings: own }, at, keptMs)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** What is known beside the services of an incident that bears on it. */
export interface Beside {
  /** Degraded services of the same call graph that are incidents of their own: how they fare says nothing of this one. */
  readonly apart?: readonly string[];
  /** Services whose changes cannot have caused it, since what is wrong with it is nothing that they reach. */
  readonly unreached?: readonly string[];
  /** A large part of all that is measured was degraded at the same onset, by no change of its own. */
  readonly coincidence?: Coincidence | null;
  /** Others, whom nothing joins to it, were degraded at the same onset as what was changed here; see `meetings`. */
  readonly meeting?: Coincidence | null;
  /** Others, each an incident of its own: of its call graph and degraded at the same onset, or reached one after the other; see `spreadingTo`. */
  readonly siblings?: BeganBeside | null;
}

/** The services of one incident, and what bears on it from beside. */
export interface Group {
  /** Sorted. */
  readonly services: readonly string[];
  readonly beside: Beside;
}

const scoped = new WeakMap<CaseFile, Map<string, CaseFile>>();

/**
 * The part of the evidence that can say anything of an incident of these services (S16): what something known joins to
 * them, and nothing else, over the time that it would have been read for had nothing else been degraded. A degraded
 * service that no call, flag or required version joins to another is judged by its own evidence alone: the deploys of a
 * hundred others change nothing. Pure; made once for each snapshot and question.
 */
export function scopeTo(caseFile: CaseFile, services: readonly string[], beside: Beside = {}): CaseFile {
  if (services.length === 0) return caseFile;
  const { apart = [], unreached = [], coincidence = null, meeting = null, siblings = null } = beside;
  const key = JSON.stringify([services, apart, unreached, coincidence, meeting, siblings]);
  const known = scoped.get(caseFile) ?? new Map<string, CaseFile>();
  scoped.set(caseFile, known);
  const found = known.get(key) ?? newScope(caseFile, services, beside);
  known.set(key, found);
  return found;
}

function newScope(
  caseFile: CaseFile,
  services: readonly string[],
  { apart = [], unreached = [], coincidence, meeting, siblings }: Beside,
): CaseFile {
  const components = componentsOf(caseFile);
  const meant = new Set(services.flatMap((service) => [...components.of(service)]));
  const others = new Set(apart.filter((service) => !services.includes(service)));
  const isMeant = (service: string) => meant.has(service);
  const isAbout = ({ service }: { readonly service: string }) => meant.has(service);
  const speaks = ({ service }: { readonly service: string }) => meant.has(service) && !others.has(service);
  const oldest = caseFile.series.reduce((least, { startAt }) => Math.min(least, startAt), caseFile.at);
  const since = evidenceSince(caseFile, caseFile.at, caseFile.at - oldest, isMeant) - BEFORE_MS;
  return {
    ...caseFile,
    // What others are asked and use is read on; that they fail or are slow has a cause of its own.
    series: caseFile.series.filter((one) => isAbout(one) && (speaks(one) || !isHarm(one.metric, one.worse))),
    findings: caseFile.findings.filter(speaks),
    conditions: caseFile.conditions.filter(speaks),
    changes: caseFile.changes.filter((one) => isAbout(one) && !unreached.includes(one.service)),
    topology: topologyOf(caseFile.topology, isMeant),
    logs: caseFile.logs.filter((line) => speaks(line) && line.at >= since),
    spans: caseFile.spans.filter((span) => speaks(span) && span.startUs / 1000 >= since),
    flags: caseFile.flags.filter((flag) => flag.services.length === 0 || flag.services.some(isMeant)),
    rollouts: caseFile.rollouts.filter(isAbout),
    ...(caseFile.usualTraffic === undefined ? {} : { usualTraffic: caseFile.usualTraffic.filter(isAbout) }),
    ...(coincidence == null ? {} : { coincidence }),
    ...(meeting == null ? {} : { meeting }),
    ...(siblings == null ? {} : { siblings }),
    ...movedOf(caseFile),
    ...elsewhereOf(caseFile, isMeant),
    ...infrastructureOf(caseFile, isMeant),
  };
}

const moves = new WeakMap<CaseFile, Pick<CaseFile, "moved">>();

/** Whose pods are being moved, worked out once for each snapshot. */
function movedOf(caseFile: CaseFile): Pick<CaseFile, "moved"> {
  const known = moves.get(caseFile);
  if (known !== undefined) return known;
  const moved = caseFile.moved ?? podsMoved({ ...caseFile, readiness: readinessOfServices(caseFile.series) });
  const found = moved.length === 0 ? {} : { moved };
  moves.set(caseFile, found);
  return found;
}

/** What was done to the ground of these services: all of it, but for what is known as a service and joined to none of them. */
function infrastructureOf(caseFile: CaseFile, isMeant: (service: string) => boolean): Pick<CaseFile, "infrastructure"> {
  const { infrastructure, series, topology } = caseFile;
  if (infrastructure === undefined) return {};
  const known = new Set([...series.map(({ service }) => service), ...(topology?.edges.flat() ?? [])]);
  return { infrastructure: infrastructure.filter(({ place }) => isMeant(place) || !known.has(place)) };
}

/** Changes of what nobody measures and nothing joins, and how likely one of those is called all the same. */
function elsewhereOf(caseFile: CaseFile, isMeant: (service: string) => boolean): Pick<CaseFile, "elsewhere"> {
  const measured = new Set(caseFile.series.map(({ service }) => service));
  const changes = caseFile.changes.filter(
    ({ service, ownRollback }) => !isMeant(service) && !measured.has(service) && ownRollback !== true,
  );
  if (changes.length === 0) return caseFile.elsewhere === undefined ? {} : { elsewhere: caseFile.elsewhere };
  const edges = caseFile.topology?.edges ?? [];
  const callers = new Set(edges.map(([caller]) => caller));
  // A service calls as many others as those do of which it is known; one, where it is known of none.
  const callees = edges.length === 0 ? 1 : edges.length / callers.size;
  const names = new Set([...measured, ...edges.flat(), ...changes.map(({ service }) => service)]);
  return { elsewhere: { changes, chance: Math.min(1, callees / Math.max(1, names.size - 1)) } };
}

/** The part of the call graph between these services; null where it says nothing of any of them. */
function topologyOf(topology: Topology | null, isMeant: (service: string) => boolean): Topology | null {
  if (topology === null) return null;
  const edges = topology.edges.filter(([caller, callee]) => isMeant(caller) && isMeant(callee));
  const details = topology.details?.filter(({ caller, callee }) => isMeant(caller) && isMeant(callee)) ?? [];
  const reporting = topology.reporting?.filter(isMeant) ?? [];
  if (edges.length === 0 && reporting.length === 0) return null;
  return {
    edges,
    external: topology.external.filter(isMeant),
    ...(details.length === 0 ? {} : { details }),
    ...(reporting.length === 0 ? {} : { reporting }),
  };
}
