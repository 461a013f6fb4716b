import { createCallGraph } from "../../core/correlation/call-graph.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import { writtenTargets } from "../../core/model/deed.ts";
import type { Incident, Recovery } from "../../core/model/incident.ts";
import { active, worse } from "./incident-state.ts";
import type { Moved } from "./moved-on.ts";

/** What of an incident still speaks of its act. */
export interface StillJudged {
  /** The incident with the signals and targets that are left. */
  readonly incident: Incident;
  /** Targets that call what was changed again: that they are well says so, that they are not may be of the newer change. */
  readonly doubtful: ReadonlySet<string>;
  /** Whether what a service does since the act can be of the act, and of nothing newer. */
  isAsked(service: string): boolean;
}

/**
 * What can still tell whether an act helped, where somebody changed some services again since (`moved`): the targets
 * that nobody changed, and the signals that the newer changes cannot reach. Who calls what was changed again suffers or
 * is cured with it, and without a call graph that may be anybody: of those the targets alone are asked, with doubt. null:
 * nothing is left that speaks of the act. Pure.
 */
export function stillJudged(
  incident: Incident,
  moved: readonly Moved[],
  topology: CaseFile["topology"],
): StillJudged | null {
  if (moved.length === 0) return { incident, doubtful: new Set(), isAsked: () => true };
  const left = new Set(moved.map(({ service }) => service));
  const graph = createCallGraph(topology);
  const callers = new Set([...left].flatMap((service) => [...graph.ancestors(service)]));
  const isReached = (service: string) => left.has(service) || !graph.known || callers.has(service);
  const targets = new Set(
    writtenTargets(incident)
      .map(({ service }) => service)
      .filter((service) => !left.has(service)),
  );
  const speaks = ({ service }: { readonly service: string }) => targets.has(service) || !isReached(service);
  const { gate, findings, conditions, baselines } = incident;
  const kept = {
    findings: findings.filter(speaks),
    conditions: conditions.filter(speaks),
    baselines: baselines.filter(speaks),
  };
  const wasWrong = worse(findings).length + active(conditions).length > 0;
  const isWrong = worse(kept.findings).length + active(kept.conditions).length > 0;
  if (gate === null || targets.size === 0 || (wasWrong && !isWrong)) return null;
  const results = gate.results.filter(({ target }) => !left.has(target.service));
  return {
    incident: { ...incident, ...kept, gate: { ...gate, results } },
    doubtful: new Set([...targets].filter(isReached)),
    isAsked: (service) => !isReached(service),
  };
}

/** The recovery, where of doubtful services nothing but good news is believed: else nobody knows (S9). Pure. */
export function withDoubt(recovery: Recovery, doubtful: ReadonlySet<string>): Recovery {
  const isDoubted = ({ service, metric, verdict }: Recovery["checks"][number]) =>
    verdict === "not-recovered" && metric !== "rollout" && doubtful.has(service);
  if (!recovery.checks.some(isDoubted)) return recovery;
  const checks = recovery.checks.map((check) =>
    isDoubted(check)
      ? { ...check, verdict: "unknown" as const, because: `${check.because}; what it depends on was changed since` }
      : check,
  );
  const isLost = recovery.verdict === "not-recovered" && !checks.some(({ verdict }) => verdict === "not-recovered");
  return { ...recovery, verdict: isLost ? "unknown" : recovery.verdict, checks };
}
