import { describe, expect, it } from "vitest";
import { isMap, isScalar, isSeq, parseDocument } from "yaml";
import type { Config } from "../../../core/config/config.ts";
import { formatProblem, loadConfig } from "../../../core/config/load.ts";
import { changed as change, SEED } from "./fixtures.ts";

const FILE = "openclaw-agent-config.yaml";
const VARIABLES = { LD_API_KEY: "of-no-importance" };

type Path = readonly (string | number)[];

function load(text: string): Config {
  const loaded = loadConfig(text, FILE, VARIABLES);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join("\n"));
  return loaded.config;
}

/** Paths of every scalar in the seed's file, as `a.b.0.c`. */
function leaves(node: unknown, path: Path = []): readonly string[] {
  if (isMap(node)) return node.items.flatMap(({ key, value }) => leaves(value, [...path, String(key)]));
  if (isSeq(node)) return node.items.flatMap((item, index) => leaves(item, [...path, index]));
  return isScalar(node) ? [path.join(".")] : [];
}

/** Paths at which two configurations differ; a list whose length differs counts as one. */
function differences(a: unknown, b: unknown, path = ""): readonly string[] {
  if (Object.is(a, b)) return [];
  const isPlain = (value: unknown): value is object => typeof value === "object" && value !== null;
  if (!isPlain(a) || !isPlain(b)) return typeof a === "function" && typeof b === "function" ? [] : [path];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return [path];
  return keys.flatMap((key) =>
    differences(Reflect.get(a, key), Reflect.get(b, key), path === "" ? key : `${path}.${key}`),
  );
}

const changed = (...changes: Parameters<typeof change> extends [string, ...infer Rest] ? Rest : never) =>
  change(SEED, ...changes);

const METRICS = "data_sources.metrics";
const AUTO = "rollback_policies.auto_rollback";
const HUMAN = "rollback_policies.human_review";
const CANARY = "rollback_policies.canary_analysis";
const CHAIN = "reasoning_chain.on_anomaly_detected";
const ACTIONS = "execution.allowed_actions";
const LIMITS = "execution.guardrails";
const AFTER = "feedback_loop.post_rollback";

