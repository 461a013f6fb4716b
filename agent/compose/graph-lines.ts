import type { Config } from "../../core/config/config.ts";
import { mergedTopology } from "../../core/correlation/call-graph.ts";
import { type GraphCoverage, graphCoverage } from "../../core/correlation/graph-coverage.ts";
import type { Sources } from "../../core/ports.ts";

/**
 * What the call graph of a live system is made of. Services are those of the configuration and those that run. A source
 * that does not answer adds nothing: `check` says of each by itself that it is down.
 */
export async function coverageOf(
  { topology, rollouts }: Pick<Sources, "topology" | "rollouts">,
  config: Config,
  abort: AbortSignal,
): Promise<GraphCoverage> {
  const [graphs, running] = await Promise.all([
    Promise.allSettled(topology.map((source) => source.topology(abort))),
    Promise.allSettled(rollouts.map((source) => source.rollouts(abort))),
  ]);
  const known = graphs.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const seen = running.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  const services = [...Object.keys(config.services), ...seen.map(({ service }) => service)];
  return graphCoverage(mergedTopology(known), services);
}
