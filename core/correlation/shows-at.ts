import type { Change } from "../model/change.ts";
import type { CaseEvidence } from "./rank.ts";

/**
 * The services whose signals show what a change did, as far as it did it: its own, or where what is hurt and who calls
 * whom fit better with a service that only hurts those that deal with it, those of its callers and callees that are hurt.
 * Never empty.
 */
export function showsAt(change: Change, evidence: Pick<CaseEvidence, "origins" | "graph" | "harm">): readonly string[] {
  const { origins, graph, harm } = evidence;
  const origin = origins.find(({ name, kind }) => kind === "service" && name === change.service);
  if (origin === undefined || origin.atConsumers <= origin.fit) return [change.service];
  const hurt = (places: ReadonlySet<string>) =>
    [...places].filter((one) => one !== change.service && (harm.get(one) ?? 0) > 0).sort();
  const callers = hurt(graph.callers(change.service));
  if (callers.length > 0) return callers;
  const callees = hurt(graph.callees(change.service));
  return callees.length > 0 ? callees : [change.service];
}
