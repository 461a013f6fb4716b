import { describe, expect, it } from "vitest";
import type { GateReview } from "../../../core/model/plan.ts";
import { callTool } from "../call-tool.ts";
import { context, deploy, recordingGate, target } from "../scenario.ts";

const REASON = "checkout fails since this deploy, as rank_candidates says";
const review: GateReview = {
  verdict: "require_approval",
  rules: [
    { rule: "budget", verdict: "allow", reason: "1 of 5" },
    { rule: "evidence", verdict: "require_approval", reason: "no automatic policy condition holds" },
  ],
};
const args = { incident: "inc-1", change_ids: [deploy.id], reason: REASON };

describe("propose_plan", () => {
  it("files the core's own targets, gives every rule's word, and says that it takes a person", async () => {
    const { gate, proposed, submitted } = recordingGate(review);
    const { structured } = await callTool(context({ gate }), "propose_plan", args);
    expect(structured).toMatchObject({
      plan_id: "plan-1",
      verdict: "require_approval",
      targets: ["kubectl_rollout_undo: Deployment production/checkout (checkout) from v1.4.2 back to v1.4.1"],
      rules: [{ rule: "evidence" }, { rule: "budget" }],
      next: "needs a person: run `unship approve plan-1`, then call submit_plan again",
    });
    expect(proposed).toEqual([
      { incidentId: "inc-1", targets: [target], reason: REASON, proposedBy: "mcp:test:unship-chain" },
    ]);
    expect(submitted).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      "a change that nobody knows",
      { ...args, change_ids: ["deploy-x"] },
      /there is no change deploy-x; take ids from list_changes/,
    ],
    ["a reason of two words", { ...args, reason: "because broken" }, /reason:/],
    ["targets of the caller's own", { ...args, targets: [target] }, /Unrecognized key: "targets"/],
  ])("refuses %s, and nothing reaches the gate", async (_, given, says) => {
    const { gate, proposed } = recordingGate(review);
    const { text, isError } = await callTool(context({ gate }), "propose_plan", given);
    expect(isError).toBe(true);
    expect(text).toMatch(says);
    expect(proposed).toEqual([]);
  });

  it("says why a change cannot be taken back", async () => {
    const { gate } = recordingGate(review);
    const targetsFor = async () => ({ targets: [], obstacles: ["checkout has no known-good version"] });
    const { text, isError } = await callTool(context({ gate, targetsFor }), "propose_plan", args);
    expect(isError).toBe(true);
    expect(text).toContain("deploy-checkout-7 cannot be taken back: checkout has no known-good version.");
  });
});
