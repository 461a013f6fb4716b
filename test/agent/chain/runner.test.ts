import { describe, expect, it } from "vitest";
import { linkTools } from "../../../agent/chain/mcp-client.ts";
import { runChain } from "../../../agent/chain/runner.ts";
import type { Config } from "../../../core/config/config.ts";
import type { StepAnswers } from "../../../core/model/assessment.ts";
import { createServer } from "../../../mcp-tools/server.ts";
import { chainOf, config, context, deploy, NOW, SIX } from "../../mcp-tools/scenario.ts";

async function chain(names: readonly string[], over: Partial<Config> = {}) {
  const settings = config({ chain: chainOf(names), ...over });
  const tools = await linkTools(createServer(context({ config: settings })).connect);
  try {
    return await runChain({ tools, config: settings, incidentId: "inc-1", now: () => NOW });
  } finally {
    await tools.close();
  }
}

describe("the chain with the deterministic reasoner", () => {
  it("answers all six steps through the tools, and names the culprit and the action", async () => {
    const result = await chain(SIX);
    expect(result.deterministic.steps.map(({ step, outcome }) => [step, outcome])).toEqual(
      SIX.map((step) => [step, "answered"]),
    );
    expect(result.answers.recommend_action?.decision).toMatchObject({
      action: "rollback",
      culprit: { changeId: deploy.id, probability: 0.96 },
    });
    expect(result.settled?.decision).toEqual(result.answers.recommend_action?.decision);
    expect(result.losses).toEqual([]);
    expect(result.usage.toolCalls).toBe(6);
  });

  it("hands a step nothing but the checked answers of earlier ones", async () => {
    const { deterministic } = await chain(SIX);
    for (const [index, record] of deterministic.steps.entries()) {
      const known = record.calls[0]?.args.known ?? [];
      expect(known).toEqual(SIX.slice(0, record.step === "identify_recent_deployments" ? 0 : index));
    }
  });

  it.each<[left: string, lost: (answers: StepAnswers) => unknown, now: unknown]>([
    ["identify_recent_deployments", (all) => all.correlate_timing?.ranking.candidates, []],
    ["correlate_timing", (all) => all.recommend_action?.decision.action, "no_action"],
    ["check_affected_services", (all) => all.evaluate_business_impact?.impact.affectedServices, []],
    ["check_dependency_graph", (all) => all.check_dependency_graph, undefined],
    [
      "evaluate_business_impact",
      (all) => all.recommend_action?.decision.needsPerson,
      ["the business impact is unknown"],
    ],
    ["recommend_action", (all) => all.recommend_action, undefined],
  ])("without %s something is lost, and the loss is named", async (left, lost, now) => {
    const result = await chain(SIX.filter((step) => step !== left));
    expect(lost(result.answers)).toEqual(now);
    expect(lost((await chain(SIX)).answers)).not.toEqual(now);
    expect(result.answers).not.toHaveProperty(left);
    if (left === "recommend_action") expect(result.settled).toBeNull();
    else expect(result.losses.join("\n")).toContain(`without ${left}:`);
  });

  it("runs a custom step and records that the core has no answer to it", async () => {
    const result = await chain(["ask_the_oracle", ...SIX]);
    expect(result.deterministic.steps[0]).toMatchObject({
      step: "ask_the_oracle",
      outcome: "no-answer",
      because: "no deterministic answer",
    });
    expect(result.answers.recommend_action?.decision.action).toBe("rollback");
  });
});
