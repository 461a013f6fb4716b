import { describe, expect, it } from "vitest";
import { stageWords, waitingPlan } from "../../../core/guardrails/incident-text.ts";
import type { GateAnswer } from "../../../core/model/plan.ts";
import { NOW, planOf } from "./rule-inputs.ts";

const plan = planOf();

/** What the gate said last: the verdict, and the rules that are against the plan. */
function said(outcome: GateAnswer["outcome"], ...against: readonly string[]): GateAnswer {
  const verdict = outcome === "denied" ? "deny" : outcome === "held" ? "require_approval" : "allow";
  const rules = against.map((rule) => ({ rule, verdict, reason: "so" }) as const);
  return { planId: plan.id, outcome, review: { verdict, rules }, results: [], executedAt: null };
}

/** Asking again is no permission: until the gate has answered anew, its last answer is what people read and may answer. */
describe.each([
  ["is first submitted", "executing", null, "submitted to the gate", false],
  ["waits for a person", "waiting-approval", said("held", "mode"), "needs approval", true],
  [
    "waits for a person and is asked about again",
    "executing",
    said("held", "mode"),
    "needs approval, submitted to the gate again",
    true,
  ],
  [
    "waits for the hour's budget and is asked about again",
    "executing",
    said("held", "rollbacks-per-hour"),
    "held by a limit that passes by itself, submitted to the gate again",
    true,
  ],
  [
    "was denied and is asked about again",
    "executing",
    said("denied", "frozen"),
    "the gate denied the plan, submitted to the gate again",
    false,
  ],
] as const)("a plan that %s", (_, stage, gate, words, canBeAnswered) => {
  it("is called so", () => expect(stageWords({ stage, plan, gate, outcome: null }, NOW)).toBe(words));
  it(`${canBeAnswered ? "can" : "cannot"} be answered`, () =>
    expect(waitingPlan({ stage, plan, gate }, NOW)).toBe(canBeAnswered ? plan : null));
});
