import { describe, expect, it } from "vitest";
import type { Decision } from "../../../core/model/decision.ts";
import { assessmentOf, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, openWorld, type World } from "./gate-world.ts";

const config = policyOf({ mode: "approve" });

/** From now on the gate itself decides so. */
const decides = (world: World, action: Decision["action"]) => {
  const assessment = assessmentOf({ targets: action === "rollback" ? [targetOf()] : [] });
  world.assessment = { ...assessment, decision: { ...assessment.decision, action } };
};

type Step = "approve" | "pause" | "resume" | "submit" | Decision["action"];

/** What happens in this order to a plan that was proposed, and what the last submit comes to. */
const STORIES: readonly (readonly [string, readonly Step[], "executed" | "held"])[] = [
  ["approved in a pause, and still decided", ["rollback", "pause", "submit", "approve", "resume"], "executed"],
  ["approved in a pause, no longer decided", ["pause", "submit", "approve", "no_action", "resume"], "held"],
  ["approved before a pause that denied it", ["approve", "pause", "submit", "no_action", "resume"], "held"],
  ["left to a fix by then", ["pause", "submit", "approve", "hotfix_recommendation", "resume"], "held"],
  ["decided again by then", ["pause", "submit", "approve", "no_action", "submit", "rollback", "resume"], "executed"],
  ["approved against the gate's own decision", ["no_action", "pause", "submit", "approve", "resume"], "executed"],
  ["approved where nothing held it up, whatever the signals do", ["approve", "no_action"], "executed"],
  [
    "approved once more as it is now",
    ["pause", "submit", "approve", "no_action", "resume", "submit", "approve"],
    "executed",
  ],
];

describe("S4, S6: a yes that a pause held up is to the decision that it was given upon", () => {
  it.each(STORIES)("a plan that was %s", async (_, steps, outcome) => {
    await using world = await openWorld({ config });
    const { plan } = await world.gate.propose(world.draft());
    for (const step of steps) {
      world.time.now += 1_000;
      if (step === "approve") await world.gate.approve(plan.id, ALICE_TOKEN);
      else if (step === "pause") await world.gate.pause("all", "bob");
      else if (step === "resume") await world.gate.resume("all", ALICE_TOKEN);
      else if (step === "submit") await world.gate.submit(plan.id);
      else decides(world, step);
    }
    world.time.now += 1_000;
    const answer = await world.gate.submit(plan.id);
    expect(answer.outcome).toBe(outcome);
    expect(world.targets.writes()).toHaveLength(outcome === "executed" ? 1 : 0);
    const again = answer.review.rules.filter(({ rule }) => rule === "approved-decision");
    expect(again).toHaveLength(outcome === "executed" ? 0 : 1);
    if (outcome === "held")
      expect(again[0]?.reason).toMatch(
        /^alice approved when the gate's own decision was rollback; .* approve it again$/,
      );
  });
});
