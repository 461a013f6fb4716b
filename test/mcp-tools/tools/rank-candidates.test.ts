import { describe, expect, it } from "vitest";
import { callTool } from "../call-tool.ts";
import { chainOf, config, context, decoy, deploy, SIX } from "../scenario.ts";

describe("rank_candidates", () => {
  it("gives every hypothesis with its reasons, no change among them, and they sum to 1", async () => {
    const { structured } = await callTool(context(), "rank_candidates");
    expect(structured).toMatchObject({
      candidates: [{ changeId: deploy.id, probability: 0.96, reasons: [{ name: "timing" }] }, { changeId: decoy.id }],
      reached: true,
      threshold: 0.8,
    });
    const { candidates, no_change } = structured as {
      candidates: { probability: number }[];
      no_change: { noChangeProbability: number };
    };
    const sum = candidates.reduce((total, { probability }) => total + probability, no_change.noChangeProbability);
    expect(sum).toBeCloseTo(1, 12);
  });

  it("pages the suspects", async () => {
    const { structured: first } = await callTool(context(), "rank_candidates", { limit: 1 });
    const { structured: second } = await callTool(context(), "rank_candidates", { limit: 1, cursor: first?.more });
    expect(second).toMatchObject({ candidates: [{ changeId: decoy.id }], more: null });
  });

  it("works out no step that the configuration leaves out", async () => {
    const chain = chainOf(SIX.filter((step) => step !== "identify_recent_deployments"));
    const { structured } = await callTool(context({ config: config({ chain }) }), "rank_candidates");
    expect(structured).toMatchObject({ candidates: [], reached: false });
  });
});
