import { createCallGraph } from "../../core/correlation/call-graph.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import { writtenTargets } from "../../core/model/deed.ts";
import { type Incident, overallVerdict, type Recovery } from "../../core/model/incident.ts";
import { degradedOf } from "./degraded.ts";
import { servicesOf } from "./incident-state.ts";

/** By service: the degraded service that it calls, and the open incident that this one is told in. */
export type Explained = ReadonlyMap<string, { readonly by: string; readonly incident: string }>;

/**
 * The symptom services of an act of which another open incident explains that they are degraded still: they call a service of
 * that incident which is degraded now, and which the act cannot reach (it was no target, and calls none). What they
 * go on suffering says nothing of this act. The targets themselves are always judged. Pure.
 */
export function explainedElsewhere(incident: Incident, open: readonly Incident[], caseFile: CaseFile): Explained {
  const graph = createCallGraph(caseFile.topology);
  const found = new Map<string, { readonly by: string; readonly incident: string }>();
  if (!graph.known) return found;
  const targets = new Set(writtenTargets(incident).map(({ service }) => service));
  const isReached = (service: string) =>
    targets.has(service) || [...targets].some((target) => graph.ancestors(target).has(service));
  const { services: degraded } = degradedOf(caseFile);
  const symptoms = servicesOf(incident).filter((name) => !targets.has(name));
  for (const other of open) {
    if (other.id === incident.id) continue;
    for (const by of other.trouble ?? [other.service]) {
      if (!degraded.has(by) || isReached(by)) continue;
      for (const name of symptoms) if (graph.ancestors(by).has(name)) found.set(name, { by, incident: other.id });
    }
  }
  return found;
}

/**
 * The verdict on an act without what another incident explains: such a signal is unknown, and the others decide. Where none of
 * them speaks of the act but the rollout itself, nothing is known until the time is over (`isOver`). Pure. `at`: of the
 * evidence, Unix ms.
 */
export function withExplained(recovery: Recovery, explained: Explained, at: number, isOver: boolean): Recovery {
  const byOf = ({ service, metric, verdict }: Recovery["checks"][number]) =>
    metric === "rollout" || verdict === "recovered" ? undefined : explained.get(service);
  if (!recovery.checks.some((check) => byOf(check) !== undefined)) return recovery;
  const checks = recovery.checks.map((check) => {
    const cause = byOf(check);
    if (cause === undefined) return check;
    const because = `${check.because}; it calls ${cause.by}, which is degraded by itself (${cause.incident})`;
    return { ...check, verdict: "unknown" as const, because };
  });
  const rest = recovery.checks.filter((check) => byOf(check) === undefined);
  const speaks = rest.some(({ metric }) => metric !== "rollout");
  const verdict = speaks ? overallVerdict(rest.map((check) => check.verdict)) : isOver ? "unknown" : "pending";
  return { verdict, at: verdict === "pending" ? null : (recovery.at ?? at), checks };
}
