import { describe, expect, it } from "vitest";
import { planText } from "../../../agent/cli/plan-text.ts";
import { againstLines, asOfNow } from "../../../core/guardrails/as-of-now.ts";
import { incidentLines, stageWords, waitingPlan } from "../../../core/guardrails/incident-text.ts";
import type { Decision } from "../../../core/model/decision.ts";
import { type Incident, IncidentStage } from "../../../core/model/incident.ts";
import { GateAnswer, type GateReview } from "../../../core/model/plan.ts";
import { incident } from "../../knowledge/incidents.ts";
import { testConfig } from "../assessment/config.ts";
import { NOW, planOf } from "./rule-inputs.ts";

const WHY = "the culprit is one of two";
const decided: Decision = { ...(incident.decision as Decision), needsPerson: [WHY] }; // as: this incident has one
const plan = planOf({ incidentId: incident.id, expiresAt: NOW + 60_000 });
const telling = { now: NOW, open: [], services: {} } as const;

const VERDICTS = { denied: "deny", held: "require_approval" } as const;
const answered = (outcome: GateAnswer["outcome"]): GateAnswer => {
  const verdict = outcome === "denied" || outcome === "held" ? VERDICTS[outcome] : "allow";
  const rules = verdict === "allow" ? [] : [{ rule: "so", verdict, reason: "so" }];
  return { planId: plan.id, outcome, review: { verdict, rules }, results: [], executedAt: null };
};

const PLANS = { none: null, live: plan, expired: { ...plan, expiresAt: NOW }, other: { ...plan, id: "plan-other" } };
const OUTCOMES = [null, ...GateAnswer.shape.outcome.options];

/** Every state that a record can be in, whether or not the watch leads there. */
const CASES = IncidentStage.options.flatMap((stage) =>
  Object.entries(PLANS).flatMap(([which, plan]) =>
    OUTCOMES.map((outcome) => {
      const gate = outcome === null ? null : answered(outcome);
      const one: Incident = { ...incident, decision: decided, stage, plan, gate, outcome: null };
      return [`${stage}, plan ${which}, gate ${outcome ?? "not asked"}`, one] as const;
    }),
  ),
);

describe("approval is asked for only where a plan waits that somebody can approve", () => {
  it.each(CASES)("%s", (_, one) => {
    const said = [...incidentLines(one, telling), stageWords(one, NOW)].join("\n");
    if (waitingPlan(one, NOW) === null) expect(said).not.toMatch(/needs approval/i);
    else expect(said).toContain(`Needs approval: ${WHY}`);
  });

  it("why a person is needed is said without a plan, too", () => {
    const one: Incident = {
      ...incident,
      decision: decided,
      stage: "investigated",
      plan: null,
      gate: null,
      outcome: null,
    };
    expect(incidentLines(one, telling)).toContain(`Needs a person: ${WHY}`);
  });
});

const DENIED: GateReview = {
  verdict: "deny",
  rules: [
    { rule: "stale", verdict: "deny", reason: "it is at v3" },
    { rule: "cooldown", verdict: "require_approval", reason: "rolled back a minute ago" },
    { rule: "aftermath", verdict: "allow", reason: "nothing" },
  ],
};

describe("S15: a rule reads the same in a notice, in status and where a plan is approved", () => {
  it.each([
    [DENIED, "denied"],
    [{ verdict: "require_approval", rules: DENIED.rules.slice(1) } satisfies GateReview, "held"],
  ] as const)("%j", (review, outcome) => {
    const one: Incident = {
      ...incident,
      stage: "waiting-approval",
      plan,
      gate: { planId: plan.id, outcome, review, results: [], executedAt: null },
      outcome: null,
    };
    const wanted = review.rules.flatMap(({ rule, verdict, reason }) =>
      verdict === "allow" ? [] : [`${verdict === "deny" ? "denied" : "held"} by ${rule}: ${reason}`],
    );
    const of = (lines: readonly string[]) =>
      lines.map((line) => line.trim().toLowerCase()).filter((line) => /^(?:denied|held) by /.test(line));
    expect(of(incidentLines(one, telling)), "a notice").toEqual(wanted);
    expect(of(againstLines(asOfNow(review, { pauses: [], now: NOW }))), "status").toEqual(wanted);
    expect(of(planText(plan, testConfig(), review)), "unship approve").toEqual(wanted);
  });
});