/** Each value of the seed's file: another value for it, and the fields of Config that then differ. */
const EFFECTS: readonly (readonly [path: string, value: unknown, fields: readonly string[]])[] = [
  [`${METRICS}.endpoint`, "http://other:9090", ["dataSources.metrics.endpoint"]],
  [`${METRICS}.queries.error_rate`, "vector(1)", ["dataSources.metrics.queries.error_rate.query"]],
  [`${METRICS}.queries.p99_latency`, "vector(1)", ["dataSources.metrics.queries.p99_latency.query"]],
  ["data_sources.deployments.endpoint", "http://other", ["dataSources.deployments.0.endpoint"]],
  ["data_sources.logs.endpoint", "http://other", ["dataSources.logs.endpoint"]],
  ["data_sources.logs.index_pattern", "other-*", ["dataSources.logs.indexPattern"]],
  [
    "data_sources.feature_flags.api_key",
    "in-plain-text",
    [
      "dataSources.featureFlags.apiKey.from",
      "dataSources.featureFlags.apiKey.name",
      "dataSources.featureFlags.apiKey.value",
    ],
  ],
  [`${AUTO}.conditions.0.metric`, "cpu_usage", ["policies.0.conditions.0.metric", "policies.0.conditions.0.text"]],
  [`${AUTO}.conditions.0.threshold`, 0.07, ["policies.0.conditions.0.threshold", "policies.0.conditions.0.text"]],
  [`${AUTO}.conditions.0.duration`, "4m", ["policies.0.conditions.0.durationMs", "policies.0.conditions.0.text"]],
  [`${AUTO}.conditions.1.metric`, "p50_latency", ["policies.0.conditions.1.metric", "policies.0.conditions.1.text"]],
  [`${AUTO}.conditions.1.threshold`, 2500, ["policies.0.conditions.1.threshold", "policies.0.conditions.1.text"]],
  [`${AUTO}.conditions.1.duration`, "90s", ["policies.0.conditions.1.durationMs", "policies.0.conditions.1.text"]],
  [
    `${AUTO}.conditions.2.health_check_failures`,
    4,
    ["policies.0.conditions.2.failures", "policies.0.conditions.2.text"],
  ],
  [`${AUTO}.conditions.2.consecutive`, false, ["policies.0.conditions.2.consecutive", "policies.0.conditions.2.text"]],
  // Who is told of automatic rollbacks is told of canaries that fail.
  [`${AUTO}.action`, "notify_and_recommend", ["policies.0.action", "policies.2.notification"]],
  [`${AUTO}.notification.0`, "slack:#other", ["policies.0.notification.0", "policies.2.notification.0"]],
  [`${AUTO}.notification.1`, "pagerduty:other", ["policies.0.notification.1", "policies.2.notification.1"]],
  [`${HUMAN}.conditions.0.metric`, "memory_usage", ["policies.1.conditions.0.metric", "policies.1.conditions.0.text"]],
  [`${HUMAN}.conditions.0.threshold`, 0.03, ["policies.1.conditions.0.threshold", "policies.1.conditions.0.text"]],
  [`${HUMAN}.conditions.0.upper_bound`, 0.04, ["policies.1.conditions.0.upperBound", "policies.1.conditions.0.text"]],
  [`${HUMAN}.conditions.0.duration`, "6m", ["policies.1.conditions.0.durationMs", "policies.1.conditions.0.text"]],
  [`${HUMAN}.action`, "rollback_immediate", ["policies.1.action"]],
  [`${HUMAN}.notification.0`, "slack:#other", ["policies.1.notification.0"]],
  [`${CANARY}.enabled`, false, ["canary.enabled", "policies"]],
  [`${CANARY}.baseline_duration`, "20m", ["canary.baselineDurationMs"]],
  ...[0, 1, 2, 3, 4].map(
    (index) =>
      [`${CANARY}.comparison_metrics.${index}`, "request_rate", [`canary.comparisonMetrics.${index}`]] as const,
  ),
  [`${CANARY}.minimum_confidence`, 0.9, ["canary.minimumConfidence"]],
  [`${CANARY}.auto_promote_on_pass`, false, ["canary.autoPromoteOnPass"]],
  [`${CANARY}.auto_rollback_on_fail`, false, ["canary.autoRollbackOnFail", "policies.2.action"]],
  [`${CHAIN}.0.action`, "query deployments within last 2 hours", ["chain.0.action", "chain.0.windowMs"]],
  [`${CHAIN}.1.action`, "other words", ["chain.1.action"]],
  [`${CHAIN}.1.confidence_threshold`, 0.9, ["chain.1.confidenceThreshold"]],
  [`${CHAIN}.2.action`, "other words", ["chain.2.action"]],
  [`${CHAIN}.3.action`, "other words", ["chain.3.action"]],
  [`${CHAIN}.4.action`, "other words", ["chain.4.action"]],
  [`${CHAIN}.5.action`, "select from [rollback, no_action]", ["chain.5.action", "chain.5.choices"]],
  [`${CHAIN}.5.require_human_approval_if`, "targets > 1", ["chain.5.requireHumanApprovalIf.text"]],
  [`${ACTIONS}.0.namespaces.0`, "staging", ["allowedActions.0.namespaces.0"]],
  [`${ACTIONS}.0.require_approval`, true, ["allowedActions.0.requireApproval"]],
  [`${ACTIONS}.0.max_rollbacks_per_hour`, 1, ["allowedActions.0.maxRollbacksPerHour"]],
  [`${ACTIONS}.1.applications.0`, "checkout", ["allowedActions.1.applications.0"]],
  [`${ACTIONS}.1.require_approval`, true, ["allowedActions.1.requireApproval"]],
  [`${ACTIONS}.2.environments.0`, "staging", ["allowedActions.2.environments.0"]],
  [`${ACTIONS}.2.require_approval`, true, ["allowedActions.2.requireApproval"]],
  [`${LIMITS}.max_auto_rollbacks_per_day`, 1, ["guardrails.maxAutoRollbacksPerDay"]],
  [`${LIMITS}.cooldown_between_rollbacks`, "1h", ["guardrails.cooldownMs"]],
  [`${LIMITS}.escalate_to_human_after`, 1, ["guardrails.escalateToHumanAfter"]],
  [`${LIMITS}.never_auto_rollback.0`, "other", ["guardrails.neverAutoRollback.0"]],
  [`${LIMITS}.never_auto_rollback.1`, "other", ["guardrails.neverAutoRollback.1"]],
  [`${AFTER}.0.verify_metrics_recovered`, false, ["feedback.verifyRecovered"]],
  [`${AFTER}.0.timeout`, "20m", ["feedback.timeoutMs"]],
  [`${AFTER}.1.if_not_recovered.message`, "Other words.", ["feedback.ifNotRecovered.message"]],
  [`${AFTER}.2.log_outcome.store`, "other", ["feedback.logOutcome.store"]],
  ...[0, 1, 2, 3].map(
    (index) =>
      [
        `${AFTER}.2.log_outcome.include.${index}`,
        index === 0 ? "recovery_confirmed" : "deployment_details",
        [`feedback.logOutcome.include.${index}`],
      ] as const,
  ),
  [`${AFTER}.3.auto_generate_postmortem_draft`, false, ["feedback.postmortemDraft"]],
];

