import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { budgeted } from "../../../agent/models/budget.ts";
import { scriptedModel } from "../../../agent/models/scripted.ts";
import type { ModelConfig } from "../../../core/config/config.ts";
import { byTheBook, type Script } from "../../../evals/reasoner/by-the-book.ts";
import { readBundle } from "../../../evals/replay/bundle.ts";
import { replayRecording } from "../../../evals/replay/replay.ts";
import { configFor } from "../../../evals/replay/seed-config.ts";

const BUNDLE = join(import.meta.dirname, "../../../evals/data/incidents/case-0ae72462");

/** When the core decides there. */
const AT = Date.parse("2026-02-21T19:03:44Z");

/** Reads what the tools say, and would rather do nothing. */
const doubting = byTheBook((step, answer) =>
  step !== "recommend_action"
    ? answer
    : {
        decision: { ...(answer as { decision: object }).decision, action: "no_action", culprit: null, changeIds: [] },
      },
);

/** The whole agent over a recorded incident whose culprit it takes back by itself, with this model beside it. */
async function replayed(script: Script, mayHold: boolean) {
  const whole = readBundle(BUNDLE);
  // The minutes around the decision: the rest of the recording would only cost time.
  const watch = { start: AT - 90_000, end: AT + 60_000 };
  const bundle = { ...whole, incident: { ...whole.incident, watch } };
  const config: ModelConfig = {
    provider: "openai",
    model: "scripted",
    baseUrl: null,
    apiKey: null,
    mayHold,
    mayReadCode: false,
    budget: { tokens: 200_000, turns: 60, timeMs: 60_000, stepTimeMs: 60_000, cost: null },
    prices: null,
  };
  const open = async () => budgeted(scriptedModel(script), config.budget, null);
  const reasoner = { config, open };
  const { episodes } = await replayRecording(
    bundle,
    configFor(bundle, undefined, undefined),
    "test",
    new AbortController().signal,
    reasoner,
  );
  return episodes.map(({ action, guardrail, executed_at }) => ({ action, guardrail, executed: executed_at !== null }));
}

describe("S12 and model.may_hold, through the whole agent", () => {
  it("a model that disagrees changes nothing where the file does not let it hold", async () => {
    const [episode] = await replayed(doubting, false);
    expect(episode).toMatchObject({ executed: true, guardrail: { verdict: "allow" } });
  });

  it("with may_hold its doubt asks a person, and nothing is executed", async () => {
    const [episode] = await replayed(doubting, true);
    expect(episode).toMatchObject({ executed: false, guardrail: { verdict: "require_approval" } });
    expect(episode?.guardrail?.reasons.join("\n")).toMatch(/the model (would choose|finds)/);
  });

  it.each<[string, Script]>([
    ["agrees", byTheBook()],
    ["is down", () => ({ fail: "529 overloaded" })],
    ["rambles", () => ({ text: "Let me think about that." })],
  ])("with may_hold a model that %s holds nothing", async (_, script) => {
    const [episode] = await replayed(script, true);
    expect(episode).toMatchObject({ executed: true, guardrail: { verdict: "allow" } });
  });
});
