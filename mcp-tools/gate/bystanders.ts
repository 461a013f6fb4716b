import { createCallGraph } from "../../core/correlation/call-graph.ts";
import { isLatency } from "../../core/detection/meaning.ts";
import type { Bystander } from "../../core/guardrails/common-mode.ts";
import type { Topology } from "../../core/model/evidence.ts";
import type { Baseline, Incident } from "../../core/model/incident.ts";
import type { Series } from "../../core/model/signal.ts";
import type { Window } from "../../core/model/time.ts";

/** The part of an incident that tells whom it is about. */
export type Concerned = Pick<Incident, "service" | "affectedServices" | "onset" | "findings" | "conditions" | "gate">;

/** As long before the onset as baselines look back. */
const BEFORE_MS = 3_600_000;
/** Pasts kept, of incidents that are verified at the same time; with more they are read anew. */
const MOST_KEPT = 16;

/** A metric of whole services in a window; empty where no source answers. */
export type ReadMetric = (metric: string, window: Window) => Promise<readonly Series[]>;

/** Who was well beside the trouble: those that the act cannot reach, and those of which nobody knows whether it does. */
export interface Beside {
  readonly bystanders: readonly Bystander[];
  readonly neighbours: readonly Bystander[];
}

const NOBODY: Beside = { bystanders: [], neighbours: [] };

/**
 * Reads, for each latency under verification, the services that were well, before the trouble and since the
 * act (`since`: all services' series of that metric). `read` gives a metric of whole services, and none where no source
 * answers: then nothing is discounted. What was read of the time before is kept, since it changes no more.
 */
export function createBystanders() {
  const before = new Map<string, readonly Series[]>();

  async function readBefore(metric: string, onset: number, read: ReadMetric): Promise<readonly Series[]> {
    const key = JSON.stringify([metric, onset]);
    const known = before.get(key);
    if (known !== undefined) return known;
    const series = await read(metric, { from: Math.max(0, onset - BEFORE_MS), to: onset });
    if (series.length > 0) {
      if (before.size >= MOST_KEPT) before.clear();
      before.set(key, series);
    }
    return series;
  }

  return async (
    incident: Concerned,
    baselines: readonly Baseline[],
    since: readonly Series[],
    topology: Topology | null,
    read: ReadMetric,
  ): Promise<Beside> => {
    const onset = incident.onset?.earliest;
    const metrics = [...new Set(baselines.map(({ metric }) => metric).filter(isLatency))];
    if (onset === undefined || metrics.length === 0) return NOBODY;
    const reachOf = reach(incident, topology);
    const found = await Promise.all(
      metrics.map(async (metric) => {
        const usual = new Map((await readBefore(metric, onset, read)).map((series) => [series.service, series]));
        return since.flatMap((series) => {
          const earlier = usual.get(series.service);
          return earlier === undefined || series.metric !== metric ? [] : [{ before: earlier, since: series }];
        });
      }),
    );
    const of = (wanted: Reach) => found.flat().filter(({ since: { service } }) => reachOf(service) === wanted);
    return { bystanders: of("out"), neighbours: of("unknown") };
  };
}

/** Whether what was done, and the trouble that it was done for, can have changed a service. */
export type Reach = "in" | "out" | "unknown";

/**
 * A service is known to be beyond what the act and the trouble can have changed where in the call graph it is none
 * of the targets, calls none of them (it would wait for them), is called by none of them, and calls nothing that they
 * call (they could load it); and nothing was wrong with it in the incident. Where the graph says nothing of a service, or
 * of a target, nobody knows.
 */
export function reach(incident: Concerned, topology: Topology | null): (service: string) => Reach {
  const graph = createCallGraph(topology);
  const targets = (incident.gate?.results ?? []).map(({ target }) => target.service);
  const reached = new Set([incident.service, ...incident.affectedServices, ...targets]);
  for (const { service, verdict } of incident.findings) if (verdict === "worse") reached.add(service);
  for (const { service, state } of incident.conditions) if (state === "firing") reached.add(service);
  const below = new Set<string>();
  const open = [...targets];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (below.has(next)) continue;
    below.add(next);
    open.push(...graph.callees(next));
  }
  for (const service of below) for (const one of [service, ...graph.ancestors(service)]) reached.add(one);
  const placed = (service: string) => graph.callees(service).size > 0 || graph.callers(service).size > 0;
  const known = graph.known && targets.length > 0 && targets.every(placed);
  return (service) => (reached.has(service) ? "in" : known && placed(service) ? "out" : "unknown");
}
