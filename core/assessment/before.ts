import { createCallGraph } from "../correlation/call-graph.ts";
import { indexSeries, type Sample, samplesBetween } from "../correlation/samples.ts";
import { ORDINARY_ROLLOUT_MS, UNTOLD_MS } from "../correlation/timing.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Change } from "../model/change.ts";
import type { Incident } from "../model/incident.ts";
import type { Series } from "../model/signal.ts";
import { episodeOnset, harmFindings } from "./episodes.ts";
import { inEffectAt } from "./own-acts.ts";

/** How much of the time before is compared with: an hour of samples. */
const BEFORE_MS = 3_600_000;

/** A time during which some services were degraded: an earlier incident. Unix ms; `until` may be Infinity. */
export interface DegradedSpan {
  readonly services: readonly string[];
  readonly from: number;
  readonly until: number;
}

/** The parts of an incident that say when it degraded what. */
type Dated = Pick<
  Incident,
  | "service"
  | "affectedServices"
  | "trouble"
  | "extent"
  | "onset"
  | "detectedAt"
  | "closedAt"
  | "findings"
  | "conditions"
>;

/**
 * When each of these incidents degraded its services: from its earliest credible onset, or the earliest that one of its findings or
 * conditions had, until it closed; one that is open lasts still.
 */
export function degradedSpans(incidents: readonly Dated[]): readonly DegradedSpan[] {
  return incidents.map((incident) => {
    const { service, affectedServices, trouble = [], extent, onset, detectedAt, closedAt } = incident;
    const dated = [...incident.findings, ...(extent?.findings ?? [])].filter(({ verdict }) => verdict === "worse");
    const onsets = [onset, extent?.onset ?? null, ...dated.map((one) => one.onset)];
    return {
      services: [...new Set([service, ...affectedServices, ...trouble, ...(extent?.services ?? [])])],
      from: Math.min(
        detectedAt,
        extent?.detectedAt ?? detectedAt,
        ...onsets.map((one) => one?.earliest ?? detectedAt),
        ...incident.conditions.flatMap(heldSince),
      ),
      until: closedAt ?? Number.POSITIVE_INFINITY,
    };
  });
}

/** Since when a condition holds or is pending at the earliest, Unix ms; nothing where it does neither. */
function heldSince({ state, since, earliest }: CaseFile["conditions"][number]): readonly number[] {
  return since === null || (state !== "firing" && state !== "pending") ? [] : [earliest ?? since];
}

/** The samples of a whole-service series that tell what it was like before an episode, oldest first. */
export type Before = (series: Series | undefined) => readonly Sample[];

/**
 * What counts as "before" an episode of these services, for a recovery: the newest hour of samples that lie before its credible
 * onset, and before the signal's own where that is earlier; outside earlier incidents of the service (`earlier`) and outside rollouts
 * of the service and of what it calls. Where the change that is suspected most began in the hour before that onset, only
 * what lies before the change: an onset that is dated late would leave the change's own harm in what its rollback is compared with.
 * Nothing where nothing is left. Pure.
 */
export function beforeOf(
  caseFile: CaseFile,
  services: readonly string[],
  earlier: readonly DegradedSpan[],
  suspect: string | null,
): Before {
  const index = indexSeries(caseFile.series, "version");
  const findings = harmFindings(caseFile, new Set(services));
  const onset = episodeOnset(findings, index, caseFile.changes)?.earliest ?? heldFrom(caseFile, services);
  const change = caseFile.changes.find(({ id, startedAt }) => id === suspect && startedAt < onset);
  const start = change !== undefined && change.startedAt > onset - BEFORE_MS ? change.startedAt : onset;
  const graph = createCallGraph(caseFile.topology);
  const rollouts = caseFile.changes.map((one) => ({ ...rolloutOf(one), service: one.service }));
  const known = new Map<string, readonly Span[]>();
  const spansOf = (service: string): readonly Span[] => {
    const spans = known.get(service) ?? [
      ...earlier.filter((one) => one.services.includes(service)),
      ...rollouts.filter((one) => one.service === service || graph.ancestors(one.service).has(service)),
    ];
    known.set(service, spans);
    return spans;
  };
  return (series) => {
    if (series === undefined) return [];
    const { service, metric, stepMs } = series;
    const own = findings.filter((one) => one.service === service && one.metric === metric);
    const until = Math.min(start, ...own.flatMap((one) => one.onset?.earliest ?? []));
    const spans = spansOf(service);
    const kept = samplesBetween(series, Number.NEGATIVE_INFINITY, until).filter(
      ({ at }) => !spans.some(({ from, until }) => at > from && at - stepMs < until),
    );
    return kept.slice(-Math.max(1, Math.floor(BEFORE_MS / stepMs)));
  };
}

type Span = Pick<DegradedSpan, "from" | "until">;

/**
 * How long a rollout without an end is one: Kubernetes' default `progressDeadlineSeconds`. One that goes on longer is stuck or was
 * paused, and what serves then is what is usual.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progress-deadline-seconds
 */
const UNFINISHED_MS = 600_000;

/** While a change rolls out its pods start, and whatever they do then is of the rollout. */
function rolloutOf({ kind, startedAt, finishedAt, ownRollback }: Change): Span {
  if (finishedAt === null) return { from: startedAt, until: startedAt + UNFINISHED_MS };
  const isUntold = kind === "deploy" && ownRollback !== true && finishedAt - startedAt < UNTOLD_MS;
  return { from: startedAt, until: isUntold ? startedAt + ORDINARY_ROLLOUT_MS : inEffectAt(finishedAt) };
}

/** Where no finding dates the episode: from when its conditions held; now, where none does. */
function heldFrom({ at, conditions }: CaseFile, services: readonly string[]): number {
  return Math.min(at, ...conditions.filter(({ service }) => services.includes(service)).flatMap(heldSince));
}
