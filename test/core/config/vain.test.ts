import { describe, expect, it } from "vitest";
import { DURATION_PATTERN } from "../../../core/config/durations.ts";
import { explain } from "../../../core/config/explain.ts";
import { configJsonSchema, type JsonSchema } from "../../../core/config/json-schema.ts";
import { formatProblem } from "../../../core/config/load.ts";
import { VAIN_KEYS } from "../../../core/config/vain-keys.ts";
import { changed, loaded, problems, SEED, SOURCES, UNSHIP } from "./fixtures.ts";

const vain = (text: string) => (loaded(text).vain ?? []).map(formatProblem);
// biome-ignore lint/suspicious/noTemplateCurlyInString: this is how the file spells it
const TELLS = 'notifications: { pagerduty: { routing_keys: { oncall: "${LD_API_KEY}" } } }\n';
const POLICY = (conditions: string, more = "") =>
  `${SOURCES}${TELLS}rollback_policies: { p: { conditions: [${conditions}], action: notify_and_recommend, notification: ["pagerduty:oncall"] } }\n${more}`;
const ONE = "{metric: error_rate, threshold: 0.1, duration: 1m}";
const ACTION = (more: string) => `execution: { allowed_actions: [{type: kubectl_rollout_undo, ${more}}]`;

describe("S8: what is configured and can never have its effect is named with its line and what to do", () => {
  it.each([
    [
      "a reminder after the plan is gone",
      POLICY(ONE, "approval: { remind_after: 20m }"),
      /u\.yaml:4:\d+: approval\.remind_after is 20m, so nobody is ever reminded: a plan waits 15m at most.*\(write "14m45s" or less\)/,
    ],
    [
      "a reminder within the last step",
      POLICY(ONE, "approval: { remind_after: 14m50s }"),
      /remind_after is 14m50s, so nobody is ever reminded/,
    ],
    [
      "a reminder of nobody",
      `${SOURCES}approval: { remind_after: 5m }`,
      /remind_after reminds nobody: no policy has a notification/,
    ],
    [
      "an escalation after the plan is gone",
      `${SOURCES}${TELLS}approval: { escalate: [{after: 1h, to: ["pagerduty:oncall"]}] }`,
      /approval\.escalate\[0\]\.after is 1h, so this step is never reached/,
    ],
    [
      "an escalation to a pager without a key",
      `${SOURCES}${TELLS}approval: { escalate: [{after: 9m, to: ["pagerduty:second"]}] }`,
      /escalate\[0\]\.to\[0\] pages nobody: .*routing_keys has no key of this name/,
    ],
    [
      "a notification to Slack without Slack",
      `${SOURCES}rollback_policies: { p: { conditions: [${ONE}], action: notify_and_recommend, notification: ["slack:#a"] } }`,
      /notification\[0\] tells nobody: notifications\.slack is missing/,
    ],
    [
      "a limit by the hour of what needs a person anyway",
      `${SOURCES}${ACTION("max_rollbacks_per_hour: 3")} }`,
      /allowed_actions\[0\]\.max_rollbacks_per_hour limits nothing/,
    ],
    [
      "a limit by the day that the hourly one keeps out of reach",
      `${SOURCES}${ACTION("require_approval: false, max_rollbacks_per_hour: 1")}, guardrails: {max_auto_rollbacks_per_day: 24} }`,
      /max_auto_rollbacks_per_day is 24, and .* allows 24 in 24 hours at most/,
    ],
    ["no cooldown", `${SOURCES}execution: { guardrails: {cooldown_between_rollbacks: 0s} }`, /there is no cooldown/],
    [
      "more rollbacks in a row than can be",
      `${SOURCES}execution: { guardrails: {escalate_to_human_after: 100} }`,
      /escalate_to_human_after is 100/,
    ],
    [
      "a share of all traffic",
      `${SOURCES}execution: { guardrails: {blast_radius: {traffic_share: 1}} }`,
      /traffic_share is 1, and nothing serves more/,
    ],
    [
      "more kinds of evidence than there are",
      `${SOURCES}execution: { guardrails: {evidence_kinds: 8} }`,
      /evidence_kinds is 8, and there are 7 kinds/,
    ],
    [
      "a threshold that a ratio cannot pass",
      POLICY("{metric: error_rate, threshold: 1, duration: 1m}"),
      /threshold is 1, and error_rate is never above it: the condition never holds/,
    ],
    [
      "a threshold below nothing",
      POLICY("{metric: request_rate, threshold: 0, duration: 1m, comparison: less_than}"),
      /threshold is 0, and request_rate is never below it/,
    ],
    [
      "an upper bound at the end of a ratio",
      POLICY("{metric: error_rate, threshold: 0.1, upper_bound: 1, duration: 1m}"),
      /upper_bound is 1.*bounds nothing/,
    ],
    [
      "more failed health checks than fit",
      POLICY("{health_check_failures: 50, consecutive: false}"),
      /health_check_failures is 50, and within five minutes there are 21 samples/,
    ],
    [
      "a certainty that no estimate reaches",
      changed(SEED, ["reasoning_chain.on_anomaly_detected.1.confidence_threshold", 1]),
      /confidence_threshold is 1, which no estimate reaches/,
    ],
    [
      "a verification shorter than what a controller is given",
      `${SOURCES}feedback_loop: { post_rollback: [{verify_metrics_recovered: true, timeout: 3m}] }`,
      /timeout is 3m: where a GitOps controller .* before gitops_wait \(4m\)/,
    ],
    [
      "a controller that is given longer than the verification",
      `${SOURCES}feedback_loop: { post_rollback: [{verify_metrics_recovered: true, gitops_wait: 10m}] }`,
      /gitops_wait is 10m, as long as recovery may take/,
    ],
    [
      "a drift that is never looked at",
      `${SOURCES}feedback_loop: { post_rollback: [{verify_metrics_recovered: true, drift_watch: 1s}] }`,
      /drift_watch is 1s, less than a step/,
    ],
    [
      "a freeze that never ends",
      `${SOURCES}freeze_windows: [{name: f, cron: "0 17 * * *", duration: 24h, rollbacks: deny}]`,
      /freeze_windows\[0\]\.duration is 24h, .* the window never ends, and nothing is ever rolled back/,
    ],
    [
      "a step longer than a plan lives",
      `${SOURCES}watch: { step: 20m }`,
      /watch\.step is 20m: a plan \(15m\) expires before/,
    ],
    [
      "a step of the model longer than its whole run",
      `${SOURCES}model: {provider: openai, model: m, budget: {step_time: 5m}}`,
      /step_time is 5m, more than the whole run may take \(time 1m30s\)/,
    ],
    [
      "a cost that the tokens cannot reach",
      `${SOURCES}model: {provider: openai, model: m, budget: {cost: 9}, prices: {input: 1, output: 10}}`,
      /cost is 9, and all of budget\.tokens cost 0\.6 at most/,
    ],
  ])("%s", (_, text, line) => {
    const others = text.startsWith(SOURCES)
      ? vain(text)
      : vain(text).filter((one) => !/ (tells|pages) nobody/.test(one));
    expect(others).toEqual([expect.stringMatching(line)]);
    expect(explain(loaded(text)).join("\n")).toMatch(line);
  });

  it.each([
    [
      "a reminder, an escalation and limits that have their effect",
      POLICY(ONE, 'approval: { remind_after: 5m, escalate: [{after: 10m, to: ["pagerduty:oncall"]}] }'),
    ],
    ["a freeze that ends", `${SOURCES}freeze_windows: [{name: f, cron: "0 17 * * 5", duration: 63h, rollbacks: deny}]`],
    [
      "a limit by the day below the hourly ones",
      `${SOURCES}${ACTION("require_approval: false, max_rollbacks_per_hour: 1")}, guardrails: {max_auto_rollbacks_per_day: 23} }`,
    ],
    ["nothing written", SOURCES],
  ])("nothing is said of %s", (_, text) => {
    expect(vain(text)).toEqual([]);
    expect(explain(loaded(text)).join("\n")).not.toContain("can never have their effect");
  });

  it("of the example: only that it names people whom nothing reaches yet", () => {
    const found = vain(UNSHIP);
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((line) => !/ (tells|pages) nobody: /.test(line))).toEqual([]);
  });

  it("an escalation of a kind that does not exist is refused, as a notification is", () => {
    const found = problems(`${SOURCES}approval: { escalate: [{after: 9m, to: ["pagerdty:oncall"]}] }`);
    expect(found).toEqual([
      expect.stringMatching(
        /^u\.yaml:2:\d+: approval\.escalate\[0\]\.to\[0\] is "pagerdty:oncall", a kind of target that does not exist \(did you mean "pagerduty:oncall"/,
      ),
    ]);
  });
});

describe("the table of what is vain", () => {
  const keys = [...new Set(figuresIn(configJsonSchema(), ""))].toSorted();

  it("has a rule, or a reason why there is none, for every duration and figure of the schema, and no others", () => {
    const rows = Object.keys(VAIN_KEYS).filter((key) => !/\.(notification|to)\.\*$/.test(key));
    expect(rows.toSorted()).toEqual(keys);
  });
});

/** Paths of all durations and figures, `*` for any key or place in a list. */
function figuresIn(schema: JsonSchema, path: string): readonly string[] {
  const at = (step: string) => (path === "" ? step : `${path}.${step}`);
  const items = schema.items === undefined || Array.isArray(schema.items) ? [] : [schema.items as JsonSchema];
  const further = typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [];
  return [
    ...(schema.pattern === DURATION_PATTERN || schema.type === "number" || schema.type === "integer" ? [path] : []),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, one]) => figuresIn(one, at(key))),
    ...[...items, ...further].flatMap((one) => figuresIn(one, at("*"))),
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((one) => figuresIn(one, path)),
  ];
}
