import { incident } from "../knowledge/incidents.ts";
import { context, deploy, noSources, recordingGate } from "./scenario.ts";

const { gate } = recordingGate({ verdict: "require_approval", rules: [] });
const base = context({
  gate,
  draft: async ({ id }) => `# Postmortem of ${id}`,
  incidents: { recall: async () => [] },
  sources: {
    ...noSources,
    commits: [
      {
        name: "forge",
        commits: async ({ id }) =>
          id === deploy.id ? [{ sha: "0f1e2d3", message: "Round totals", files: ["totals.ts"], diff: "-a\n+b" }] : [],
      },
    ],
  },
});

/** The scenario with all that a server can offer: a gate that holds, drafts, and a ledger with one incident and its plan. */
export const holding = {
  ...base,
  ledger: {
    ...base.ledger,
    incident: async (id: string) => (id === incident.id ? incident : null),
    incidents: async () => [incident],
    plan: async (id: string) => (id === incident.plan?.id ? incident.plan : null),
  },
};
