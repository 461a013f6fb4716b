import { beforeAll, describe, expect, it } from "vitest";
import { assess, conclude, stepAnswers } from "../../../core/assessment/assessor.ts";
import type { Config } from "../../../core/config/config.ts";
import { type CaseFile, SEED_STEPS, type SeedStep, type StepAnswers } from "../../../core/model/assessment.ts";
import { caseAt } from "./case-at.ts";
import { testConfig } from "./config.ts";
import { base } from "./trap.ts";
import { deploy } from "./world.ts";

/** A contract break: the provider's deploy, then the consumer's that needs it, then trouble at the provider. */
const world = {
  ...base,
  changes: [
    deploy("stock", 60, { provides: { api: "v2" } }, 90),
    deploy("cart", 240, { requires: { stock: "v1.1.0" } }, 90),
  ],
  effects: [{ service: "stock", fromS: 340, errors: 0.3 }],
};
const services = { stock: {}, cart: {} };
const workload = {
  namespace: "production",
  workload: null,
  argocdApplication: null,
  flags: [],
  criticality: "medium",
  revenuePerMinute: null,
  routes: [],
  mode: null,
} as const;
const full = testConfig({
  services: Object.fromEntries(Object.keys(services).map((name) => [name, workload])),
});
const without = (left: SeedStep): Config => ({ ...full, chain: full.chain.filter(({ step }) => step !== left) });

let file: CaseFile;
beforeAll(async () => {
  file = await caseAt(world, 450, full);
});

describe("the whole chain", () => {
  it("takes the coordinated set back, whoever depends on the new contract first", () => {
    const { decision, targets, obstacles } = assess(file, full);
    expect(decision.action).toBe("rollback");
    expect(decision.culprit?.changeId).toBe("deploy-stock-60");
    expect(decision.changeIds).toEqual(["deploy-cart-240", "deploy-stock-60"]);
    expect(targets.map(({ changeId }) => changeId)).toEqual(decision.changeIds);
    expect(obstacles).toEqual([]);
    expect(decision.automatic).toBe(true);
  });

  it("gives the same when its steps are called one by one, each with the answers before it", () => {
    let answers: StepAnswers = {};
    for (const step of SEED_STEPS) answers = { ...answers, [step]: stepAnswers[step](file, full, answers) };
    const whole = assess(file, full);
    expect(answers).toEqual(whole.answers);
    expect(conclude(file, full, whole.services, answers)).toEqual(whole);
  });

  it("is pure: the same case gives the same assessment, and leaves the case as it was", () => {
    const copy = structuredClone(file);
    expect(assess(file, full)).toEqual(assess(copy, full));
    expect(file).toEqual(copy);
  });
});

describe("a step that is left out", () => {
  it("identify_recent_deployments: no change can be named, people decide", () => {
    const { decision, unverified } = assess(file, without("identify_recent_deployments"));
    expect(decision).toMatchObject({ action: "no_action", culprit: null });
    expect(decision.needsPerson.length).toBeGreaterThan(0);
    expect(unverified.join()).toContain("recent changes were not searched for");
  });

  it("correlate_timing: no culprit can be named, people decide", () => {
    const { decision, unverified } = assess(file, without("correlate_timing"));
    expect(decision).toMatchObject({ action: "no_action", culprit: null });
    expect(decision.needsPerson.length).toBeGreaterThan(0);
    expect(unverified.join()).toContain("changes were not compared");
  });

  it("check_affected_services: how many are hurt is unknown, so the approval expression holds", () => {
    const { decision, unverified } = assess(file, without("check_affected_services"));
    expect(decision.action).toBe("rollback");
    expect(decision.needsPerson.join()).toContain("unknown");
    expect(unverified.join()).toContain("affected services were not searched for");
  });

  it("check_dependency_graph: only the culprit itself is planned, and that is said", () => {
    const { decision, targets, unverified } = assess(file, without("check_dependency_graph"));
    expect(decision.changeIds).toEqual(["deploy-stock-60"]);
    expect(targets).toHaveLength(1);
    expect(unverified.join()).toContain("only the culprit itself is planned");
  });

  it("evaluate_business_impact: impact is unknown, so the approval expression holds", () => {
    const { decision, unverified } = assess(file, without("evaluate_business_impact"));
    expect(decision.action).toBe("rollback");
    expect(decision.needsPerson.join()).toContain("unknown");
    expect(unverified.join()).toContain("business impact was not evaluated");
  });

  it("recommend_action: nothing is recommended, people decide", () => {
    const { decision, targets } = assess(file, without("recommend_action"));
    expect(decision.action).toBe("no_action");
    expect(decision.needsPerson).toEqual(["no step recommends an action: needs a person"]);
    expect(targets).toEqual([]);
  });
});

