import { describe, expect, it } from "vitest";
import { gateText, outcomeWords } from "../../../core/guardrails/approved-by.ts";
import { stageWords } from "../../../core/guardrails/incident-text.ts";
import type { GateAnswer, TargetResult } from "../../../core/model/plan.ts";
import { targetOf } from "./rule-inputs.ts";

const answer = (outcome: GateAnswer["outcome"], ...results: readonly TargetResult["result"][]): GateAnswer => ({
  planId: "plan-1",
  outcome,
  review: { verdict: "allow", rules: [] },
  results: results.map((result) => ({ target: targetOf(), result, detail: "", at: 0, warnings: [] })),
  executedAt: null,
});

describe("S15: what came of a plan, in the words of every surface", () => {
  it.each([
    [answer("executed", "done"), "executed"],
    [answer("stopped", "unknown"), "not known whether it was executed"],
    [answer("stopped", "unknown", "refused"), "not known whether it was executed"],
    [answer("stopped", "done", "unknown"), "stopped half-way"],
    [answer("stopped", "stale"), "stopped before anything was written"],
    [answer("nothing-to-do", "nothing-to-do"), "nothing-to-do"],
  ])("%j is %s", (gate, words) => {
    expect(outcomeWords(gate)).toBe(words);
    expect(gateText(gate, [])).toBe(`${words} (allow), without a person`);
    expect(stageWords({ stage: "verifying", plan: null, gate, outcome: null }, 0)).toBe(`${words}, verifying recovery`);
  });
});
