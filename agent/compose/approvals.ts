import type { Config } from "../../core/config/config.ts";
import type { Clock, Gate, Ledger } from "../../core/ports.ts";
import { approvalRoutes } from "../../mcp-tools/listener/approval-routes.ts";
import { type Listener, openListener } from "../../mcp-tools/listener/listener.ts";

export interface ApprovalsParts {
  readonly config: Config;
  readonly gate: Gate;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** What people are told of the listener itself, a line each. */
  readonly note: (text: string) => void;
}

/** Opens the listener that the file asks for beside the watch; null where it asks for none. */
export async function openApprovals(parts: ApprovalsParts): Promise<Listener | null> {
  const { config, note } = parts;
  const { server } = config;
  if (server === undefined || server.listen === null) return null;
  const { requestsPerMinute, hosts, origins } = server;
  const listener = await openListener({
    ...server.listen,
    hosts,
    origins,
    routes: approvalRoutes({ ...parts, requestsPerMinute }),
    onError: (error) => note(`approvals: ${error instanceof Error ? error.message : "failed"}`),
  });
  note(`Approvals at ${listener.url}/v1/plans, for approvers with their token`);
  return listener;
}
