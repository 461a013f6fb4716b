import { isLatency } from "../detection/meaning.ts";
import type { Finding, Onset } from "../model/finding.ts";
import { speaksOfErrors } from "./aliases.ts";
import type { CallGraph } from "./call-graph.ts";
import { isUse } from "./exhaustion.ts";
import type { SampleIndex } from "./samples.ts";
import { LEAST_RATIO, riseOf } from "./surge.ts";

/** What at least doubles at once was taken up by somebody: uses wander by less. */
const DOUBLED = 2;
/** What begins further apart is of something else. */
const APART_MS = 600_000;

/**
 * Services of which somebody holds far more than before (connections, streams, threads, the places of a queue), though not
 * by asking more often, with the callers that may. The counterpart of a flood that is counted in requests, for those who
 * ask in other ways. Where a service is slow its callers hold on to it for longer, so that such a use rises with the wait:
 * only what rose before anybody waited, or failed, was taken up by somebody else than its own slowness.
 * @see Little (1961), "A Proof for the Queuing Formula: L = λW"
 */
export function pressedBy(
  findings: readonly Finding[],
  index: SampleIndex,
  graph: CallGraph,
  onset: Onset,
  at: number,
): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, ReadonlySet<string>>();
  const isNear = ({ verdict, labels, onset: own }: Finding): boolean =>
    verdict === "worse" &&
    Object.keys(labels).length === 0 &&
    own !== null &&
    Math.max(own.earliest - onset.latest, onset.earliest - own.latest) <= APART_MS;
  const near = Map.groupBy(findings.filter(isNear), ({ service }) => service);
  for (const [service, told] of near) {
    const callers = [...graph.callers(service)].filter((caller) => caller !== service);
    const suffers = told.filter(({ metric }) => speaksOfErrors(metric) || isLatency(metric));
    const since = Math.min(...suffers.map((one) => one.onset?.at ?? Number.POSITIVE_INFINITY));
    const isTaken = (one: Finding): boolean => {
      const series = index.whole(service, one.metric);
      if (series === undefined || !isUse(series)) return false;
      return (one.onset?.at ?? since) < since && (one.current ?? 0) >= DOUBLED * Math.max(0, one.baseline ?? Infinity);
    };
    if (callers.length === 0 || suffers.length === 0 || !told.some(isTaken)) continue;
    const rise = riseOf(index, service, onset, at);
    if (rise === null || !rise.far || rise.ratio < LEAST_RATIO) found.set(service, new Set(callers));
  }
  return found;
}
