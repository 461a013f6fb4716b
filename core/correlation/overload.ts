import type { Onset } from "../model/finding.ts";
import type { CallGraph } from "./call-graph.ts";
import type { SampleIndex } from "./samples.ts";
import { LEAST_RATIO, riseOf } from "./surge.ts";

/**
 * Services that are called more often than usual although their callers are not: somebody asks more for each request
 * of its own (a loop, a cache that misses, retries). By callee, the callers that may do so: those whose own traffic did
 * not rise likewise. Rises as for a surge of users: a third more, and far outside what the last half hour did.
 */
export function overloadedBy(
  index: SampleIndex,
  graph: CallGraph,
  onset: Onset,
  at: number,
): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, ReadonlySet<string>>();
  for (const service of index.services) {
    const rise = riseOf(index, service, onset, at);
    if (rise === null || !rise.far || rise.ratio < LEAST_RATIO) continue;
    const callers = [...graph.callers(service)].filter((caller) => {
      const own = riseOf(index, caller, onset, at);
      return own === null || own.ratio < Math.sqrt(rise.ratio);
    });
    if (callers.length > 0) found.set(service, new Set(callers));
  }
  return found;
}
