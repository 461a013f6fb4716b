import type { OutcomeField } from "../core/config/config.ts";
import type { Change } from "../core/model/change.ts";
import { actionOf, type DeedOrigin, originOf, takenBackIds } from "../core/model/deed.ts";
import { type Incident, isRecoveryConfirmed } from "../core/model/incident.ts";
import { asRecorded } from "../core/model/recorded.ts";
import { durationText } from "../core/model/time.ts";
import { cleanText } from "../core/model/untrusted-text.ts";

/** What the memory keeps of one incident that was judged: plain columns, none of them ever null. */
export interface IncidentRecord extends Record<string, unknown> {
  readonly id: string;
  /** When it was detected, Unix ms. */
  readonly at: number;
  readonly outcome: string;
  /** What a person reads when it is found again. */
  readonly summary: string;
  /** What full-text search reads. */
  readonly text: string;
  /** Structured features, `kind:value` words: what the features search reads. */
  readonly features: string;
  /** The configured `log_outcome.include` fields as JSON; a field that is not included is absent. */
  readonly details: string;
}

/** No feature search needs more words; an incident of a whole fleet stays one short row. */
const FEATURES = 64;
const TEXT_LENGTH = 4_000;

/**
 * An incident that was judged → its row. `include` decides which of the four groups of facts are kept anywhere in it: what is
 * not included is neither shown nor searchable. Outside text is cleaned and secrets are gone before they are stored
 * (S10, S11). Returns null for an incident that has no outcome yet: what nobody knows the end of teaches nothing.
 */
export function recordOf(stored: Incident, include: readonly OutcomeField[]): IncidentRecord | null {
  if (stored.outcome === null) return null;
  const incident = asRecorded(stored);
  const details = detailsOf(incident, include);
  const sentences = summarySentences(incident, details);
  const prose = [...sentences, ...proseOf(incident, include)].join(" ");
  return {
    id: incident.id,
    at: incident.detectedAt,
    outcome: stored.outcome,
    summary: cleanText(sentences.join(" "), 1_000),
    text: cleanText(prose, TEXT_LENGTH),
    features: featuresOf(incident, include).slice(0, FEATURES).join(" "),
    details: JSON.stringify(details),
  };
}

interface Details {
  readonly deployment_details?: readonly { readonly id: string; readonly what: string }[];
  readonly anomaly_metrics?: readonly string[];
  readonly rollback_duration?: number | null;
  readonly recovery_confirmed?: boolean;
}

function detailsOf(incident: Incident, include: readonly OutcomeField[]): Details {
  return {
    ...(include.includes("deployment_details")
      ? {
          deployment_details: culprits(incident).map((change) => ({
            id: cleanText(change.id, 200),
            what: what(change),
          })),
        }
      : {}),
    ...(include.includes("anomaly_metrics") ? { anomaly_metrics: anomalies(incident) } : {}),
    ...(include.includes("rollback_duration") ? { rollback_duration: rollbackMs(incident) } : {}),
    ...(include.includes("recovery_confirmed") ? { recovery_confirmed: isRecoveryConfirmed(incident) } : {}),
  };
}

function summarySentences(incident: Incident, details: Details): readonly string[] {
  const action = actionOf(incident) ?? "no decision";
  const origin = originOf(incident);
  const { deployment_details: changes = [], anomaly_metrics: metrics = [], rollback_duration: took } = details;
  return [
    `${incident.service}: ${action}, outcome ${incident.outcome}.`,
    ...(incident.joined === undefined ? [] : [`It went on in ${incident.joined}.`]),
    ...originWords(origin, incident.decision?.action ?? "nothing"),
    ...(changes.length === 0
      ? []
      : [
          `${origin === null || origin === "decided" ? "Blamed" : "Suspected or rolled back"}: ${changes.map((change) => change.what).join("; ")}.`,
        ]),
    ...(metrics.length === 0 ? [] : [`Signals: ${metrics.join("; ")}.`]),
    ...(typeof took === "number" ? [`From action to verdict: ${durationText(took)}.`] : []),
    ...(details.recovery_confirmed === undefined
      ? []
      : [details.recovery_confirmed ? "Recovery was confirmed." : "Recovery was not confirmed."]),
  ];
}

