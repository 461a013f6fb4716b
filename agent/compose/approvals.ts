import type { Config } from "../../core/config/config.ts";
import type { AtTheLedger } from "../../core/guardrails/carried-out-by.ts";
import type { Clock, Gate, Ledger } from "../../core/ports.ts";
import type { Slack } from "../../mcp-tools/connectors/slack/slack.ts";
import type { IdentityChecks } from "../../mcp-tools/gate/identity.ts";
import { approvalRoutes } from "../../mcp-tools/listener/approval-routes.ts";
import { type Listener, openListener } from "../../mcp-tools/listener/listener.ts";
import { slackRoute } from "../../mcp-tools/listener/slack-route.ts";

export interface ApprovalsParts {
  readonly config: Config;
  readonly gate: Gate;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly identity: IdentityChecks;
  readonly slack: Slack | null;
  /** Who carries out what is approved. */
  readonly at: () => AtTheLedger;
  /** What people are told of the listener itself, a line each. */
  readonly note: (text: string) => void;
}

/** Opens the listener that the file asks for beside the watch; null where it asks for none. */
export async function openApprovals(parts: ApprovalsParts): Promise<Listener | null> {
  const { config, note, identity, slack } = parts;
  const { server } = config;
  if (server === undefined || server.listen === null) return null;
  const { requestsPerMinute, hosts, origins } = server;
  const listener = await openListener({
    ...server.listen,
    hosts,
    origins,
    routes: [
      ...approvalRoutes({ ...parts, requestsPerMinute }),
      ...(identity.slack === undefined || slack === null
        ? []
        : [slackRoute({ ...parts, read: identity.slack, respond: slack.respond })]),
    ],
    onError: (error) => note(`approvals: ${error instanceof Error ? error.message : "failed"}`),
  });
  note(`Approvals at ${listener.url}/v1/plans, for approvers with their token`);
  return listener;
}
