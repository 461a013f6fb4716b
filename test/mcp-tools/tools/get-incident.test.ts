import { describe, expect, it } from "vitest";
import type { GateAnswer, GateReview } from "../../../core/model/plan.ts";
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

  it("S15: says by what it is held while it waits for a person, though the decision needs nobody", async () => {
    const because = "checkout runs in mode approve: each rollback needs a person";
    const rules: GateReview["rules"] = [
      { rule: "mode", verdict: "require_approval", reason: because },
      { rule: "capacity", verdict: "allow", reason: "enough" },
    ];
    const gate: GateAnswer = {
      planId: incident.plan?.id ?? "",
      outcome: "held",
      review: { verdict: "require_approval", rules },
      results: [],
      executedAt: null,
    };
    const waiting = { ...incident, stage: "waiting-approval", outcome: null, closedAt: null, gate } as const;
    const { structured } = await callTool(holding(waiting), "get_incident", { incident: incident.id });
    expect(structured).toMatchObject({
      needs_person: [because],
      gate: "held (require_approval)",
      approved_by: [],
    });
  });

  it.each([
    ["ada, grace", ["ada", "grace"], "executed, approved by ada and grace"],
    ["ada", ["ada"], "executed, approved by ada"],
    [null, [], "executed (allow), without a person"],
  ])("S15: names who approved what was executed: %j", async (approvedBy, names, text) => {
    const base = holding(incident);
    const reserved = { seq: 1, at: 1, kind: "plan.reserved", incidentId: incident.id, planId: incident.plan?.id ?? "" };
    const entry = { ...reserved, actor: "gate", body: { approvedBy, units: 1 }, prev: "", hash: "" };
    const of = { ...base, ledger: { ...base.ledger, entries: async () => [entry] } };
    const { structured } = await callTool(of, "get_incident", { incident: incident.id });
    expect(structured).toMatchObject({ gate: text, approved_by: names });
  });

  it("gives a hotfix recommendation whole", async () => {
    const { structured } = await callTool(holding(hotfix), "get_incident", { incident: hotfix.id });
    expect(structured?.why).toEqual([
      "v1.4.2 ran a migration that v1.4.1 cannot read.",
      ...["Fix by hand", "Commits", "Start at", "Owner", "No rollback", "Until then", "It worked if"].map((words) =>
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
