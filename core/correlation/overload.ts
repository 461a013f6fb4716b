import type { Onset } from "../model/finding.ts";
import type { CallGraph } from "./call-graph.ts";
import type { SampleIndex } from "./samples.ts";
import { LEAST_RATIO, riseOf } from "./surge.ts";

/**
 * Services that are called more often than usual although their callers are not: somebody asks more for each request
 * of its own (a loop, a cache that misses, retries). By callee, the callers that may do so: those whose own traffic did
 * not rise likewise. Rises as for a surge of users: a third more, and far outside what the last half hour did. By so much it
 * must also answer more: whoever fails is asked again and again, and then the failing comes first. Of m tries of which a share f
 * fails, (1 − f^m) / (1 − f) are asked and 1 − f^m are answered, so that retries alone never raise how many are answered, but
 * bring them up to the usual: at the very bound chance would decide, and it is asked anew with each sample. So the callers are held
 * against what is answered as well.
 * A flooded service asks its own callees more: what floods it floods them.
 * @see Beyer et al. (2016), Site Reliability Engineering, ch. 22 "Addressing Cascading Failures" (retries)
 */
export function overloadedBy(
  index: SampleIndex,
  graph: CallGraph,
  onset: Onset,
  at: number,
): ReadonlyMap<string, ReadonlySet<string>> {
  const first = floodsAt(index, graph, onset, Math.min(at, onset.latest + FIRST_SAMPLES * index.coarsestMs));
  return first.size > 0 ? first : floodsAt(index, graph, onset, Math.min(at, onset.latest + AT_FIRST_MS));
}
/** Once a flood makes requests fail, everybody asks again, and everybody's traffic rises: who began it shows at first. */
const FIRST_SAMPLES = 2;
/**
 * Where none showed in these, one is looked for up to so long after the onset: what is asked more often later than that is
 * what the trouble led to (users and callers that try again, pods that are lost), and whoever asks is not to blame for it.
 */
const AT_FIRST_MS = 5 * 60_000;

function floodsAt(
  index: SampleIndex,
  graph: CallGraph,
  onset: Onset,
  at: number,
): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, ReadonlySet<string>>();
  const along = new Map<string, readonly string[]>();
  for (const service of index.services) {
    const rise = riseOf(index, service, onset, at);
    if (rise === null || !rise.far || rise.ratio < LEAST_RATIO) continue;
    const answered = riseOf(index, service, onset, at, "answered");
    if (answered === null || !answered.far || answered.ratio < LEAST_RATIO) continue;
    const { still = [], rising = [] } = Object.groupBy(graph.callers(service), (caller) => {
      const own = riseOf(index, caller, onset, at);
      return own === null || own.ratio < Math.sqrt(answered.ratio) ? "still" : "rising";
    });
    if (still.length > 0) found.set(service, new Set(still));
    if (rising.length > 0) along.set(service, rising);
  }
  return passedOn(found, along);
}

/** With whoever floods the callers that rose `along` with a service counted to those who flood it. */
function passedOn(
  found: Map<string, ReadonlySet<string>>,
  along: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, ReadonlySet<string>> {
  for (let grew = true; grew; ) {
    grew = false;
    for (const [service, callers] of along) {
      const known = found.get(service) ?? new Set();
      const all = new Set([...known, ...callers.flatMap((caller) => [...(found.get(caller) ?? [])])]);
      all.delete(service);
      if (all.size === known.size) continue;
      found.set(service, all);
      grew = true;
    }
  }
  return found;
}
