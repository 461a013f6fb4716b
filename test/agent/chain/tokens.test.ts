import { join } from "node:path";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { reasonOver } from "../../../agent/compose/chain.ts";
import { ephemeralGate, ephemeralLedger } from "../../../agent/compose/ephemeral.ts";
import { budgeted } from "../../../agent/models/budget.ts";
import type { ChatRequest } from "../../../agent/models/model.ts";
import { scriptedModel, type Turn } from "../../../agent/models/scripted.ts";
import { createAssessor } from "../../../core/assessment/assessor.ts";
import type { ModelConfig } from "../../../core/config/config.ts";
import { byTheBook } from "../../../evals/reasoner/by-the-book.ts";
import { readTruth } from "../../../evals/replay/bundle.ts";
import { openBundle } from "../../../evals/replay/open-bundle.ts";

const BUNDLES = join(import.meta.dirname, "../../../evals/data/incidents");
const MODEL: ModelConfig = {
  provider: "anthropic",
  model: "scripted",
  baseUrl: null,
  apiKey: null,
  mayHold: false,
  mayReadCode: false,
  budget: { tokens: 1_000_000, turns: 100, timeMs: 60_000, stepTimeMs: 60_000, cost: null },
  prices: null,
};

const tokensOf = (value: unknown) => countTokens(JSON.stringify(value));

/** The seed's six steps over a recorded incident, five minutes after its onset, by a model that does what the prompts say. */
async function reasoned(bundle: string) {
  const directory = join(BUNDLES, bundle);
  const onset = readTruth(directory)?.onset ?? null;
  const { sources, clock, config } = await openBundle(directory, onset === null ? undefined : onset + 5 * 60_000);
  const assessor = createAssessor({ sources, config });
  const caseFile = await assessor.gather(clock.now(), new AbortController().signal);
  await using ledger = await ephemeralLedger();
  const turns: { readonly request: ChatRequest; readonly turn: Turn }[] = [];
  const script = byTheBook();
  const model = scriptedModel(async (request, index) => {
    const turn = await script(request, index);
    turns.push({ request, turn });
    return turn;
  });
  const parts = {
    version: "test",
    config: { ...config, model: MODEL },
    clock,
    sources,
    store: null,
    gate: ephemeralGate,
  };
  const result = await reasonOver(
    { ...parts, ledger: ledger.ledger, model: async () => budgeted(model, MODEL.budget, null) },
    undefined,
    caseFile,
  );
  return { result, turns };
}

describe("the six steps over a recorded incident", () => {
  // Of the sixteen kept: the longest, a short one, and two between.
  it.each(["case-af63a6c3", "case-59355b0a", "case-2db49202", "case-84b62412"])(
    "take at most 20,000 tokens in all, input and output: %s",
    async (bundle) => {
      const { result, turns } = await reasoned(bundle);
      expect(result.model?.steps.map(({ outcome }) => outcome)).toEqual(Array(6).fill("answered"));
      const tokens = turns.reduce(
        (sum, { request: { system, tools, messages }, turn }) =>
          sum + tokensOf(system) + tokensOf(tools) + tokensOf(messages) + tokensOf(turn),
        0,
      );
      expect(tokens).toBeLessThanOrEqual(20_000);
    },
  );

  it("begin each turn of a step with the same bytes, so that a vendor's cache keeps them", async () => {
    const { turns } = await reasoned("case-84b62412");
    for (const [index, { request }] of turns.entries()) {
      const before = turns[index - 1]?.request;
      if (before === undefined || before.messages[0] !== request.messages[0]) continue;
      expect(request.system).toBe(before.system);
      expect(JSON.stringify(request.tools)).toBe(JSON.stringify(before.tools));
      expect(request.messages.slice(0, before.messages.length)).toEqual(before.messages);
    }
    expect(turns.length).toBe(12);
  });
});
