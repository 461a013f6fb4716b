import { hotfixLines } from "../../core/decision/hotfix-text.ts";
import type { Incident } from "../../core/model/incident.ts";
import { rfc3339 } from "../../core/model/time.ts";
import type { Notice } from "../../core/ports.ts";
import type { WatchParts } from "./ports.ts";

/** A chat or pager that has not answered by then is taken for down: nothing waits longer for it. */
const NOTICE_TIMEOUT_MS = 5000;

/**
 * Notifies the targets of every policy that has a condition in force for this incident; of all policies if none has.
 * What could not be delivered stands in the ledger and is said on the terminal: nothing is told into the void.
 */
export async function tell(incident: Incident, parts: WatchParts, headline: string, at: number): Promise<void> {
  const inForce = new Set(
    incident.conditions.filter(({ state }) => state === "firing" || state === "pending").map(({ policy }) => policy),
  );
  const policies = parts.config.policies.filter(({ name }) => inForce.size === 0 || inForce.has(name));
  for (const to of new Set(policies.flatMap(({ notification }) => notification))) {
    const severity =
      incident.impact?.level === "critical" || incident.impact?.level === "high" ? "critical" : "warning";
    const notice = { incidentId: incident.id, title: headline, lines: linesOf(incident), severity, to } as const;
    const { delivered, detail } = await deliver(notice, parts);
    await parts.ledger.append({
      kind: delivered ? "notice.sent" : "notice.undelivered",
      incidentId: incident.id,
      planId: incident.plan?.id ?? null,
      actor: "watch",
      body: { to, title: headline, lines: notice.lines, detail },
    });
    parts.emit({
      at,
      event: delivered ? "notice.sent" : "notice.undelivered",
      text: `${to}: ${headline} (${detail})`,
      incident,
    });
  }
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

function linesOf(incident: Incident): readonly string[] {
  const { decision, onset, affectedServices } = incident;
  return [
    `Since ${rfc3339(onset?.at ?? incident.detectedAt)}; affected: ${affectedServices.join(", ") || incident.service}.`,
    ...(decision === null ? [] : [`Decision: ${decision.action}. ${decision.why.join("; ")}`]),
    ...(decision?.needsPerson.map((why) => `Needs a person: ${why}`) ?? []),
    ...(decision?.action === "hotfix_recommendation" && decision.hotfix !== null ? hotfixLines(decision.hotfix) : []),
    ...(incident.unverified.length > 0 ? [`Not verified: ${incident.unverified.join("; ")}`] : []),
  ];
}
