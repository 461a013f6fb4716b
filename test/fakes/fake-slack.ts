import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export const BOT_TOKEN = "xoxb-0000-fake-bot-token";
export const SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5";

export interface SentMessage {
  readonly channel: string;
  readonly text: string;
  readonly blocks: readonly { readonly type: string; readonly [more: string]: unknown }[];
}

/**
 * The part of Slack that asks people: `chat.postMessage` (refusals are a 200 with `ok: false`), response URLs, and the
 * presses that it sends to an app's request URL, signed over the body as it is sent.
 *
 * @see https://docs.slack.dev/reference/methods/chat.postMessage
 * @see https://docs.slack.dev/authentication/verifying-requests-from-slack
 * @see https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
 */
export async function fakeSlack(channels: readonly string[] = ["#incidents"]) {
  const messages: SentMessage[] = [];
  const responses: { readonly text: string; readonly response_type: string }[] = [];
  const waiting: (() => void)[] = [];
  let down = false;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const json = (status: number, value: unknown) => {
      response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
      response.end(typeof value === "string" ? value : JSON.stringify(value));
    };
    if (down) return json(503, { ok: false });
    if (request.url?.startsWith("/actions/")) {
      responses.push(JSON.parse(body));
      for (const tell of waiting.splice(0)) tell();
      return json(200, "ok");
    }
    if (request.method !== "POST" || request.url !== "/api/chat.postMessage") {
      return json(200, { ok: false, error: "unknown_method" });
    }
    if (request.headers.authorization !== `Bearer ${BOT_TOKEN}`) return json(200, { ok: false, error: "invalid_auth" });
    const type = request.headers["content-type"] ?? "";
    const message: Record<string, unknown> = type.startsWith("application/json")
      ? JSON.parse(body)
      : Object.fromEntries(
          [...new URLSearchParams(body)].map(([key, value]) => [key, key === "blocks" ? JSON.parse(value) : value]),
        );
    if (!channels.includes(String(message.channel))) return json(200, { ok: false, error: "channel_not_found" });
    messages.push(message as unknown as SentMessage);
    json(200, { ok: true, channel: "C024BE91L", ts: "1503435956.000247", message: { text: message.text } });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** The form that a press is sent as. `value`: what the pressed button carries. */
  const formOf = (user: string, action: string, value: string, team = "T0001") =>
    new URLSearchParams({
      payload: JSON.stringify({
        type: "block_actions",
        team: { id: team, domain: "example" },
        user: { id: user, username: user.toLowerCase(), team_id: team },
        api_app_id: "A02",
        trigger_id: "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
        response_url: `${base}/actions/T0001/1/x`,
        actions: [{ type: "button", block_id: "b", action_id: action, value, action_ts: "1548426417.840180" }],
      }),
    }).toString();
  return {
    api: `${base}/api`,
    messages,
    responses,
    formOf,
    /** Sends a body to an app as Slack does. `at`: Unix ms, its timestamp; `secret`: another app's. */
    async press(url: string, body: string, at: number, secret = SIGNING_SECRET): Promise<number> {
      const timestamp = String(Math.floor(at / 1000));
      const signature = `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
      const headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": signature,
      };
      return (await fetch(url, { method: "POST", headers, body })).status;
    },
    /** When so many answers have come to response URLs. */
    async responded(count: number): Promise<void> {
      while (responses.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    breakDown: () => {
      down = true;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
