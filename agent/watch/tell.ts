import { ACKNOWLEDGEMENT_KINDS, acknowledgementOf, isQuiet } from "../../core/guardrails/acknowledged.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { incidentLines, incidentTitle } from "../../core/guardrails/incident-text.ts";
import { approvedIncidents, leftOut } from "../../core/guardrails/open-incidents.ts";
import { clockText } from "../../core/guardrails/rule.ts";
import { knownLevel } from "../../core/impact/worst-first.ts";
import type { KnownLevel } from "../../core/model/impact.ts";
import type { Incident } from "../../core/model/incident.ts";
import { name } from "../../core/model/untrusted-text.ts";
import type { Notice } from "../../core/ports.ts";
import type { WatchParts } from "./ports.ts";

/** A chat or pager that has not answered by then is taken for down: nothing waits longer for it. */
const NOTICE_TIMEOUT_MS = 5000;

/**
 * Notifies the targets of every policy that has a condition in force for this incident; of all policies if none has.
 * What could not be delivered stands in the ledger and is said on the terminal: nothing is told into the void. While
 * somebody has acknowledged the incident nobody is paged of it; that is recorded too, and the gate pages once more when the
 * acknowledgement is over.
 */
export async function tell(incident: Incident, parts: WatchParts, headline: string, at: number): Promise<void> {
  const recipients = recipientsOf(incident, parts);
  if (recipients.length === 0) return;
  // A service may be called like a part of another one, or like a word of any headline.
  const title = `${name(incident.service)}: ${headline}`;
  const open = await parts.ledger.incidents({ open: true }, leftOut);
  const approved = await approvedIncidents([incident, ...open], parts.ledger, at);
  const lines = [
    incidentTitle(incident, at),
    ...incidentLines(incident, { now: at, open, services: parts.config.services, approved }),
  ];
  const quiet = await whyQuiet(incident, parts, at);
  const severity = SEVERITIES[knownLevel(incident)];
  const record = async (kind: NoticeKind, to: string, detail: string) => {
    await parts.ledger.append({
      kind,
      incidentId: incident.id,
      planId: incident.plan?.id ?? null,
      actor: "watch",
      body: { to, title, lines, detail },
    });
    parts.emit({ at, event: kind, text: `${to}: ${title} (${detail})`, incident });
  };
  if (quiet !== null) return record(LEDGER_KINDS.noticeSuppressed, recipients.join(", "), quiet);
  for (const to of recipients) {
    const notice = { incidentId: incident.id, title, lines, severity, to };
    const { delivered, detail } = await deliver(notice, parts);
    await record(delivered ? LEDGER_KINDS.noticeSent : LEDGER_KINDS.noticeUndelivered, to, detail);
  }
}

/** How loudly people hear of it; what nobody could measure may be the worst (S9). */
const SEVERITIES: Readonly<Record<KnownLevel, Notice["severity"]>> = {
  low: "warning",
  medium: "warning",
  high: "critical",
  critical: "critical",
  unknown: "critical",
};

type NoticeKind =
  | typeof LEDGER_KINDS.noticeSent
  | typeof LEDGER_KINDS.noticeUndelivered
  | typeof LEDGER_KINDS.noticeSuppressed;

function recipientsOf({ conditions }: Incident, { config }: WatchParts): readonly string[] {
  const inForce = new Set(
    conditions.filter(({ state }) => state === "firing" || state === "pending").map(({ policy }) => policy),
  );
  const policies = config.policies.filter(({ name }) => inForce.size === 0 || inForce.has(name));
  return [...new Set(policies.flatMap(({ notification }) => notification))];
}

/** Who acknowledged the incident and until when; null: nobody has, or it is over, and people are told. */
async function whyQuiet(incident: Incident, { ledger }: WatchParts, at: number): Promise<string | null> {
  const entries = await ledger.entries({ incidentId: incident.id, kinds: ACKNOWLEDGEMENT_KINDS });
  const known = acknowledgementOf(incident, entries, at);
  return isQuiet(known) ? `not sent: ${known.by} acknowledged it until ${clockText(known.until, at)}` : null;
}

/** The notifier's answer; an error or silence of its is an answer too. */
async function deliver(notice: Notice, parts: WatchParts): ReturnType<WatchParts["notifier"]["notify"]> {
  const { promise: over, resolve } = Promise.withResolvers<{ delivered: boolean; detail: string }>();
  const limit = parts.noticeTimeoutMs ?? NOTICE_TIMEOUT_MS;
  const timer = setTimeout(() => resolve({ delivered: false, detail: `no answer within ${limit} ms` }), limit);
  try {
    return await Promise.race([parts.notifier.notify(notice), over]);
  } catch (error) {
    return { delivered: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
