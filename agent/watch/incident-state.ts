import type { Assessment } from "../../core/model/assessment.ts";
import type { Decision } from "../../core/model/decision.ts";
import { extentWith } from "../../core/model/extent.ts";
import type { ConditionState, Finding } from "../../core/model/finding.ts";
import {
  type Baseline,
  type Incident,
  type IncidentStage,
  isResidual,
  type OutcomeKind,
  TAKEN_UP,
  type Told,
} from "../../core/model/incident.ts";
import { isWithItsPlan, servicesOf } from "../../core/model/recorded.ts";
import { freshFor } from "./fresh.ts";

export { servicesOf } from "../../core/model/recorded.ts";

/**
 * An incident as it begins: detected, nothing known but what the assessment says. `elsewhere`: services that are degraded
 * in groups of their own; it is not named after one of them, though its cause may be there.
 */
export function openIncident(id: string, assessment: Assessment, elsewhere: ReadonlySet<string> = new Set()): Incident {
  const { origin = null, services = [] } = assessment.answers.check_affected_services ?? {};
  const real = [...assessment.services, ...services.filter((name) => !elsewhere.has(name))];
  // The core may blame what is no service ("shared infrastructure"): then the first that is hurt names the incident.
  const service = origin !== null && real.includes(origin) ? origin : (real[0] ?? "unknown");
  return {
    trouble: [...assessment.services],
    ...withAssessment(
      {
        id,
        stage: "detected",
        service,
        detectedAt: assessment.at,
        onset: null,
        findings: [],
        conditions: [],
        affectedServices: [],
        changes: [],
        ranking: null,
        impact: null,
        decision: null,
        plan: null,
        gate: null,
        baselines: [],
        recovery: null,
        outcome: null,
        closedAt: null,
        timeline: [],
        unverified: [],
        usage: { inputTokens: 0, outputTokens: 0, toolCalls: 0 },
      },
      assessment,
    ),
  };
}

/**
 * The incident with what the newest assessment says. Each signal's baseline is kept from the first assessment that
 * had it: later ones may already hold samples of the break. Where a later one is stricter, since it knows the onset and the culprit better,
 * its limits count.
 */
export function withAssessment(incident: Incident, assessment: Assessment): Incident {
  const { answers, findings, services } = assessment;
  const found = {
    detectedAt: incident.detectedAt,
    onset: answers.identify_recent_deployments?.onset ?? null,
    services: [...(answers.check_affected_services?.services ?? services)],
    findings: [...findings],
    impact: answers.evaluate_business_impact?.impact ?? null,
  };
  return {
    ...incident,
    extent: extentWith(incident.extent, found),
    seenAt: assessment.at,
    onset: answers.identify_recent_deployments?.onset ?? incident.onset,
    findings: worse(assessment.findings).length > 0 ? [...assessment.findings] : incident.findings,
    conditions: [...assessment.conditions],
    affectedServices: [...(answers.check_affected_services?.services ?? assessment.services)],
    changes: [...assessment.changes],
    ranking: answers.correlate_timing?.ranking ?? incident.ranking,
    impact: answers.evaluate_business_impact?.impact ?? incident.impact,
    decision: assessment.decision,
    baselines: withNewBaselines(incident.baselines, assessment.baselines),
    unverified: [...assessment.unverified],
    unheard: [...assessment.unheard],
    obstacles: assessment.targets.length > 0 ? [] : [...assessment.obstacles],
  };
}

/** Trouble spreads: a service that joins later brings its own baselines, or nothing could show that it recovered. */
function withNewBaselines(kept: readonly Baseline[], newer: readonly Baseline[]): Baseline[] {
  const keyOf = ({ service, metric }: Baseline) => JSON.stringify([service, metric]);
  const later = new Map(newer.map((one) => [keyOf(one), one]));
  const known = new Set(kept.map(keyOf));
  const strict = kept.map((one): Baseline => {
    const { upper, lower } = later.get(keyOf(one)) ?? one;
    return { ...one, upper: Math.min(one.upper, upper), lower: Math.max(one.lower, lower) };
  });
  return [...strict, ...newer.filter((one) => !known.has(keyOf(one)))];
}

/**
 * The incident with services that somebody changed again after its act, each with what they did and a line in the
 * timeline; the same incident where it knows of all of them.
 */
export function withSuperseded(
  incident: Incident,
  moved: readonly { readonly service: string; readonly what: string }[],
  at: number,
): Incident {
  const known = new Set(incident.superseded?.map(({ service }) => service));
  let next = incident;
  for (const { service, what } of moved) {
    if (known.has(service)) continue;
    known.add(service);
    const text = `${what}: whether the act helped ${service} can no longer be determined. What that change does is judged by itself.`;
    next = note(
      { ...next, superseded: [...(next.superseded ?? []), { service, what }], unverified: [...next.unverified, text] },
      at,
      SUPERSEDED,
      text,
    );
  }
  return next;
}

/** The timeline's line of a service that was changed again after the act. */
const SUPERSEDED = "superseded";

/** The incident with the trouble of more services, which has the same cause. */
export function joinedBy(incident: Incident, services: readonly string[], at: number): Incident {
  const known = servicesOf(incident);
  const more = services.filter((name) => !known.includes(name));
  if (more.length === 0) return incident;
  const trouble = [...(incident.trouble ?? []), ...more];
  return note({ ...incident, trouble }, at, "joined", `${more.join(", ")}: the same cause`);
}

/**
 * The incident with what it is judged by now, and without what another one explains. Where that holds what it was named
 * after, it is named after the first of what is left.
 */
