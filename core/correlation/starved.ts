import type { Onset } from "../model/finding.ts";
import type { CallGraph } from "./call-graph.ts";
import type { SampleIndex } from "./samples.ts";
import { LEAST_RATIO, riseOf } from "./surge.ts";

/**
 * Services that are called less often than usual although their callers are not, and call others as ever: nobody gets
 * through to them (a certificate, a name, a port, a policy of the network), or nobody asks any more. The counterpart
 * of a callee that is flooded, by the same measure: a third less, and far outside what the last half hour did.
 * A caller that fails before it calls anybody starves all of its callees alike: that is no sign against one of them.
 */
export function starvedCallees(index: SampleIndex, graph: CallGraph, onset: Onset, at: number): ReadonlySet<string> {
  const ratios = new Map(index.services.map((service) => [service, riseOf(index, service, onset, at)]));
  const starved = index.services.filter((service) => {
    const fall = ratios.get(service) ?? null;
    if (fall === null || !fall.fell || fall.ratio > 1 / LEAST_RATIO) return false;
    const keeps = (other: string) => (ratios.get(other)?.ratio ?? 0) > Math.sqrt(fall.ratio);
    const callers = [...graph.callers(service)].filter((caller) => ratios.get(caller) !== null);
    if (callers.length === 0 || !callers.every(keeps)) return false;
    const siblings = callers.flatMap((caller) => [...graph.callees(caller)]).filter((one) => one !== service);
    return siblings.some(keeps);
  });
  return new Set(starved);
}
