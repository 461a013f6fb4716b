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

  it("decides nothing on what it was not given", async () => {
    const { structured } = await callTool(context(), "explain_decision", { known: {} });
    expect(structured?.decision).toMatchObject({ action: "no_action" });
  });
});
