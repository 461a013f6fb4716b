import { isLatency } from "../detection/meaning.ts";
import { logAdd } from "../detection/robust.ts";
import type { Change } from "../model/change.ts";
import type { Onset } from "../model/finding.ts";
import type { Series } from "../model/signal.ts";
import { HARM_CERTAIN, isHurtSince } from "./harm.ts";
import { HURT_AS_CALLER } from "./hurt-chances.ts";
import { calleesKnown, knownEdges } from "./known-edges.ts";
import type { CaseEvidence } from "./rank.ts";
import { type SampleIndex, samplesBetween } from "./samples.ts";
import { answeredInTraces } from "./traced-callee.ts";
import { POSITIVE_NATS } from "./version-signs.ts";

/** The evidence that tells how those that a service calls were doing when the trouble began. */
export type SeenOfCallees = Pick<
  CaseEvidence,
  "caseFile" | "index" | "graph" | "onset" | "stepMs" | "harm" | "worse" | "course" | "usedUp"
>;

/**
 * Those that the changed service calls of which nothing tells whether they were well or hurt since the onset, sorted; null
 * where it is not known what the service calls. One that nobody measures (an external, a database), one that is silent
 * around the onset while the service was heard, and one that was asked too little to tell are alike: that a series exists
 * says nothing of this time.
 *
 * Known are those whose errors or latencies since the onset tell either by positive evidence, or whose part in the failing
 * requests is in their traces, or whose other callers are well by as much (`isWellByCallers`). That pods are ready, or what a processor
 * does, tells nothing of the answers. What creeps toward a limit is passed on by no callee: then none is asked for. Nor is any where the
 * service itself is not worse. It depends on the edges out of the service, on these callees and on who else calls them alone. Pure.
 */
export function unseenCallees({ service }: Pick<Change, "service">, seen: SeenOfCallees): readonly string[] | null {
  if (!calleesKnown(seen.caseFile.topology, service, isMeasured(seen))) return null;
  const creeps = seen.course === "drift" && seen.usedUp === null;
  if (creeps || !seen.worse.has(service)) return [];
  const callees = [...seen.graph.callees(service)].filter((callee) => callee !== service);
  return callees.filter((callee) => !isSeen(callee, service, seen)).sort();
}

/** Whether signals of a service were read; those of an incident beside it that stands apart count as well. */
const isMeasured =
  ({ index }: Pick<CaseEvidence, "index">) =>
  (service: string): boolean =>
    index.services.includes(service);

function isSeen(callee: string, caller: string, seen: SeenOfCallees): boolean {
  // What is all but certain needs no newer sample; what a few samples hint at, of one that fell silent since, is no knowledge.
  if ((seen.harm.get(callee) ?? 0) >= HARM_CERTAIN) return true;
  return (
    Math.abs(heardSince(callee, caller, seen)) >= POSITIVE_NATS ||
    answeredInTraces(seen.caseFile.spans, caller, callee, seen.onset) ||
    isWellByCallers(callee, caller, seen)
  );
}

/** Log Bayes factor of "hurt since the onset" by what a service itself answers; 0 where it was not heard since, while `beside` was. */
function heardSince(service: string, beside: string, { index, onset, stepMs, caseFile }: SeenOfCallees): number {
  const answers = answersOf(index, service);
  const coarsest = Math.max(stepMs, ...answers.map((one) => one.stepMs));
  // A sample covers the step that ends at its time: of a coarse one the whole step must lie after the onset.
  const since = onset.latest + coarsest - stepMs;
  const own = finestOf(answersOf(index, beside));
  const speaks = answers.some(
    (one) => !wasSilent(one, own ?? one, onset, caseFile.at) && !isBehind(one, own ?? one, since, caseFile.at),
  );
  return speaks ? isHurtSince(index, service, onset, since, caseFile.at) : 0;
}

/**
 * Whether others that call it are well since the onset, three to one. Of a callee that fails, a caller suffers in seven cases of ten
 * (`HURT_AS_CALLER`): each says as much as its own signals tell that it is well, and three to one at most. One that suffers may do so
 * for the service in question, where a way of calls leads to it, and says nothing then; another shows that the callee may fail.
 * An edge must be people's own, or have measured traffic.
 */
function isWellByCallers(callee: string, caller: string, seen: SeenOfCallees): boolean {
  const { caseFile, graph, harm } = seen;
  const edges = caseFile.topology === null ? [] : [...knownEdges(caseFile.topology).values()];
  const others = edges.filter(
    (edge) =>
      edge.callee === callee &&
      edge.caller !== caller &&
      (edge.source === "configured" || edge.traffic !== undefined) &&
      graph.callers(callee).has(edge.caller),
  );
  const above = graph.ancestors(caller);
  const nats = others.map((other) => {
    const hurt = Math.max(harm.get(other.caller) ?? 0, heardSince(other.caller, caller, seen));
    const told = logAdd(Math.log(HURT_AS_CALLER) + hurt, Math.log(1 - HURT_AS_CALLER));
    return above.has(other.caller) ? Math.min(0, told) : told;
  });
  return nats.reduce((sum, one) => sum + one, 0) <= -POSITIVE_NATS;
}

/** A sample may come later than others of its time, always by as much; so many since the onset tell without the newest. */
const ENOUGH = 2;

/**
 * Whether the newest sample of a series is missing while the service was heard, and too few came since the onset to do
 * without: it may have fallen silent, or be late, which the next sample shows.
 */
function isBehind(series: Series, own: Series, since: number, at: number): boolean {
  const spoken = samplesBetween(series, since, at);
  const last = spoken.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  const heard = samplesBetween(own, since, at).at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  return spoken.length < ENOUGH && heard - last >= series.stepMs;
}

/** What tells how a service answers. */
const answersOf = (index: SampleIndex, service: string): readonly Series[] =>
  index.metrics(service).filter(({ metric }) => metric === "error_rate" || isLatency(metric));

const finestOf = (answers: readonly Series[]): Series | undefined => answers.toSorted((a, b) => a.stepMs - b.stepMs)[0];

/**
 * Whether a series was silent at any time from the onset until now while the service was heard (`own`); one sample that is
 * missing is no silence. Who was silent when it began and is well once it is heard again may have restarted meanwhile; who
 * falls silent later may be why what is seen now is worse, for nobody knows an onset to the step. Where the service itself
 * is not heard, others' silence is no news.
 */
function wasSilent(series: Series, own: Series, { earliest }: Onset, at: number): boolean {
  const spoken = samplesBetween(series, earliest, at);
  let next = 0;
  let heardMs = 0;
  for (const heard of samplesBetween(own, earliest, at)) {
    let spoke = false;
    for (let one = spoken[next]; one !== undefined && one.at <= heard.at; one = spoken[next]) {
      next += 1;
      spoke = true;
    }
    heardMs = spoke ? 0 : heardMs + own.stepMs;
    if (heardMs >= 2 * series.stepMs) return true;
  }
  return false;
}
