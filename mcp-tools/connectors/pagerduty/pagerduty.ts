import { createHash } from "node:crypto";
import { z } from "zod";
import { escapeControls } from "../../../core/model/untrusted-text.ts";
import type { Notice, Notifier } from "../../../core/ports.ts";
import { createHttp, path } from "../http.ts";

export interface PagerdutyOptions {
  /** Where the Events API answers: https://events.pagerduty.com. */
  readonly api: URL;
  /** The integration key of each service, by the name that notices use. */
  readonly routingKeys: Readonly<Record<string, string>>;
}

const Answer = z.looseObject({ status: z.string() });
const TIMEOUT_MS = 4000;
/** Longest summary (Events API v2, payload.summary). */
const SUMMARY_CHARS = 1024;

/**
 * Pages by the Events API v2: one alert for each incident, plan and title, so that a notice that is sent again pages nobody
 * twice and a reminder does; what is degraded is in the summary, and may have changed meanwhile. Whoever is paged answers elsewhere:
 * the alert says how. A notice that resolves earlier ones opens none.
 *
 * @see https://developer.pagerduty.com/docs/events-api-v2-overview
 */
export function createPagerduty({ api, routingKeys }: PagerdutyOptions): Notifier & { close(): Promise<void> } {
  const http = createHttp({ source: "pagerduty", base: api, timeoutMs: TIMEOUT_MS });
  return {
    async notify(notice) {
      const name = notice.to.slice("pagerduty:".length);
      const key = Object.hasOwn(routingKeys, name) ? routingKeys[name] : undefined;
      if (key === undefined) return { delivered: false, detail: `undelivered: no routing key for ${name}` };
      const send = (event: unknown) =>
        http.send("POST", path`/v2/enqueue`, event, "application/json", Answer, new AbortController().signal);
      if (notice.resolves === undefined) {
        await send(eventOf(notice, key));
        return { delivered: true, detail: `sent to ${name} in PagerDuty` };
      }
      for (const one of notice.resolves) {
        const dedup = dedupKey(notice.incidentId, one.planId ?? null, one.title);
        await send({ routing_key: key, event_action: "resolve", dedup_key: dedup });
      }
      return { delivered: true, detail: `${notice.resolves.length} resolved for ${name} in PagerDuty` };
    },
    close: () => http.close(),
  };
}

/** What makes two notices one alert; one that is over is resolved by the same key. */
function dedupKey(incidentId: string, planId: string | null, title: string): string {
  const one = createHash("sha256")
    .update(JSON.stringify([incidentId, planId, title]))
    .digest("hex");
  return `unship:${one.slice(0, 32)}`;
}

function eventOf({ incidentId, planId, title, symptom, lines, severity, asks }: Notice, routingKey: string) {
  return {
    routing_key: routingKey,
    event_action: "trigger",
    dedup_key: dedupKey(incidentId, planId ?? asks?.planId ?? null, title),
    client: "unship",
    payload: {
      summary: escapeControls(symptom === undefined ? title : `${title}: ${symptom}`).slice(0, SUMMARY_CHARS),
      source: "unship",
      severity,
      custom_details: { incident: incidentId, what: [...lines, ...(asks?.diff ?? [])].map(escapeControls).join("\n") },
    },
  };
}