export function withServices(
  incident: Incident,
  services: readonly string[],
  left: readonly string[],
  at: number,
): Incident {
  const stays = (name: string) => !left.includes(name);
  const trouble = [...new Set([...(incident.trouble ?? []).filter(stays), ...services])];
  if (left.length === 0) return { ...incident, trouble };
  const { affectedServices, signals, service } = incident;
  const rest: Incident = {
    ...incident,
    service: stays(service) ? service : (services[0] ?? service),
    trouble,
    affectedServices: affectedServices.filter(stays),
    ...(signals === undefined ? {} : { signals: signals.filter(({ service }) => stays(service)) }),
  };
  return note(rest, at, "left", `${left.join(", ")}: degraded apart from the rest, and judged by themselves`);
}

/**
 * Whether a decision to act, or to have people act, names the same culprit as the incident's own. What is left of an
 * incident whose act was verified is no cause to go on with.
 */
export function hasSameCause(incident: Incident, other: Decision | null): boolean {
  const { decision } = incident;
  if (decision === null || other === null || other.action === "no_action" || isResidual(incident)) return false;
  const [ours, theirs] = [decision.culprit?.changeId, other.culprit?.changeId];
  return decision.action === other.action && ours !== undefined && ours === theirs;
}

/** The incident one stage further, with a line in its timeline. */
export function advance(incident: Incident, stage: IncidentStage, at: number, event: string, detail: string): Incident {
  return { ...note(incident, at, event, detail), stage };
}

export function note(incident: Incident, at: number, event: string, detail: string, told?: Told): Incident {
  const line = { at, event, detail, ...(told === undefined ? {} : { told }) };
  return { ...incident, timeline: [...incident.timeline, line] };
}

/** The incident of which a watch was started again in the middle of its act or its verification: what was measured meanwhile may be missing. */
export function takenUp(incident: Incident, at: number): Incident {
  if (!isWithItsPlan(incident) || isResidual(incident)) return incident;
  return note(
    incident,
    at,
    TAKEN_UP,
    "the watch was started again; what happened while it was down may not have been measured",
  );
}

export function close(incident: Incident, outcome: OutcomeKind, at: number, detail: string): Incident {
  return { ...advance(incident, "closed", at, `closed: ${outcome}`, detail), outcome, closedAt: at };
}

export function worse(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ verdict }) => verdict === "worse");
}

export function active(conditions: readonly ConditionState[]): readonly ConditionState[] {
  return conditions.filter(({ state }) => state === "pending" || state === "firing");
}

/** Services that a finding or a condition says are in trouble now. */
export function troubled(findings: readonly Finding[], conditions: readonly ConditionState[]): ReadonlySet<string> {
  return new Set([...worse(findings), ...active(conditions)].map(({ service }) => service));
}

/** What of a part of an incident must not be lost. */
type Kept = { readonly [Part in keyof Required<Incident>]: ((incident: Incident) => unknown) | "read again" };

/**
 * Of each part of an incident what must not be lost, or that the next evaluation reads it again. A new part has to be
 * named here: what is left out by oversight would be lost with the process.
 */
const KEPT: Kept = {
  id: ({ id }) => id,
  stage: ({ stage }) => stage,
  service: ({ service }) => service,
  detectedAt: ({ detectedAt }) => detectedAt,
  onset: "read again",
  findings: "read again",
  conditions: ({ conditions }) =>
    conditions.map(({ policy, condition, service, state }) => [policy, condition, service, state]),
  affectedServices: ({ affectedServices }) => affectedServices,
  seenAt: (incident) => incident.seenAt && Math.floor(incident.seenAt / freshFor(incident)),
  present: ({ present }) => present?.at,
  trouble: ({ trouble }) => trouble,
  extent: ({ extent }) =>
    extent && [extent.detectedAt, extent.services, extent.findings.map(({ service, metric }) => [service, metric])],
  backSince: ({ backSince }) => backSince,
  backBy: ({ backBy }) => backBy,
  wide: ({ wide }) => wide,
  told: ({ told }) => told,
  word: ({ word }) => word,
  // How often each was measured back begins anew after a restart: an end comes later for that, never too early.
  signals: ({ signals }) => signals?.map(({ service, metric, over }) => [service, metric, over]),
  judged: ({ judged }) => judged,
  joined: ({ joined }) => joined,
  superseded: ({ superseded }) => superseded,
  changes: "read again",
  ranking: "read again",
  // What is worse than before ends an acknowledgement, and the gate reads it from here.
  impact: ({ impact }) => impact?.level,
  decision: ({ decision }) =>
    decision && [decision.action, decision.changeIds, decision.automatic, decision.needsPerson],
  decidedRanking: "read again",
  plan: ({ plan }) => plan?.id,
  gate: ({ gate }) => gate && [gate.outcome, gate.executedAt, gate.results.map(({ result }) => result)],
  baselines: ({ baselines }) => baselines.map(({ service, metric }) => [service, metric]),
  recovery: ({ recovery }) => recovery?.verdict,
  outcome: ({ outcome }) => outcome,
  closedAt: ({ closedAt }) => closedAt,
  timeline: ({ timeline }) => timeline.map(({ at, event }) => [at, event]),
  obstacles: "read again",
  unverified: "read again",
  unheard: "read again",
  usage: "read again",
};
const PARTS = Object.values(KEPT).flatMap((part) => (part === "read again" ? [] : [part]));

/**
 * What of an incident must not be lost, as one text: between two incidents with equal ones only present values have moved,
 * which the next evaluation reads again.
 */
export const substance = (incident: Incident): string => JSON.stringify(PARTS.map((part) => part(incident) ?? null));
