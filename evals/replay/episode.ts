import { knownLevel } from "../../core/impact/worst-first.ts";
import { notComparedText } from "../../core/model/candidate.ts";
import type { Decision } from "../../core/model/decision.ts";
import type { ImpactLevel } from "../../core/model/impact.ts";
import { cameToNothing, type Incident } from "../../core/model/incident.ts";
import { asRecorded, decidedAt } from "../../core/model/recorded.ts";
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
  /** Of the changes that are known: see `unheard`. */
  readonly no_change_probability: number;
  /** Nothing could be compared, and why: `no_change_probability` is 1 for want of any other hypothesis, and no figure. */
  readonly not_compared?: string;
  /** What sources of changes did not say when it was last judged; absent: nothing. */
  readonly unheard?: readonly string[];
  readonly targets: readonly string[];
  readonly guardrail: { readonly verdict: string; readonly reasons: readonly string[] } | null;
  readonly executed_at: string | null;
  /** What was decided at `decided_at`, where it came to nothing and `action` says so; absent: `action` itself. */
  readonly decided?: {
    readonly action: string;
    readonly culprit: { readonly change_id: string; readonly probability: number } | null;
  };
  /** What became of it: withdrawn, denied or expired, and when. */
  readonly came_to?: { readonly outcome: string; readonly at: string | null };
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number; readonly tool_calls: number };
}

/**
 * An incident as an episode. A decision that was withdrawn before anything was done is `no_action`; the culprit of a
 * `no_action` is the most probable change if it is more probable than "no change", else null. Probabilities are those
 * at `decided_at`: what hours of further samples taught later was not known to whoever decided. Where no decision was
 * recorded, and for incidents stored before that was kept, they are the last assessment's. `places`: every service and
 * external node that there is; `root_causes` names each of them and nothing else ("more traffic" is no service). Without
 * it, whatever the ranking names. `targets` of a hotfix recommendation name what it speaks of.
 */
export function toEpisode(stored: Incident, places?: ReadonlySet<string>): Episode {
  const incident = asRecorded(stored);
  const { decision } = incident;
  const ranking = incident.decidedRanking ?? incident.ranking;
  const withdrawn = cameToNothing(incident.outcome) || decision === null;
  const action = withdrawn ? "no_action" : decision.action;
  const first = ranking?.candidates[0];
  const likely = first !== undefined && first.probability > (ranking?.noChangeProbability ?? 1) ? first : undefined;
  const named = action === "no_action" ? likely : (decidedCulprit(decision, ranking) ?? likely);
  return {
    detected_at: rfc3339(incident.detectedAt),
    onset_estimate: rfc3339(incident.onset?.at),
    decided_at: rfc3339(decidedAt(incident) ?? incident.closedAt),
    service: incident.service,
    signals: [...new Set(incident.findings.filter(({ verdict }) => verdict === "worse").map(({ metric }) => metric))],
    affected_services: incident.affectedServices,
    root_causes: rootCauses(ranking, places),
    business_impact: toldImpact(incident),
    action,
    culprit: named === undefined ? null : { change_id: named.changeId, probability: named.probability },
    candidates: (ranking?.candidates ?? []).map(({ changeId, probability }) => ({ change_id: changeId, probability })),
    no_change_probability: ranking?.noChangeProbability ?? 1,
    ...notComparedIn(ranking),
    ...unheardIn(incident),
    targets: action === "no_action" ? [] : targetsOf(decision),
    guardrail: guardrailOf(incident, action),
    executed_at: rfc3339(incident.gate?.executedAt),
    ...cameTo(incident, ranking),
    usage: {
      input_tokens: incident.usage.inputTokens,
      output_tokens: incident.usage.outputTokens,
      tool_calls: incident.usage.toolCalls,
    },
  };
}

/** Why nothing could be compared, where that is so: the format has a number at "no change" all the same, which measures nothing then. */
function notComparedIn(ranking: Incident["ranking"]): Pick<Episode, "not_compared"> {
  const why = notComparedText(ranking);
  return why === null ? {} : { not_compared: why };
}

/** The level as far as it is known; null: not known. */
export function toldImpact(incident: Pick<Incident, "impact">): ImpactLevel | null {
  const level = knownLevel(incident);
  return level === "unknown" ? null : level;
}

/** Of a decision that came to nothing: what was decided, and what became of it. */
function cameTo(incident: Incident, ranking: Incident["ranking"]): Pick<Episode, "decided" | "came_to"> {
  const { decision, outcome, closedAt } = incident;
  if (!cameToNothing(outcome) || outcome === null || decision === null || decision.action === "no_action") return {};
  const culprit = decidedCulprit(decision, ranking);
  return {
    decided: {
      action: decision.action,
      culprit: culprit && { change_id: culprit.changeId, probability: culprit.probability },
    },
    came_to: { outcome, at: rfc3339(closedAt) },
  };
}

/**
 * What the gate said. Where it was not asked: nothing to do is allowed; a hotfix is for people, for the reasons that the
 * decision gives; null of an action that the gate has not seen yet.
 */
function guardrailOf({ gate, decision }: Incident, action: string): Episode["guardrail"] {
  if (gate !== null) {
    const { verdict, rules } = gate.review;
    return { verdict, reasons: rules.map(({ rule, reason }) => `${rule}: ${reason}`) };
  }
  if (action === "no_action") return { verdict: "allow", reasons: [] };
  if (action !== "hotfix_recommendation") return null;
  return { verdict: "require_approval", reasons: decision?.needsPerson ?? [] };
}

/** Most likely first; who is not in the ranking cannot be determined apart from the rest and stands last, by name. */
function rootCauses(ranking: Incident["ranking"], places: ReadonlySet<string> | undefined): Episode["root_causes"] {
  const ranked = ranking?.rootCauses ?? [];
  if (places === undefined || ranking === null) return ranked;
  const named = new Set(ranked.map(({ service }) => service));
  const others = [...places].filter((place) => !named.has(place)).sort();
  return [...ranked.filter(({ service }) => places.has(service)), ...others.map((service) => ({ service, score: 0 }))];
}

/** Every service and external node that a recording or a case speaks of. */
export function placesOf(told: {
  readonly series: readonly { readonly service: string }[];
  readonly changes: readonly { readonly service: string }[];
  readonly topology: {
    readonly edges: readonly (readonly [string, string])[];
    readonly external: readonly string[];
  } | null;
}): ReadonlySet<string> {
  return new Set([
    ...told.series.map(({ service }) => service),
    ...told.changes.map(({ service }) => service),
    ...(told.topology?.edges.flat() ?? []),
    ...(told.topology?.external ?? []),
  ]);
}

/** The culprit of a decision, as probable as it was when the decision was recorded. */
function decidedCulprit(decision: Incident["decision"], ranking: Incident["ranking"]): Decision["culprit"] {
  const culprit = decision?.culprit ?? null;
  return ranking?.candidates.find(({ changeId }) => changeId === culprit?.changeId) ?? culprit;
}

/** What a decision takes back, in the order of execution; of a hotfix what it speaks of, of which nothing is executed. */
export function targetsOf(decision: Decision | null): readonly string[] {
  if (decision === null) return [];
  if (decision.action !== "hotfix_recommendation") return decision.changeIds;
  return decision.hotfix?.changeIds ?? (decision.culprit === null ? [] : [decision.culprit.changeId]);
}

function unheardIn({ unheard = [] }: Incident): Pick<Episode, "unheard"> {
  return unheard.length === 0 ? {} : { unheard };
}
