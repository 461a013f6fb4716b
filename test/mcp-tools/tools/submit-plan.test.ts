import { describe, expect, it } from "vitest";
import { UnshipError } from "../../../core/errors.ts";
import type { GateAnswer, GuardrailVerdict } from "../../../core/model/plan.ts";
import { NO_INCIDENT } from "../../../core/model/plan.ts";
import type { ToolContext } from "../../../mcp-tools/context.ts";
import { targetOf } from "../../core/guardrails/rule-inputs.ts";
import { callTool } from "../call-tool.ts";
import { context, recordingGate } from "../scenario.ts";

describe("submit_plan", () => {
  it.each<[GateAnswer["outcome"], GuardrailVerdict, RegExp]>([
    ["held", "require_approval", /needs a person: run `unship approve plan-1`/],
    ["denied", "deny", /an approval changes nothing of what denies this plan/],
    ["executed", "allow", /call get_incident with wait_seconds to see whether the service recovers/],
    ["nothing-to-do", "allow", /is already at that version/],
    ["stopped", "allow", /stopped before anything was written/],
    ["in-progress", "deny", /another call executes it at this moment/],
  ])("gives the gate's answer %s and what to do next", async (outcome, verdict, next) => {
    const { gate, submitted } = recordingGate({ verdict, rules: [{ rule: "mode", verdict, reason: "why" }] }, outcome);
    const { structured } = await callTool(context({ gate }), "submit_plan", { plan_id: "plan-1" });
    expect(structured).toMatchObject({
      outcome,
      verdict,
      rules: [{ rule: "mode" }],
      next: expect.stringMatching(next),
    });
    expect(submitted).toEqual(["plan-1"]);
  });

  it.each([
    ["nobody has approved", [], /a person can answer it meanwhile: `unship approve plan-1`/],
    [
      "alice has approved",
      ["alice"],
      /approved by alice: the watch or the gate executes it as soon as nothing denies it/,
    ],
  ])("S15: of a plan that is paused and %s: says what becomes of it once the pause is over", async (_, by, next) => {
    const rules = [{ rule: "paused", verdict: "deny", reason: "web is paused" }] as const;
    const { gate } = recordingGate({ verdict: "deny", rules: [...rules] }, "denied");
    const base = context({ gate });
    const { plan } = await gate.propose({
      incidentId: NO_INCIDENT,
      targets: [targetOf()],
      reason: "",
      proposedBy: "x",
    });
    const given = by.map((actor, seq) => ({
      ...{ seq, at: 1, kind: "approval.given", incidentId: NO_INCIDENT, planId: plan.id, actor },
      ...{ body: { expiresAt: plan.expiresAt }, prev: "", hash: "" },
    }));
    const entries: ToolContext["ledger"]["entries"] = async ({ kinds = [] } = {}) =>
      given.filter(({ kind }) => kinds.includes(kind));
    const of = { ...base, ledger: { ...base.ledger, plan: async () => plan, entries } };
    const { structured } = await callTool(of, "submit_plan", { plan_id: plan.id });
    expect(structured).toMatchObject({ outcome: "denied", approved_by: by, next: expect.stringMatching(next) });
  });

  it("says what to do about a plan that does not exist", async () => {
    const gate = {
      ...recordingGate({ verdict: "allow", rules: [] }).gate,
      submit: async () => {
        throw new UnshipError("plan.unknown", { plan: "plan-9" });
      },
    };
    const { text, isError } = await callTool(context({ gate }), "submit_plan", { plan_id: "plan-9" });
    expect({ text, isError }).toEqual({
      text: "There is no plan plan-9. Call propose_plan to file one.",
      isError: true,
    });
  });

  it("takes no approval, token or force", async () => {
    const { gate, submitted } = recordingGate({ verdict: "allow", rules: [] });
    for (const extra of ["approved", "token", "force"]) {
      const { isError } = await callTool(context({ gate }), "submit_plan", { plan_id: "plan-1", [extra]: true });
      expect(isError).toBe(true);
    }
    expect(submitted).toEqual([]);
  });
});
