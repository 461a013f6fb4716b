import { describe, expect, test } from "vitest";
import { budgeted } from "../../../agent/models/budget.ts";
import { configuredModel } from "../../../agent/models/configured.ts";
import type { ChatModel, ChatRequest } from "../../../agent/models/model.ts";
import { startFakeAnthropic } from "../../fakes/fake-anthropic.ts";
import { startFakeOpenai } from "../../fakes/fake-openai.ts";

const BUDGET = { tokens: 10_000, turns: 10, timeMs: 60_000, stepTimeMs: 5_000, cost: null };
const request: ChatRequest = {
  system: "s",
  tools: [],
  messages: [{ role: "user", text: "?" }],
  maxOutputTokens: 2_000,
};
const never = new AbortController().signal;

function talker(inputTokens: number, outputTokens: number, cachedTokens = 0) {
  const asked: ChatRequest[] = [];
  const model: ChatModel = {
    name: "talker",
    async reply(one) {
      asked.push(one);
      return { text: "so", calls: [], stop: "end", usage: { inputTokens, outputTokens, cachedTokens } };
    },
  };
  return { model, asked };
}

async function turnsUntilRefused(model: ChatModel): Promise<number> {
  for (let turn = 0; turn < 100; turn++) {
    try {
      await model.reply(request, never);
    } catch (error) {
      expect(error).toMatchObject({ code: "model.unavailable" });
      return turn;
    }
  }
  return 100;
}

describe("a model is not asked any more once it has spent", () => {
  test.each([
    ["its tokens", { tokens: 3_000 }, 3],
    ["its turns", { turns: 2 }, 2],
    ["its cost", { cost: 0.0299 }, 3],
    ["nothing that is limited so low", {}, 10],
  ] as const)("%s", async (_, limits, turns) => {
    const { model, asked } = talker(900, 100);
    const limited = budgeted(model, { ...BUDGET, ...limits }, { input: 10, cachedInput: 1, output: 10 });
    expect(await turnsUntilRefused(limited)).toBe(turns);
    expect(asked).toHaveLength(turns);
  });
});

test("an answer may be no longer than what is left", async () => {
  const { model, asked } = talker(9_000, 500);
  const limited = budgeted(model, BUDGET, null);
  await limited.reply(request, never);
  await limited.reply(request, never);
  expect(asked.map(({ maxOutputTokens }) => maxOutputTokens)).toEqual([2_000, 500]);
});

test("cost counts what came from the vendor's cache at its own price", async () => {
  const { model } = talker(1_000_000, 100_000, 600_000);
  const limited = budgeted(model, { ...BUDGET, tokens: 9e6 }, { input: 3, cachedInput: 0.3, output: 15 });
  await limited.reply(request, never);
  const { cost, ...counted } = limited.spent();
  expect(cost).toBeCloseTo(0.4 * 3 + 0.6 * 0.3 + 0.1 * 15, 10);
  expect(counted).toEqual({ turns: 1, inputTokens: 1_000_000, outputTokens: 100_000, cachedTokens: 600_000 });
  expect(budgeted(model, BUDGET, null).spent().cost).toBeNull();
});

test.each([
  ["anthropic", startFakeAnthropic, ""],
  ["openai", startFakeOpenai, "/v1"],
] as const)("the configured %s model answers, and what it used is known", async (provider, start, path) => {
  const server = await start([{ kind: "say", text: "yes" }]);
  const config = {
    provider,
    model: "m",
    baseUrl: server.baseUrl + path,
    apiKey: null,
    mayHold: false,
    mayReadCode: false,
    budget: BUDGET,
    prices: null,
  };
  const model = await configuredModel(config, "k");
  expect((await model.reply(request, never)).text).toBe("yes");
  expect(model.spent()).toMatchObject({ turns: 1, inputTokens: 100, outputTokens: 9 });
  await server.close();
});
