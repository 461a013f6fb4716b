import type { Decision } from "../../core/model/decision.ts";
import type { Incident } from "../../core/model/incident.ts";
import { rfc3339 } from "../../core/model/time.ts";

/** One episode as `unship replay --json` and `unship investigate --json` write it (the incident bundle's format). */
export interface Episode {
  readonly detected_at: string;
  readonly onset_estimate: string | null;
  readonly decided_at: string | null;
  readonly service: string;
  readonly signals: readonly string[];
  readonly affected_services: readonly string[];
  readonly root_causes: readonly { readonly service: string; readonly score: number }[];
  readonly business_impact: string | null;
  readonly action: string;
  readonly culprit: { readonly change_id: string; readonly probability: number } | null;
  readonly candidates: readonly { readonly change_id: string; readonly probability: number }[];
  readonly no_change_probability: number;
  readonly targets: readonly string[];
  readonly guardrail: { readonly verdict: string; readonly reasons: readonly string[] } | null;
  readonly executed_at: string | null;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number; readonly tool_calls: number };
}

/**
 * An incident as an episode. A decision that was withdrawn before anything was done is `no_action`; the culprit of a
 * `no_action` is the most probable change if it is more probable than "no change", else null. Probabilities are those
 * at `decided_at`: what hours of further samples taught later was not known to whoever decided. Where no decision was
 * recorded, and for incidents stored before that was kept, they are the last assessment's.
 */
export function toEpisode(incident: Incident): Episode {
  const { decision } = incident;
  const ranking = incident.decidedRanking ?? incident.ranking;
  const withdrawn = incident.outcome === "withdrawn" || decision === null;
  const action = withdrawn ? "no_action" : decision.action;
  const first = ranking?.candidates[0];
  const likely =
    first !== undefined && ranking !== null && first.probability > ranking.noChangeProbability ? first : undefined;
  const named = action === "no_action" ? likely : (decidedCulprit(decision, ranking) ?? likely);
  return {
    detected_at: rfc3339(incident.detectedAt),
    onset_estimate: rfc3339(incident.onset?.at),
    decided_at: rfc3339(decidedAt(incident)),
    service: incident.service,
    signals: [...new Set(incident.findings.filter(({ verdict }) => verdict === "worse").map(({ metric }) => metric))],
    affected_services: incident.affectedServices,
    root_causes: ranking?.rootCauses ?? [],
    business_impact: incident.impact?.level ?? null,
    action,
    culprit: named === undefined ? null : { change_id: named.changeId, probability: named.probability },
    candidates: (ranking?.candidates ?? []).map(({ changeId, probability }) => ({ change_id: changeId, probability })),
    no_change_probability: ranking?.noChangeProbability ?? 1,
    targets: action === "no_action" || action === "hotfix_recommendation" ? [] : (decision?.changeIds ?? []),
    guardrail:
      incident.gate === null
        ? null
        : {
            verdict: incident.gate.review.verdict,
            reasons: incident.gate.review.rules.map(({ rule, reason }) => `${rule}: ${reason}`),
          },
    executed_at: rfc3339(incident.gate?.executedAt),
    usage: {
      input_tokens: incident.usage.inputTokens,
      output_tokens: incident.usage.outputTokens,
      tool_calls: incident.usage.toolCalls,
    },
  };
}

/** The culprit of a decision, as probable as it was when the decision was recorded. */
function decidedCulprit(decision: Incident["decision"], ranking: Incident["ranking"]): Decision["culprit"] {
  const culprit = decision?.culprit ?? null;
  return ranking?.candidates.find(({ changeId }) => changeId === culprit?.changeId) ?? culprit;
}

/** When the evidence sufficed for the decision that stands; null where none was ever made. */
function decidedAt(incident: Incident): number | null {
  return incident.timeline.findLast(({ event }) => event.startsWith("decided: "))?.at ?? incident.closedAt;
}
