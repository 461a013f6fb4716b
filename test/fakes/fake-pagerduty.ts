import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/**
 * PagerDuty's Events API v2: takes events for the routing keys that it knows, and keeps one alert for each dedup key. What resolves or
 * acknowledges one needs its key and no payload; of a key that it does not know, nothing happens.
 *
 * @see https://developer.pagerduty.com/docs/events-api-v2-overview#response-codes--retry-logic
 */
export async function fakePagerduty(keys: readonly string[]) {
  const events: { readonly action: string; readonly key: string }[] = [];
  const open = new Set<string>();
  const alerts = new Map<string, { readonly payload: Readonly<Record<string, unknown>>; events: number }>();
  const server = createServer(async (request, response) => {
    const json = (status: number, value: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    if (request.method !== "POST" || request.url !== "/v2/enqueue") return json(404, { message: "Not Found" });
    const event = JSON.parse(await text(request));
    const errors = [
      ...(keys.includes(event.routing_key) ? [] : ["'routing_key' is invalid"]),
      ...(["trigger", "acknowledge", "resolve"].includes(event.event_action) ? [] : ["'event_action' is invalid"]),
      ...(event.event_action !== "trigger" || ["critical", "error", "warning", "info"].includes(event.payload?.severity)
        ? []
        : ["'severity' is invalid"]),
      ...(event.event_action === "trigger" ? ["summary", "source"] : [])
        .filter((key) => !event.payload?.[key])
        .map((key) => `'payload.${key}' is missing`),
      ...(event.event_action === "trigger" || event.dedup_key ? [] : ["'dedup_key' is missing"]),
      ...(event.payload?.summary?.length > 1024 || event.dedup_key?.length > 255 ? ["too long"] : []),
    ];
    if (errors.length > 0) return json(400, { status: "invalid event", message: "Event object is invalid", errors });
    events.push({ action: event.event_action, key: event.dedup_key });
    if (event.event_action === "trigger") {
      const known = alerts.get(event.dedup_key);
      alerts.set(event.dedup_key, { payload: event.payload, events: (known?.events ?? 0) + 1 });
      open.add(event.dedup_key);
    }
    if (event.event_action === "resolve") open.delete(event.dedup_key);
    json(202, { status: "success", message: "Event processed", dedup_key: event.dedup_key });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    api: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    alerts,
    /** Every event that was taken, oldest first, and the keys of the alerts that are not resolved. */
    events,
    open,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
