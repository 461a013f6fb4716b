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
 * twice and a reminder does. Whoever is paged answers elsewhere: the alert says how.
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
      const event = eventOf(notice, key);
      await http.send("POST", path`/v2/enqueue`, event, "application/json", Answer, new AbortController().signal);
      return { delivered: true, detail: `sent to ${name} in PagerDuty` };
    },
    close: () => http.close(),
  };
}

function eventOf({ incidentId, planId, title, lines, severity, asks }: Notice, routingKey: string) {
  const one = createHash("sha256")
    .update(JSON.stringify([incidentId, planId ?? asks?.planId ?? null, title]))
    .digest("hex")
    .slice(0, 32);
  return {
    routing_key: routingKey,
    event_action: "trigger",
    dedup_key: `unship:${one}`,
    client: "unship",
    payload: {
      summary: escapeControls(title).slice(0, SUMMARY_CHARS),
      source: "unship",
      severity,
      custom_details: { incident: incidentId, what: [...lines, ...(asks?.diff ?? [])].map(escapeControls).join("\n") },
    },
  };
}
