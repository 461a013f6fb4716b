import { z } from "zod";
import { FeedbackLoop, ReasoningChain } from "./chain.ts";
import { Execution } from "./execution.ts";
import { field } from "./fields.ts";
import { Gate } from "./gate.ts";
import { approval, freezeWindows, graduation } from "./limits.ts";
import { Notifications } from "./notifications.ts";
import { RollbackPolicies } from "./policies.ts";
import { Server } from "./server.ts";
import { setup } from "./setup.ts";
import { DataSources } from "./sources.ts";

/** The configuration file as it is written: names, units and defaults of every field. */
export const ConfigFile = z.strictObject({
  mode: setup.mode,
  data_sources: field(DataSources, "Where signals, changes, logs, traces and flags come from."),
  rollback_policies: field(RollbackPolicies.optional(), "When a change is rolled back, and when people are asked.", {
    unless: "none: nothing is ever rolled back without a person",
  }),
  reasoning_chain: field(ReasoningChain.optional(), "The steps from an anomaly to a recommendation.", {
    unless: "all six steps, a window of 30 minutes, a person where business_impact > high OR affected_services > 3",
  }),
  execution: field(Execution.prefault({}), "What may be done, and within which limits.", {
    unless: "nothing may be done",
  }),
  feedback_loop: field(FeedbackLoop.optional(), "What follows an action.", {
    unless:
      "recovery is verified for 10m, people are called when it is not shown, everything is remembered in `incidents`, a postmortem is drafted",
  }),
  services: setup.services,
  currency: setup.currency,
  service_label: setup.service_label,
  version_label: setup.version_label,
  topology: setup.topology,
  freeze_windows: freezeWindows,
  approvers: setup.approvers,
  approval,
  graduation,
  notifications: field(Notifications.optional(), "Through what people are notified.", {
    unless: "no notifier is configured: notices are only in the ledger and on the terminal",
  }),
  ledger: setup.ledger,
  knowledge: setup.knowledge,
  watch: setup.watch,
  model: setup.model,
  server: field(
    Server.optional(),
    "What is served over HTTP, and to whom: approvals beside `unship watch`, and the MCP server (`unship mcp --http`).",
    {
      unless: "no approvals over HTTP; MCP over HTTP for this machine alone, without a token",
    },
  ),
  gate: field(
    Gate.optional(),
    "The gate as a process of its own (`unship gate`), which alone holds the ledger and what can write: `write` of each source, ledger.url and signing_key, and everything under notifications.",
    { unless: "one process: whoever watches, or serves MCP, acts itself" },
  ),
});
export type ConfigFile = Readonly<z.infer<typeof ConfigFile>>;
