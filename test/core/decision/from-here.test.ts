import { describe, expect, it } from "vitest";
import { decisionText } from "../../../agent/watch/wording.ts";
import { whyNotFromHere } from "../../../core/decision/hotfix-text.ts";
import { incidentLines } from "../../../core/guardrails/incident-text.ts";
import type { Decision } from "../../../core/model/decision.ts";
import { incident } from "../../knowledge/incidents.ts";

const decided = incident.decision as Decision; // as: this incident has one
const HOTFIX = {
  changeId: "deploy-checkout-7",
  commitRange: null,
  suspects: [],
  owner: null,
  whyNoRollback: "checkout has no older revision to restore",
  mitigation: "send traffic elsewhere",
  check: "error_rate of checkout is usual",
};
const hotfix: Decision = { ...decided, action: "hotfix_recommendation", changeIds: [], hotfix: HOTFIX };

describe("S15: why what was decided cannot be done from here is said wherever the decision is", () => {
  it.each<[name: string, decision: Decision, obstacles: readonly string[], why: string | null]>([
    ["a hotfix", hotfix, [], "checkout has no older revision to restore"],
    ["a rollback that nothing here can do", decided, ["v1 served for 20s only"], "v1 served for 20s only"],
    ["a rollback that can be done", decided, [], null],
    ["no action", { ...decided, action: "no_action" }, ["v1 served for 20s only"], null],
  ])("%s", (_, decision, obstacles, why) => {
    expect(whyNotFromHere(decision, obstacles)).toBe(why);
    const one = { ...incident, decision, obstacles: [...obstacles] };
    const said = [decisionText(one), ...incidentLines(one, { now: one.detectedAt, open: [], services: {} })];
    if (why !== null) for (const text of [said[0], said.slice(1).join(" ")]) expect(text).toContain(why);
  });
});
