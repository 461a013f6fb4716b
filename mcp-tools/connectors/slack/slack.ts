import { z } from "zod";
import type { Notifier } from "../../../core/ports.ts";
import { createHttp, path, pathOfUrl } from "../http.ts";
import { messageOf } from "./message.ts";

export interface SlackOptions {
  /** Where the Web API answers, such as https://slack.com/api. */
  readonly api: URL;
  readonly botToken: string;
  /** Whether presses of buttons can reach us; without, messages have none. */
  readonly buttons: boolean;
}

export interface Slack {
  readonly notifier: Notifier;
  /** Answers under a message, where Slack's own `response_url` says; never throws. */
  respond(url: string, text: string, to: "all" | "presser"): Promise<void>;
  close(): Promise<void>;
}

/** The Web API answers 200 to what it refuses, and says so in `ok` (https://docs.slack.dev/apis/web-api#slack-web-api__evaluating-responses). */
const Answer = z.looseObject({ ok: z.boolean(), error: z.string().optional() });
const JSON_TYPE = "application/json; charset=utf-8";
/** A person waits for neither; the gate gives a notice five seconds. */
const TIMEOUT_MS = 4000;

/**
 * Slack as one app with a bot token (scope `chat:write`): messages by `chat.postMessage`, answers by response URLs.
 *
 * @see https://docs.slack.dev/reference/methods/chat.postMessage
 * @see https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
 */
export function createSlack({ api, botToken, buttons }: SlackOptions): Slack {
  const http = createHttp({
    source: "slack",
    base: api,
    headers: { authorization: `Bearer ${botToken}` },
    timeoutMs: TIMEOUT_MS,
  });
  return {
    notifier: {
      async notify(notice) {
        const channel = notice.to.slice("slack:".length);
        const message = messageOf(notice, channel, buttons);
        const { body } = await http.send("POST", path`/chat.postMessage`, message, JSON_TYPE, Answer, never());
        if (body.ok) return { delivered: true, detail: `sent to ${channel} in Slack` };
        const code = /^[a-z_]{1,60}$/.test(body.error ?? "") ? body.error : "without a reason";
        return { delivered: false, detail: `undelivered: Slack refused it (${code})` };
      },
    },
    async respond(url, text, to) {
      const where = URL.canParse(url) ? new URL(url) : null;
      if (where === null || !isSlacks(where, api)) return;
      // The URL is the secret here; the bot's token has no business there.
      const hook = createHttp({ source: "slack", base: new URL(where.origin), timeoutMs: TIMEOUT_MS });
      const body = { text, response_type: to === "all" ? "in_channel" : "ephemeral", replace_original: false };
      try {
        await hook.send("POST", pathOfUrl(where), body, JSON_TYPE, z.unknown(), never());
      } catch {
        // What came of the answer stands in the ledger; that the chat was not told changes nothing.
      } finally {
        await hook.close();
      }
    },
    close: () => http.close(),
  };
}

const never = () => new AbortController().signal;

/** A response URL that leads anywhere but to Slack (hooks.slack.com for slack.com) is not called. */
const isSlacks = (url: URL, api: URL): boolean =>
  url.origin === api.origin || (url.protocol === "https:" && url.host === `hooks.${api.host}`);
