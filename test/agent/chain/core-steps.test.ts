import { describe, expect, it } from "vitest";
import { linkTools } from "../../../agent/chain/mcp-client.ts";
import { runChain } from "../../../agent/chain/runner.ts";
import { assess, stepAnswers } from "../../../core/assessment/assessor.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Series } from "../../../core/model/signal.ts";
import { createServer } from "../../../mcp-tools/server.ts";
import { caseFile, config, context, deploy, errorSeries, finding, NOW } from "../../mcp-tools/scenario.ts";

/** The scenario with enough around it for the core's own steps: traffic, a second victim, more innocent changes. */
const rate: Series = {
  ...errorSeries,
  metric: "request_rate",
  unit: "req/s",
  worse: "either",
  values: errorSeries.values.map(() => 40),
};
const full: CaseFile = caseFile({
  series: [
    errorSeries,
    rate,
    { ...errorSeries, service: "gateway", values: errorSeries.values.map((value) => value && value / 3) },
  ],
  findings: [
    finding,
    { ...finding, service: "gateway", current: 0.1, because: "error_rate is 0.1, its baseline 0.0007" },
  ],
});

async function chainOver(file: CaseFile) {
  const tools = await linkTools(createServer(context({ steps: stepAnswers, caseFile: async () => file })).connect);
  try {
    return await runChain({ tools, config: config(), now: () => NOW });
  } finally {
    await tools.close();
  }
}

describe("the chain over the core's own steps", () => {
  it.each<[string, CaseFile]>([
    ["a bad deploy", full],
    ["nothing wrong", caseFile({ findings: [], conditions: [] })],
    ["no changes", { ...full, changes: [] }],
    ["no call graph", { ...full, topology: null }],
    ["sixty changes, more than one page of suspects", { ...full, changes: many(60) }],
    ["five hundred services hurt at once", fleet(500)],
    ["four hundred changes, more suspects than one answer names", { ...full, changes: many(400) }],
  ])("answers as the core does, through the wire: %s", async (_, file) => {
    const result = await chainOver(file);
    expect(result.deterministic.steps.filter(({ outcome }) => outcome !== "answered")).toEqual([]);
    expect(result.answers).toEqual(assess(file, config()).answers);
  });

  it("blames the deploy and takes it back", async () => {
    const { answers } = await chainOver(full);
    expect(answers.correlate_timing?.ranking.candidates[0]?.changeId).toBe(deploy.id);
    expect(answers.recommend_action?.decision.action).toBe("rollback");
  });
});

function many(count: number) {
  const others = Array.from({ length: count - 1 }, (_, index) => ({
    ...deploy,
    id: `deploy-other-${index}`,
    service: `other-${index}`,
    startedAt: deploy.startedAt - index * 1_000,
  }));
  return [...others, deploy];
}

function fleet(count: number): CaseFile {
  const services = Array.from({ length: count }, (_, index) => `service-${index}`);
  return {
    ...full,
    topology: { edges: services.map((service) => ["gateway", service] as const), external: [] },
    series: services.map((service) => ({ ...errorSeries, service })),
    findings: services.map((service) => ({ ...finding, service })),
  };
}
