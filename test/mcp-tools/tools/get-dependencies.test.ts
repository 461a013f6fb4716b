import { describe, expect, it } from "vitest";
import { callTool } from "../call-tool.ts";
import { caseFile, context, deploy } from "../scenario.ts";

describe("get_dependencies", () => {
  it("gives the call graph of one service or all, and what must be rolled back together", async () => {
    const { structured } = await callTool(context(), "get_dependencies", { service: "search" });
    expect(structured).toMatchObject({
      known: true,
      edges: [["gateway", "search"]],
      external: ["bank"],
      coordinated: { order: [deploy.id] },
    });
  });

  it("says that the graph is not known, which is not the same as empty", async () => {
    const { structured } = await callTool(
      context({ caseFile: async () => caseFile({ topology: null }) }),
      "get_dependencies",
    );
    expect(structured).toMatchObject({ known: false, edges: [] });
  });
});
