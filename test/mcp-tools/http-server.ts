import { createHash } from "node:crypto";
import { openHttp } from "../../mcp-tools/http.ts";
import { createServer } from "../../mcp-tools/server.ts";
import { incident } from "../knowledge/incidents.ts";
import { context, recordingGate } from "./scenario.ts";

/** A process that serves the scenario's tools over HTTP, for tests of the protocol by others' programs. */
const { gate } = recordingGate({ verdict: "require_approval", rules: [] });
const base = context({ gate, draft: async ({ id }) => `# Postmortem of ${id}` });
const holding = {
  ...base,
  ledger: {
    ...base.ledger,
    incident: async (id: string) => (id === incident.id ? incident : null),
    incidents: async () => [incident],
    plan: async (id: string) => (id === incident.plan?.id ? incident.plan : null),
  },
};
const token = process.argv[2];
const tokens =
  token === undefined
    ? []
    : [{ name: "test", tokenSha256: createHash("sha256").update(token).digest("hex"), readOnly: false }];
const limits = { tokens, hosts: [], origins: [], requestsPerMinute: 10_000 };
const serving = await openHttp(({ readOnly }) => createServer(holding, { readOnly }), {
  host: "127.0.0.1",
  port: 0,
  ...limits,
});
process.stdout.write(`${serving.url}\n`);
process.once("SIGTERM", () => void serving.close());
