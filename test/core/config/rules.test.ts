// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../core/config/load.ts";
import { scaleOfConfigured } from "../../../core/config/units.ts";
import { WELL_KNOWN_METRICS } from "../../../core/model/signal.ts";
import { changed, latency, loaded, problems, SEED, SOURCES, STEPS } from "./fixtures.ts";

const policy = (condition: string) =>
  `${SOURCES}rollback_policies: {auto: {conditions: [${condition}], action: rollback_immediate}}\n`;

/** The rules of the configuration that a loader must keep, each as a sentence. */
describe("a configuration", () => {
  it("keeps every condition of a policy, in the file's order: they are alternatives", () => {
    expect(loaded(SEED).policies[0]?.conditions.map(({ kind }) => kind)).toEqual(["threshold", "threshold", "health"]);
  });

  it("reads duration as Prometheus' `for`: always written, and zero is allowed", () => {
    expect(problems(policy("{metric: error_rate, threshold: 0.05}"))).toEqual([
      expect.stringContaining(
        "conditions[0] lacks duration (How long it must hold without a break, as Prometheus' `for`",
      ),
    ]);
    expect(
      loaded(policy("{metric: error_rate, threshold: 0.05, duration: 0s}")).policies[0]?.conditions[0],
    ).toMatchObject({ durationMs: 0 });
  });

  it("keeps upper_bound beside the threshold, so that no gap lies between two zones", () => {
    const [auto, human] = loaded(SEED).policies;
    expect(human?.conditions[0]).toMatchObject({ threshold: 0.02, upperBound: 0.05 });
    expect(auto?.conditions[0]).toMatchObject({ threshold: 0.05, upperBound: null });
  });

  it("takes a statistical condition, which has neither threshold nor duration", () => {
    expect(loaded(policy("{regression: {metric: error_rate, confidence: 0.99}}")).policies[0]?.conditions).toEqual([
      {
        kind: "regression",
        metric: "error_rate",
        confidence: 0.99,
        text: "error_rate worse than its past, confidence 0.99",
      },
    ]);
    expect(problems(policy("{regression: {metric: error_rate, confidence: 0.99}, duration: 3m}"))).toEqual([
      expect.stringContaining('there is no key "duration"'),
    ]);
  });

  it("counts failed health checks in a row, unless it says that they need not be", () => {
    expect(loaded(policy("{health_check_failures: 3}")).policies[0]?.conditions[0]).toMatchObject({
      failures: 3,
      consecutive: true,
    });
  });

  it("measures the seed's p99 in ms, though its query yields seconds: its 2000 are two seconds", () => {
    const { dataSources, policies } = loaded(SEED);
    const query = dataSources.metrics.queries.p99_latency;
    expect(query !== undefined && scaleOfConfigured("p99_latency", query)).toBe(1000);
    expect(policies[0]?.conditions[1]).toMatchObject({ threshold: 2000 });
  });

  it("lets a query say its unit", () => {
    const query = loaded(latency("{query: p99, unit: us}", 2000)).dataSources.metrics.queries.p99_latency;
    expect(query !== undefined && scaleOfConfigured("p99_latency", query)).toBeCloseTo(0.001, 12);
  });

  it.each(Object.keys(WELL_KNOWN_METRICS))("may name %s in a policy without a query for it", (metric) => {
    expect(problems(policy(`{regression: {metric: ${metric}, confidence: 0.99}}`))).toEqual([]);
  });

  it("resolves no secret: what stands in it is where each comes from", () => {
    expect(loaded(SEED, { LD_API_KEY: "x" }).dataSources.featureFlags).toEqual({
      type: "launchdarkly",
      endpoint: "https://app.launchdarkly.com",
      apiKey: { from: "env", name: "LD_API_KEY" },
      project: "default",
      environment: "production",
    });
  });

  it("takes the window and the choices from the words of its steps", () => {
    const { chain } = loaded(SEED);
    expect(chain[0]?.windowMs).toBe(30 * 60_000);
    expect(chain[5]?.choices).toEqual(["rollback", "feature_flag_disable", "hotfix_recommendation", "no_action"]);
  });

  it("leaves every choice open where the last step names none", () => {
    const text = `${STEPS}    - {step: recommend_action, action: recommend what to do}\n`;
    expect(loaded(text).chain[0]?.choices).toBeNull();
  });

  it("holds its approval expression as a function of facts, checked when it is loaded", () => {
    const expression = loaded(SEED).chain[5]?.requireHumanApprovalIf;
    const facts = { business_impact: "high", affected_services: 3, confidence: 1, targets: 1, error_rate: 0 } as const;
    expect(expression?.holds(facts).holds).toBe(false);
    expect(expression?.holds({ ...facts, business_impact: "critical" }).holds).toBe(true);
    expect(expression?.holds({ ...facts, business_impact: null }).holds).toBe(true);
  });

  it("counts budgets as the seed says them", () => {
    const { guardrails, allowedActions } = loaded(SEED);
    expect(allowedActions.map(({ maxRollbacksPerHour }) => maxRollbacksPerHour)).toEqual([3, null, null, null]);
    expect(guardrails).toEqual({
      maxAutoRollbacksPerDay: 5,
      cooldownMs: 600_000,
      cooldownScope: "service",
      escalateToHumanAfter: 2,
      neverAutoRollback: ["database-migration-service", "billing-service"],
    });
  });

  it("never lets a database migration go back without a person", () => {
    const without = changed(SEED, ["execution.allowed_actions.3.require_approval", undefined]);
    expect(loaded(without).allowedActions[3]).toMatchObject({
      type: "database_migration_rollback",
      requireApproval: true,
    });
  });

  it("is the same, byte for byte, for the same text and variables", () => {
    expect(JSON.stringify(loaded(SEED))).toBe(JSON.stringify(loaded(SEED)));
  });

  it("with one mistake gives no configuration at all", () => {
    const result = loadConfig(`${SEED}modee: auto\n`, "u.yaml", { LD_API_KEY: "k" });
    expect(result).toEqual({
      ok: false,
      problems: [
        {
          file: "u.yaml",
          line: 112,
          column: 1,
          message: 'there is no key "modee" at the top',
          hint: "did you mean mode?",
        },
      ],
    });
  });
});
