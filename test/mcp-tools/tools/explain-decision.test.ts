import { describe, expect, it } from "vitest";
import { callTool } from "../call-tool.ts";
import { context, deploy } from "../scenario.ts";

describe("explain_decision", () => {
  it("gives the core's decision with its reasons", async () => {
    const { structured } = await callTool(context(), "explain_decision");
    expect(structured?.decision).toMatchObject({
      action: "rollback",
      culprit: { changeId: deploy.id },
      changeIds: [deploy.id],
      needsPerson: [],
    });
  });

  describe("S15: says whether it may run without a person, and what holds it", () => {
    const base = context();
    const allowed = {
      type: "kubectl_rollout_undo" as const,
      namespaces: null,
      applications: null,
      environments: null,
      requireApproval: false,
      maxRollbacksPerHour: null,
    };
    const auto = { ...base.config, mode: "auto" as const, allowedActions: [allowed] };

    it("nothing, where the mode is auto and no rule of the file is in the way", async () => {
      const { structured } = await callTool({ ...base, config: auto }, "explain_decision");
      expect(structured).toMatchObject({ execution: { without_person: true, held_by: [] } });
    });

    it.each([
      ["the mode approve", { ...auto, mode: "approve" as const }, [], "mode", /runs in mode approve/],
      ["the mode observe", { ...auto, mode: "observe" as const }, [], "mode", /observe, which executes nothing/],
      ["a pause", auto, [{ scope: "*", by: "bob", at: 0 }], "paused", /everything is paused by bob/],
      ["what the file does not allow", { ...auto, allowedActions: [] }, [], "allowed-actions", /does not allow/],
      [
        "an action that always needs a person",
        { ...auto, allowedActions: [{ ...allowed, requireApproval: true }] },
        [],
        "require-approval",
        /requires approval/,
      ],
      [
        "a protected name",
        { ...auto, guardrails: { ...auto.guardrails, neverAutoRollback: ["checkout"] } },
        [],
        "never-auto",
        /never_auto_rollback/,
      ],
    ] as const)("%s", async (_, config, pauses, rule, reason) => {
      const ledger = { ...base.ledger, pauses: async () => pauses };
      const { structured } = await callTool({ ...base, config, ledger }, "explain_decision");
      expect(structured).toMatchObject({ execution: { without_person: false } });
      expect(structured?.execution).toMatchObject({
        held_by: expect.arrayContaining([expect.stringMatching(new RegExp(`^${rule}: .*${reason.source}`))]),
      });
      expect(JSON.stringify(structured)).toContain('"automatic":true');
    });
  });

  it("decides nothing on what it was not given", async () => {
    const { structured } = await callTool(context(), "explain_decision", { known: {} });
    expect(structured?.decision).toMatchObject({ action: "no_action" });
  });
});