/** Values that choose between kinds of entry: changed together with what belongs to the other kind. */
const KINDS: readonly (readonly [path: string, changes: readonly (readonly [string, unknown])[], field: string])[] = [
  [
    `${METRICS}.type`,
    [[METRICS, { type: "scrape", targets: [{ url: "http://127.0.0.1:1/metrics" }] }]],
    "dataSources.metrics.type",
  ],
  [
    "data_sources.deployments.type",
    [["data_sources.deployments", { type: "kubernetes" }]],
    "dataSources.deployments.0.type",
  ],
  ["data_sources.logs.type", [["data_sources.logs", { type: "jsonl", paths: ["a.jsonl"] }]], "dataSources.logs.type"],
  [
    "data_sources.feature_flags.type",
    [["data_sources.feature_flags", { type: "unleash", endpoint: "http://u", token: "t" }]],
    "dataSources.featureFlags.type",
  ],
  [
    `${AUTO}.conditions.0.comparison`,
    [
      [`${METRICS}.queries.orders`, { query: "orders", worse: "down" }],
      [`${AUTO}.conditions.0.metric`, "orders"],
      [`${AUTO}.conditions.0.comparison`, "less_than"],
    ],
    "policies.0.conditions.0.comparison",
  ],
  [
    `${AUTO}.conditions.1.comparison`,
    [
      [`${METRICS}.queries.orders`, { query: "orders", worse: "down" }],
      [`${AUTO}.conditions.1.metric`, "orders"],
      [`${AUTO}.conditions.1.comparison`, "less_than"],
    ],
    "policies.0.conditions.1.comparison",
  ],
  ...[0, 1, 2, 3, 4, 5].map(
    (index) => [`${CHAIN}.${index}.step`, [[`${CHAIN}.${index}`, undefined]], "chain"] as const,
  ),
  ...[0, 1, 2].map(
    (index) => [`${ACTIONS}.${index}.type`, [[`${ACTIONS}.${index}`, undefined]], "allowedActions"] as const,
  ),
  [`${ACTIONS}.3.type`, [[`${ACTIONS}.3`, undefined]], "allowedActions"],
];

/** Values that can only be what they are: anything else is refused, and the line says so. */
const FIXED: readonly (readonly [path: string, value: unknown, problem: string])[] = [
  [`${ACTIONS}.3.require_approval`, false, "execution.allowed_actions[3].require_approval cannot be false"],
  [`${AFTER}.1.if_not_recovered.action`, "ignore", 'if_not_recovered.action cannot be "ignore"'],
];

describe("the seed's file", () => {
  it("loads unchanged when LD_API_KEY is set", () => {
    expect(loadConfig(SEED, FILE, VARIABLES).ok).toBe(true);
  });

  it("is refused with the key and the line when LD_API_KEY is not set", () => {
    const loaded = loadConfig(SEED, FILE, {});
    expect(loaded.ok ? [] : loaded.problems.map(formatProblem)).toEqual([
      `${FILE}:18:14: data_sources.feature_flags.api_key needs the variable LD_API_KEY, which is not set (export LD_API_KEY=…)`,
    ]);
  });

  it("needs no secret where no source will be asked, as in a replay", () => {
    expect(loadConfig(SEED, FILE, {}, { secrets: "unused" }).ok).toBe(true);
  });

  it("has no value that the tables below leave out", () => {
    const covered = [...EFFECTS, ...KINDS, ...FIXED].map(([path]) => path);
    expect([...covered].sort()).toEqual([...leaves(parseDocument(SEED).contents)].sort());
  });

  it.each(EFFECTS)("%s changed to %j changes exactly its own fields", (path, value, fields) => {
    // The lines of what can never have its effect move when the file is written anew: `vain.test.ts` holds those.
    const { vain: _, ...before } = load(SEED);
    const { vain: __, ...after } = load(changed([path, value]));
    expect([...differences(before, after)].sort()).toEqual([...fields].sort());
  });

  it.each(KINDS)("%s chooses the kind of its entry", (_, changes, field) => {
    expect(differences(load(SEED), load(changed(...changes)))).toContain(field);
  });

  it.each(FIXED)("%s changed to %j is refused", (path, value, problem) => {
    const loaded = loadConfig(changed([path, value]), FILE, VARIABLES);
    expect(loaded.ok ? [] : loaded.problems.map(formatProblem)).toEqual([expect.stringContaining(problem)]);
  });

  it("names its policies, in the file's order, and the canary's last", () => {
    expect(load(SEED).policies.map(({ name }) => name)).toEqual(["auto_rollback", "human_review", "canary_analysis"]);
    expect(load(SEED.replace("auto_rollback:", "quick:")).policies.map(({ name }) => name)).toEqual([
      "quick",
      "human_review",
      "canary_analysis",
    ]);
  });

  it("runs in observe, because it does not say otherwise", () => {
    expect(load(SEED)).toMatchObject({ mode: "observe", modeIsDefault: true });
  });

  it("cannot be changed after it is loaded", () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(load(SEED))).toBe(true);
  });
});
