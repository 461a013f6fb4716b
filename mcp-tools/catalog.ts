import type { ToolContext } from "./context.ts";
import type { Tool } from "./define-tool.ts";
import { assessImpact } from "./tools/assess-impact.ts";
import { draftPostmortem } from "./tools/draft-postmortem.ts";
import { explainDecision } from "./tools/explain-decision.ts";
import { getCommits } from "./tools/get-commits.ts";
import { getDependencies } from "./tools/get-dependencies.ts";
import { getFindings } from "./tools/get-findings.ts";
import { getIncident } from "./tools/get-incident.ts";
import { getRollout } from "./tools/get-rollout.ts";
import { getSituation } from "./tools/get-situation.ts";
import { getTraces } from "./tools/get-traces.ts";
import { listAlerts } from "./tools/list-alerts.ts";
import { listChanges } from "./tools/list-changes.ts";
import { listFlags } from "./tools/list-flags.ts";
import { listServices } from "./tools/list-services.ts";
import { proposePlan } from "./tools/propose-plan.ts";
import { queryMetric } from "./tools/query-metric.ts";
import { rankCandidates } from "./tools/rank-candidates.ts";
import { searchIncidents } from "./tools/search-incidents.ts";
import { searchLogs } from "./tools/search-logs.ts";
import { submitPlan } from "./tools/submit-plan.ts";

/** Every tool, in the order in which clients see them: look, weigh, act, remember. */
export const TOOLS: readonly Tool[] = [
  getSituation,
  getFindings,
  listServices,
  listChanges,
  getCommits,
  listFlags,
  listAlerts,
  queryMetric,
  searchLogs,
  getTraces,
  getRollout,
  getDependencies,
  rankCandidates,
  assessImpact,
  explainDecision,
  proposePlan,
  submitPlan,
  getIncident,
  searchIncidents,
  draftPostmortem,
];

/** Those that this server offers: what is not offered is not registered, so that no flag can bring it back. */
export function toolsFor(context: ToolContext, readOnly: boolean): readonly Tool[] {
  const lacking = [
    ...(context.draft === undefined ? [draftPostmortem] : []),
    ...((context.sources.commits ?? []).length === 0 ? [getCommits] : []),
  ] as readonly Tool[];
  return TOOLS.filter((tool) => tool.effect === "read" || (!readOnly && context.gate !== null)).filter(
    (tool) => !lacking.includes(tool),
  );
}
