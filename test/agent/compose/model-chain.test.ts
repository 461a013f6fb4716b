import { afterEach, describe, expect, it } from "vitest";
import { type ChainParts, reasonOver } from "../../../agent/compose/chain.ts";
import { configuredModel } from "../../../agent/models/configured.ts";
import type { ModelConfig } from "../../../core/config/config.ts";
import { startFakeAnthropic } from "../../fakes/fake-anthropic.ts";
import type { Act, FakeModelServer } from "../../fakes/fake-model-server.ts";
import { startFakeOpenai } from "../../fakes/fake-openai.ts";
import { caseFile, config, context, NOW, recordingGate } from "../../mcp-tools/scenario.ts";

const servers: FakeModelServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** The chain as the watch runs it, with a model behind a real socket that does these acts. */
async function reasoned(
  provider: "anthropic" | "openai",
  acts: readonly Act[],
  budget: Partial<ModelConfig["budget"]>,
) {
  const server = await (provider === "anthropic" ? startFakeAnthropic(acts) : startFakeOpenai(acts));
  servers.push(server);
  const model: ModelConfig = {
    provider,
    model: "m",
    baseUrl: provider === "anthropic" ? server.baseUrl : `${server.baseUrl}/v1`,
    apiKey: null,
    mayHold: false,
    mayReadCode: false,
    budget: { tokens: 60_000, turns: 40, timeMs: 60_000, stepTimeMs: 60_000, cost: null, ...budget },
    prices: { input: 3, cachedInput: 0.3, output: 15 },
  };
  const { sources, ledger, incidents, gate } = context();
  const parts = {
    version: "test",
    config: config({ model }),
    clock: { now: () => NOW },
    sources,
    ledger,
    store: incidents,
    gate: { ...recordingGate({ verdict: "deny", rules: [] }).gate, ...gate },
  } as unknown as ChainParts; // the chain's tools only read: of gate and ledger it needs what the tools' context has
  const alone = await reasonOver(parts, undefined, caseFile());
  const beside = await reasonOver({ ...parts, model: () => configuredModel(model, "k") }, undefined, caseFile());
  return { alone, beside, server };
}

describe.each(["anthropic", "openai"] as const)(
  "S12: the deterministic result is kept beside a %s model",
  (provider) => {
    it.each<[string, readonly Act[], Partial<ModelConfig["budget"]>, asked: number]>([
      ["that refuses the key", [{ kind: "status", status: 401 }], {}, 1],
      ["that hangs", [{ kind: "hang" }], { stepTimeMs: 150, timeMs: 400 }, 1],
      ["that refuses to answer", [{ kind: "refuse" }], {}, 1],
      ["whose turns are spent", [{ kind: "say", text: "Let me think." }], { turns: 3 }, 3],
      ["whose tokens are spent", [{ kind: "say", text: "Let me think." }], { tokens: 200 }, 2],
      ["whose money is spent", [{ kind: "say", text: "Let me think." }], { cost: 0.0001 }, 1],
    ])("%s", async (_, acts, budget, asked) => {
      const { alone, beside, server } = await reasoned(provider, acts, budget);
      expect(alone.model).toBeNull();
      expect(alone.spent).toBeUndefined();
      expect(beside.answers).toEqual(alone.answers);
      expect(beside.settled?.decision).toEqual(alone.settled?.decision);
      expect(beside.settled?.questions).toEqual([]);
      expect(beside.model?.steps[0]?.outcome).toBe("failed");
      expect(server.requests.length).toBeGreaterThanOrEqual(asked);
      expect(beside.spent?.turns).toBeGreaterThanOrEqual(1);
    });

    it("tells the model nothing but what may be read, and no tool that acts", async () => {
      const { server } = await reasoned(provider, [{ kind: "refuse" }], {});
      const sent = JSON.stringify(server.requests[0]?.body);
      expect(sent).toContain("list_changes");
      expect(sent).not.toContain("submit_plan");
      expect(sent).not.toContain("propose_plan");
    });
  },
);
