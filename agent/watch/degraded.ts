import { harmFindings } from "../../core/assessment/episodes.ts";
import type { CallGraph } from "../../core/correlation/call-graph.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Finding } from "../../core/model/finding.ts";

/** What is degraded in one snapshot of the evidence, by service and metric. */
export interface Degraded {
  readonly services: ReadonlySet<string>;
  /** The finding or condition that says so; undefined: this signal is not degraded. */
  of(service: string, metric: string): Signal | undefined;
  signalsOf(service: string): readonly Signal[];
}

/** A degraded signal of a service as a whole, with its levels where they were measured. */
export interface Signal {
  readonly service: string;
  readonly metric: string;
  readonly usual: number | null;
  readonly bad: number | null;
  /** `pending`: only a policy's condition says so, which may yet pass. */
  readonly sure: boolean;
}

const known = new WeakMap<CaseFile, Degraded>();

/**
 * The signals that are degraded now: those of which a finding says harm, and those beyond a policy's threshold. The use
 * of a resource that merely changed, or a version that no longer runs, is none. Computed once for each snapshot.
 */
export function degradedOf(caseFile: CaseFile): Degraded {
  const before = known.get(caseFile);
  if (before !== undefined) return before;
  const byService = new Map<string, Map<string, Signal>>();
  const add = (signal: Signal) => {
    const own = byService.get(signal.service) ?? new Map<string, Signal>();
    byService.set(signal.service, own);
    const known = own.get(signal.metric);
    if (known?.sure !== true || (signal.sure && known.bad === null)) own.set(signal.metric, signal);
  };
  for (const finding of harmFindings(caseFile)) add(signalOf(finding));
  for (const { service, metric, state } of caseFile.conditions) {
    const sure = state === "firing";
    if (sure || state === "pending") add({ service, metric, usual: null, bad: null, sure });
  }
  const made: Degraded = {
    services: new Set(byService.keys()),
    of: (service, metric) => byService.get(service)?.get(metric),
    signalsOf: (service) => [...(byService.get(service)?.values() ?? [])],
  };
  known.set(caseFile, made);
  return made;
}

/** Whether calls join two services: one calls the other, directly or through others. */
export const areJoined = ({ ancestors }: Pick<CallGraph, "ancestors">, a: string, b: string): boolean =>
  a === b || ancestors(a).has(b) || ancestors(b).has(a);

/** A finding's levels. A rollout that is stuck counts pods, wanted and ready: no levels of the failed checks that it is told as. */
export const levelsIn = ({ detector, baseline, current }: Finding): Pick<Signal, "usual" | "bad"> =>
  detector === "rollout" ? { usual: null, bad: null } : { usual: baseline, bad: current };

const signalOf = (finding: Finding): Signal => {
  const { service, metric } = finding;
  return { service, metric, ...levelsIn(finding), sure: true };
};
