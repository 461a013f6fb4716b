import { describe, expect, it } from "vitest";
import { waitingPlan } from "../../core/guardrails/incident-text.ts";
import { TOOLS } from "../../mcp-tools/catalog.ts";
import { PROMPTS, promptText } from "../../mcp-tools/prompts/prompts.ts";
import { callTool } from "../mcp-tools/call-tool.ts";
import { NOT_REACHED, shows } from "./shown.ts";
import { recorded, story } from "./story.ts";

/** Each tool with what an assistant asks of it, by the file that shows its answer. */
const ASKED = {
  "mcp-situation.txt": ["get_situation", "get_incident", "search_incidents"],
  "mcp-evidence.txt": ["get_findings", "list_services", "list_changes", "query_metric", "search_logs"],
  "mcp-sources.txt": ["get_commits", "list_flags", "list_alerts", "get_traces", "get_rollout", "get_dependencies"],
  "mcp-judgement.txt": ["rank_candidates", "assess_impact", "explain_decision"],
  "mcp-plan.txt": ["propose_plan", "submit_plan"],
  "mcp-postmortem.txt": ["draft_postmortem"],
} as const;

describe("what an assistant reads, and shows to people", () => {
  it("of every tool, while a plan waits for approval", { timeout: 240_000 }, async () => {
    const answers = new Map<string, string>();
    await story(recorded("case-7b2f8253"), "nobody answers", async (at) => {
      const one = at.incidents.find((incident) => waitingPlan(incident, at.now) !== null);
      if (one === undefined || answers.size > 0) return;
      const context = await at.tools();
      const commits = { name: "github", commits: async () => [] };
      const full = { ...context, sources: { ...context.sources, commits: [commits] } };
      const given: Readonly<Record<string, Record<string, unknown>>> = {
        get_incident: { incident: one.id },
        query_metric: { metric: "error_rate", service: one.service },
        search_logs: { service: one.service },
        get_commits: { change_id: "deploy-inventory-7" },
        get_rollout: { service: one.service },
        rank_candidates: { incident: one.id },
        assess_impact: { incident: one.id },
        explain_decision: { incident: one.id },
        propose_plan: { change_ids: ["deploy-inventory-7"], reason: "Customers report failing orders" },
        draft_postmortem: { incident: one.id },
      };
      for (const { name } of TOOLS) {
        const plan = /plan-\d+/.exec(answers.get("propose_plan") ?? "")?.[0] ?? "plan-1";
        const args = name === "submit_plan" ? { plan_id: plan } : (given[name] ?? {});
        const { text } = await callTool(full, name, args);
        answers.set(name, `> ${name} ${JSON.stringify(args)}\n${readable(text)}`);
      }
    });
    expect(Object.values(ASKED).flat().toSorted()).toEqual(TOOLS.map(({ name }) => name).toSorted());
    for (const [file, names] of Object.entries(ASKED))
      await shows(
        file,
        names.map((name) => answers.get(name) ?? NOT_REACHED),
      );
  });

  it("of every prompt", async () => {
    const given = { service: "checkout", incident: "inc-20260214-132217-a22494" };
    await shows(
      "mcp-prompts.txt",
      PROMPTS.map(({ name, title, description, arguments: takes }) => {
        const filled = Object.fromEntries(
          Object.entries(given).filter(([key]) => takes.some((one) => one.name === key)),
        );
        return `> ${name} ${JSON.stringify(filled)}\n${title}: ${description}\n\n${promptText(name, filled)}`;
      }),
    );
  });
});

/** A JSON answer with a line for each field, and lists that are too long to be read cut. */
function readable(text: string): string {
  if (!text.startsWith("{")) return text;
  const cut = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      const shown = value.slice(0, 4).map(cut);
      return value.length > 4 ? [...shown, `(${value.length - 4} more)`] : shown;
    }
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, cut(one)]));
  };
  return JSON.stringify(cut(JSON.parse(text)), null, 1);
}
