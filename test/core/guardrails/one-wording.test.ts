import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planText } from "../../../agent/cli/plan-text.ts";
import { againstLines, asOfNow } from "../../../core/guardrails/as-of-now.ts";
import { incidentLines, unansweredText } from "../../../core/guardrails/incident-text.ts";
import { planCaseLines } from "../../../core/guardrails/waiting-plans.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { ActionType, type GateAnswer, type GateReview, takesBack } from "../../../core/model/plan.ts";
import { incident } from "../../knowledge/incidents.ts";
import { testConfig } from "../assessment/config.ts";

const { plan, gate } = incident;
if (plan === null || gate === null) throw new Error("the incident has a plan");
const now = plan.createdAt + 1_000;
/** Of rules whose end is told apart there is a test of its own (`asOfNow`). */
const RULES = ["mode", "capacity", "human-approval", "blast-radius", "cooldown"] as const;
const review: fc.Arbitrary<GateReview> = fc
  .array(fc.constantFrom("allow", "require_approval", "deny"), { minLength: 5, maxLength: 5 })
  .map((verdicts) => ({
    verdict: verdicts.includes("deny") ? "deny" : verdicts.includes("require_approval") ? "require_approval" : "allow",
    rules: RULES.map((rule, index) => ({ rule, verdict: verdicts[index] ?? "allow", reason: `why ${rule} says so` })),
  }));

/** What each surface says of one review of a plan that waits or is denied. */
const surfaces = (given: GateReview): Readonly<Record<string, readonly string[]>> => {
  const outcome = given.verdict === "deny" ? "denied" : "held";
  const answer: GateAnswer = { ...gate, outcome, review: given, results: [], executedAt: null };
  const open: Incident = {
    ...{ ...incident, stage: "waiting-approval", plan, gate: answer },
    ...{ outcome: null, recovery: null, closedAt: null },
  };
  const standing = { pauses: [], now };
  const one = { plan, review: given, answers: [], submitted: false, isHeldAgain: false, useless: null };
  const at = { isGateApart: false, isWatched: true };
  return {
    "a notice": incidentLines(open, { now, open: [], services: {} }),
    "status, of an incident": againstLines(asOfNow(given, standing)),
    "status, of a plan": planCaseLines(one, { standing, at }),
    "approve, before it asks": planText(plan, testConfig(), given),
  };
};

describe("S15: one review reads the same on every surface, by the verdict of each rule", () => {
  it("whatever the rules say of a plan", () => {
    fc.assert(
      fc.property(review, (given) => {
        for (const [surface, lines] of Object.entries(surfaces(given)))
          for (const { rule, verdict, reason } of given.rules) {
            const said = lines.filter((line) => line.includes(reason)).map((line) => line.trim().toLowerCase());
            const word = verdict === "deny" ? "denied" : "held";
            expect(said, surface).toEqual(verdict === "allow" ? [] : [`${word} by ${rule}: ${reason}`]);
          }
      }),
    );
  });

  it.each([
    ["a plan", plan, "Needs approval: cart is important"],
    ["no plan", null, "Needs a person: cart is important"],
  ])("and where there is %s people read what they are to do", (_, given, line) => {
    const { decision } = incident;
    if (decision === null) throw new Error("the incident is decided");
    const asking: Incident = {
      ...{ ...incident, stage: "waiting-approval", outcome: null, plan: given },
      gate: given === null ? null : { ...gate, outcome: "held", results: [], executedAt: null },
      decision: { ...decision, needsPerson: ["cart is important"] },
    };
    expect(incidentLines(asking, { now, open: [], services: {} })).toContain(line);
  });
});

describe("why a plan needs a person", () => {
  const text = "business_impact > high OR affected_services > 3";
  const needs = `impact medium, 6 services affected: the file asks for approval if "${text}"`;
  const reason = `impact medium, 5 services affected: the file asks for approval if "${text}"; a source did not answer`;
  const open = (rules: GateReview["rules"]): Incident => ({
    ...{ ...incident, stage: "waiting-approval", plan, outcome: null, recovery: null, closedAt: null },
    gate: { ...gate, outcome: "held", review: { verdict: "require_approval", rules }, results: [], executedAt: null },
    decision: incident.decision && { ...incident.decision, needsPerson: [needs, "a source did not answer"] },
  });
  const said = (rules: GateReview["rules"], what: string) =>
    incidentLines(open(rules), { now, open: [], services: {} }).filter((line) => line.includes(what));

  it("is in a notice once, by the rule that says it, whatever the figures were by then", () => {
    const rules = [{ rule: "human-approval", verdict: "require_approval", reason }] as const;
    expect(said([...rules], text)).toEqual([`Held by human-approval: ${reason}`]);
    expect(said([...rules], "a source did not answer")).toHaveLength(1);
  });

  it("and by the decision where no rule says it", () => {
    expect(said([{ rule: "human-approval", verdict: "allow", reason }], text)).toEqual([`Needs approval: ${needs}`]);
    expect(said([], "a source did not answer")).toEqual(["Needs approval: a source did not answer"]);
  });
});

describe("S4: what becomes of a plan that nobody answers", () => {
  it.each(
    ActionType.options.flatMap((action) => ["watch", "mcp:stdio:x"].map((proposedBy) => [action, proposedBy] as const)),
  )(
    "%s, proposed by %s: nothing is executed, and another plan comes only of the watch's own rollbacks",
    (action, proposedBy) => {
      const targets = plan.targets.map((target) => ({ ...target, action }));
      const again = proposedBy === "watch" && takesBack({ targets });
      const one = { ...plan, proposedBy, targets };
      expect(unansweredText(one)).toBe(
        `unanswered, nothing is executed${again ? "; the watch files a new plan while it is needed" : ""}`,
      );
    },
  );
});