function originWords(origin: DeedOrigin | null, decided: string): readonly string[] {
  switch (origin) {
    case "asked":
      return [`A person asked for it; decided was ${decided}.`];
    case "proposed":
      return [`unship proposed it on an earlier decision; decided since was ${decided}.`];
    default:
      return [];
  }
}

function proseOf(incident: Incident, include: readonly OutcomeField[]): readonly string[] {
  const changes = include.includes("deployment_details") ? culprits(incident) : [];
  return [
    ...incident.affectedServices,
    ...changes.flatMap(({ message = "", diff, flag = "" }) => [message, flag, ...(diff?.paths ?? [])]),
    ...(include.includes("anomaly_metrics") ? signatures(incident) : []),
  ];
}

function featuresOf(incident: Incident, include: readonly OutcomeField[]): readonly string[] {
  const services = [incident.service, ...incident.affectedServices].map((service) => feature("service", service));
  const metrics = worse(incident).map(({ metric }) => feature("metric", metric));
  const errors = signatures(incident).map((signature) => feature("signature", signature));
  const changes = culprits(incident).flatMap(({ kind, flag }) => [
    feature("kind", kind),
    ...(flag === undefined ? [] : [feature("flag", flag)]),
  ]);
  return [
    ...new Set([
      ...services,
      ...(include.includes("anomaly_metrics") ? [...metrics, ...errors] : []),
      ...(include.includes("deployment_details") ? changes : []),
    ]),
  ];
}

/** One feature as one word, so that a query and a row that mean the same write the same. */
export function feature(kind: "service" | "metric" | "signature" | "kind" | "flag", value: string): string {
  return `${kind}:${cleanText(value, 120).toLowerCase().replaceAll(/\s+/g, "_")}`;
}

const worse = (incident: Incident) => incident.findings.filter((finding) => finding.verdict === "worse");

/** Error signatures that were recorded: a log detector's label, and what a hotfix recommendation suspects. */
function signatures(incident: Incident): readonly string[] {
  const labelled = worse(incident).flatMap(({ labels }) => (labels.signature === undefined ? [] : [labels.signature]));
  return [...new Set([...labelled, ...(incident.decision?.hotfix?.suspects ?? [])])];
}

function anomalies(incident: Incident): readonly string[] {
  const strongest = new Map<string, (typeof incident.findings)[number]>();
  for (const one of worse(incident).toSorted((a, b) => b.strength - a.strength)) {
    const key = JSON.stringify([one.service, one.metric]);
    if (!strongest.has(key)) strongest.set(key, one);
  }
  const texts = [...strongest.values()].map(({ service, metric, unit, baseline, current }) => {
    const from = baseline === null ? "unknown" : short(baseline);
    const to = current === null ? "unknown" : short(current);
    return cleanText(`${service} ${metric} ${from} → ${to} ${unit}`, 200);
  });
  return [...new Set(texts)].slice(0, 12);
}

function culprits(incident: Incident): readonly Change[] {
  const blamed = incident.decision?.culprit?.changeId;
  const decided = [...(incident.decision?.changeIds ?? []), ...(blamed === undefined ? [] : [blamed])];
  const taken = new Set([...decided, ...takenBackIds(incident)]);
  return incident.changes.filter((change) => taken.has(change.id));
}

const what = ({ kind, service, from, to, flag }: Change) =>
  cleanText(kind === "flag" ? `flag ${flag ?? service} ${from} → ${to}` : `${kind} of ${service} ${from} → ${to}`, 200);

/** From the action to the verdict of the verification, ms; null where either is missing. */
function rollbackMs({ gate, recovery }: Incident): number | null {
  const executedAt = gate?.executedAt ?? null;
  const verifiedAt = recovery?.at ?? null;
  return executedAt === null || verifiedAt === null ? null : Math.max(0, verifiedAt - executedAt);
}

const short = (value: number) => String(Number(value.toPrecision(3)));