describe("what the configuration says of the steps", () => {
  const step = (name: SeedStep, replaced: Partial<Config["chain"][number]>): Config => ({
    ...full,
    chain: full.chain.map((one) => (one.step === name ? { ...one, ...replaced } : one)),
  });

  it("a window counts back from the onset, not from now", () => {
    const narrow = step("identify_recent_deployments", { windowMs: 200_000 });
    const { changeIds } = stepAnswers.identify_recent_deployments(file, narrow, {});
    expect(changeIds).toContain("deploy-stock-60"); // it finished 190 s before the onset, 300 s before now
    const tooNarrow = step("identify_recent_deployments", { windowMs: 60_000 });
    const { services } = assess(file, full);
    const others = { services: services.filter((service) => service !== "stock") };
    expect(stepAnswers.identify_recent_deployments(file, tooNarrow, {}, others).changeIds).toEqual(["deploy-cart-240"]);
  });

  it("changes of services that are hurt are weighed for three hours, and that is said", () => {
    const narrow = step("identify_recent_deployments", { windowMs: 60_000 });
    const { changeIds, widened } = stepAnswers.identify_recent_deployments(file, narrow, {});
    expect(changeIds).toContain("deploy-stock-60");
    expect(widened).toContain("3h");
    const aged = file.changes.map((one) => ({
      ...one,
      startedAt: one.startedAt - 4 * 3_600_000,
      finishedAt: one.startedAt - 4 * 3_600_000 + 60_000,
    }));
    expect(stepAnswers.identify_recent_deployments({ ...file, changes: aged }, narrow, {})).toMatchObject({
      changeIds: [],
      widened: null,
    });
  });

  it("a threshold is the probability that the culprit must reach", () => {
    const { decision } = assess(file, step("correlate_timing", { confidenceThreshold: 0.9999 }));
    expect(decision.action).toBe("no_action");
    expect(decision.culprit?.changeId).toBe("deploy-stock-60");
    expect(decision.needsPerson.join()).toContain("below the configured confidence");
  });

  it("a choice that is not offered is not taken", () => {
    const { decision } = assess(file, step("recommend_action", { choices: ["hotfix_recommendation", "no_action"] }));
    expect(decision.action).toBe("no_action");
    expect(decision.needsPerson.join()).toContain("rollback is not among the choices");
  });

  it("without a firing automatic condition a person must agree", () => {
    const human = { ...full, policies: full.policies.filter(({ name }) => name === "human_review") };
    const later = { ...file, conditions: file.conditions.filter(({ policy }) => policy === "human_review") };
    const { decision } = assess(later, human);
    expect(decision).toMatchObject({ action: "rollback", automatic: false });
    expect(decision.needsPerson.join()).toContain("no automatic policy condition holds");
  });

  it("a source of changes that did not answer needs a person: it could have named another cause", () => {
    const gaps = [
      {
        of: "changes",
        how: "unanswered",
        source: "argocd",
        what: "changes",
        because: "it gave no usable answer",
      } as const,
    ];
    const { decision, unverified } = assess({ ...file, gaps }, full);
    expect(decision.needsPerson.join()).toContain("argocd");
    expect(unverified.join()).toContain("argocd");
  });

  it("a source of logs that did not answer does not", () => {
    const gaps = [
      { of: "logs", how: "unanswered", source: "elastic", what: "logs", because: "it gave no usable answer" } as const,
    ];
    expect(assess({ ...file, gaps }, full).decision.needsPerson.join()).not.toContain("elastic");
  });
});
