import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Notifier } from "../../core/ports.ts";
import type { Slack } from "../../mcp-tools/connectors/slack/slack.ts";
import { type Environment, secret } from "./secrets.ts";

/**
 * The notifier of commands that tell nobody: every notice is answered as undelivered, with the reason, and so stands
 * in the ledger and on the terminal.
 */
export const terminalNotifier: Notifier = {
  notify: async ({ to }) => ({ delivered: false, detail: `undelivered: nothing delivers ${kindOf(to)} here` }),
};

/** Through what people are told, and Slack's own part of it, which answers presses. */
export interface Channels {
  readonly notifier: Notifier;
  readonly slack: Slack | null;
  close(): Promise<void>;
}

/** The one port through which people are told, as the file says; its secrets are read at once, so that a lost one is said at the start. */
export async function openChannels({ notifications }: Config, environment: Environment): Promise<Channels> {
  const slack = notifications?.slack ?? null;
  const pagerduty = notifications?.pagerduty ?? null;
  const chat = slack === null ? null : await openSlack(slack, environment);
  const pager = pagerduty === null ? null : await openPagerduty(pagerduty, environment);
  const byKind = new Map<string, Notifier>([
    ...(chat === null ? [] : [["slack", chat.notifier] as const]),
    ...(pager === null ? [] : [["pagerduty", pager] as const]),
  ]);
  return {
    slack: chat,
    notifier: {
      async notify(notice) {
        try {
          return await (byKind.get(kindOf(notice.to)) ?? terminalNotifier).notify(notice);
        } catch (error) {
          // Ours say what failed without what was sent; of anything else nothing is told (S10).
          const why = error instanceof UnshipError ? error.message : "the connector failed";
          return { delivered: false, detail: `undelivered: ${why}` };
        }
      },
    },
    async close() {
      await Promise.all([chat?.close(), pager?.close()]);
    },
  };
}

async function openSlack(slack: NonNullable<NonNullable<Config["notifications"]>["slack"]>, environment: Environment) {
  const { createSlack } = await import("../../mcp-tools/connectors/slack/slack.ts");
  return createSlack({
    api: new URL(slack.apiUrl),
    botToken: secret(slack.botToken, environment),
    buttons: slack.signingSecret !== null,
  });
}

async function openPagerduty(
  { routingKeys, apiUrl }: NonNullable<NonNullable<Config["notifications"]>["pagerduty"]>,
  environment: Environment,
) {
  const { createPagerduty } = await import("../../mcp-tools/connectors/pagerduty/pagerduty.ts");
  const keys = Object.entries(routingKeys).map(([name, key]) => [name, secret(key, environment)] as const);
  return createPagerduty({ api: new URL(apiUrl), routingKeys: Object.fromEntries(keys) });
}

const kindOf = (to: string): string => to.split(":")[0] ?? to;
