import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/**
 * PagerDuty's Events API v2: takes events for the routing keys that it knows, and keeps one alert for each dedup key.
 *
 * @see https://developer.pagerduty.com/docs/events-api-v2-overview#response-codes--retry-logic
 */
export async function fakePagerduty(keys: readonly string[]) {
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
      ...(["critical", "error", "warning", "info"].includes(event.payload?.severity) ? [] : ["'severity' is invalid"]),
      ...["summary", "source"].filter((key) => !event.payload?.[key]).map((key) => `'payload.${key}' is missing`),
      ...(event.payload?.summary?.length > 1024 || event.dedup_key?.length > 255 ? ["too long"] : []),
    ];
    if (errors.length > 0) return json(400, { status: "invalid event", message: "Event object is invalid", errors });
    const known = alerts.get(event.dedup_key);
    alerts.set(event.dedup_key, { payload: event.payload, events: (known?.events ?? 0) + 1 });
    json(202, { status: "success", message: "Event processed", dedup_key: event.dedup_key });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    api: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    alerts,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
