import { describe, expect, it } from "vitest";
import { incident } from "../../knowledge/incidents.ts";
import { hostile, hotfix } from "../../knowledge/variants.ts";
import { callTool } from "../call-tool.ts";
import { context } from "../scenario.ts";

const holding = (one: typeof incident) => {
  const base = context();
  return { ...base, ledger: { ...base.ledger, incident: async (id: string) => (id === one.id ? one : null) } };
};

describe("get_incident", () => {
  it("gives the incident as the ledger holds it", async () => {
    const { structured } = await callTool(holding(incident), "get_incident", { incident: incident.id });
    expect(structured).toMatchObject({
      stage: "closed",
      action: "rollback",
      culprit: { change: "deploy-checkout-7", probability: 0.9712 },
      gate: "executed (allow)",
      recovery: expect.stringMatching(/^recovered: 0\.19 %/),
      outcome: "recovered",
      total: 5,
    });
  });

  it("gives a hotfix recommendation whole", async () => {
    const { structured } = await callTool(holding(hotfix), "get_incident", { incident: hotfix.id });
    expect(structured?.why).toEqual([
      "v1.4.2 ran a migration that v1.4.1 cannot read.",
      ...["Mend by hand", "Commits", "Start at", "Owner", "No rollback", "Until then", "It worked if"].map((words) =>
        expect.stringContaining(words),
      ),
    ]);
  });

  it("pages the timeline", async () => {
    const { structured } = await callTool(holding(incident), "get_incident", { incident: incident.id, limit: 2 });
    const next = await callTool(holding(incident), "get_incident", {
      incident: incident.id,
      limit: 2,
      cursor: structured?.more,
    });
    expect(next.structured?.timeline).toMatchObject([{ event: "policy-fired" }, { event: "executed" }]);
  });

  it("says in one line which others are open, worst first", async () => {
    const open = { ...incident, stage: "detected", outcome: null, closedAt: null, gate: null } as const;
    const others = [
      { ...open, id: "inc-2", service: "cart", impact: null },
      { ...open, id: "inc-3", service: "search" },
    ];
    const base = holding(incident);
    const of = { ...base, ledger: { ...base.ledger, incidents: async () => others } };
    const { structured } = await callTool(of, "get_incident", { incident: incident.id });
    expect(structured?.also_open).toBe(
      "Also open: inc-3 search (looking for the cause); inc-2 cart (looking for the cause)",
    );
  });

  it("says how to find one that exists", async () => {
    const { text, isError } = await callTool(holding(incident), "get_incident", { incident: "inc-0" });
    expect(isError).toBe(true);
    expect(text).toContain("Call search_incidents");
  });

  it("fences text from outside in it", async () => {
    const { text } = await callTool(holding(hostile), "get_incident", { incident: hostile.id });
    expect(text).not.toContain("hunter2secret");
    expect(text).not.toContain("\\u202e");
  });
});
