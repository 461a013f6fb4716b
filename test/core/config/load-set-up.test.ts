// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe, expect, it } from "vitest";
import { problems, type Row, SOURCES, STEPS } from "./fixtures.ts";

const CHAIN: readonly Row[] = [
  [
    "a step that does not exist",
    `${STEPS}    - {step: correlate_timings, action: x}\n`,
    'u.yaml:4:14: reasoning_chain.on_anomaly_detected[0].step cannot be "correlate_timings" (did you mean correlate_timing?)',
  ],
  [
    "a step that stands twice",
    `${STEPS}    - {step: correlate_timing, action: x}\n    - {step: correlate_timing, action: y}\n`,
    "u.yaml:5:14: reasoning_chain.on_anomaly_detected[1].step is correlate_timing, which is given above already (remove one of them)",
  ],
  [
    "a step before the one whose answer it needs",
    `${STEPS}    - {step: recommend_action, action: x}\n    - {step: correlate_timing, action: y}\n`,
    "u.yaml:5:14: reasoning_chain.on_anomaly_detected[1].step is correlate_timing, which comes after recommend_action (move it above recommend_action, which builds on it)",
  ],
  [
    "a window in no unit of time",
    `${STEPS}    - {step: identify_recent_deployments, action: query the last 30 minuts}\n`,
    'u.yaml:4:69: reasoning_chain.on_anomaly_detected[0].action names a window that cannot be read: "minuts" is no unit of time (did you mean 30 minutes?)',
  ],
  [
    "no window at all",
    `${STEPS}    - {step: identify_recent_deployments, action: query deployments}\n`,
    'u.yaml:4:51: reasoning_chain.on_anomaly_detected[0].action names no window (say how far to search back: "query deployments within last 30 minutes")',
  ],
  [
    "a choice that does not exist",
    `${STEPS}    - {step: recommend_action, action: "select from [rolback, no_action]"}\n`,
    'u.yaml:4:54: reasoning_chain.on_anomaly_detected[0].action offers "rolback", which is no action (did you mean rollback?)',
  ],
  [
    "a threshold on a step that has none",
    `${STEPS}    - {step: check_affected_services, action: x, confidence_threshold: 0.5}\n`,
    "u.yaml:4:50: reasoning_chain.on_anomaly_detected[0].confidence_threshold has no effect on check_affected_services (move it to correlate_timing)",
  ],
  [
    "a confidence threshold above 1",
    `${STEPS}    - {step: correlate_timing, action: x, confidence_threshold: 80}\n`,
    "u.yaml:4:65: reasoning_chain.on_anomaly_detected[0].confidence_threshold cannot be 80 (a ratio from 0 to 1: did you mean 0.8?)",
  ],
  [
    "an expression that names no fact, with the column inside it",
    `${STEPS}    - step: recommend_action\n      action: x\n      require_human_approval_if: "business_impact > high OR affected_service > 3"\n`,
    'u.yaml:6:61: reasoning_chain.on_anomaly_detected[0].require_human_approval_if cannot be read: there is no fact "affected_service" (did you mean affected_services?)',
  ],
  [
    "an expression that is none, in a block text",
    `${STEPS}    - step: recommend_action\n      action: x\n      require_human_approval_if: >-\n        targets >\n`,
    expect.stringMatching(/^u\.yaml:6:34: .* cannot be read: the end found where a fact must be/),
  ],
];

const HASH = "a".repeat(64);
const SETUP: readonly Row[] = [
  [
    "two approvers of one name",
    `${SOURCES}approvers:\n  - {name: ada, token_sha256: ${HASH}}\n  - {name: Ada, token_sha256: ${"b".repeat(64)}}\n`,
    'u.yaml:4:12: approvers[1].name is "Ada", which is given above already (each person once)',
  ],
  [
    "two approvers with one token",
    `${SOURCES}approvers:\n  - {name: ada, token_sha256: ${HASH}}\n  - {name: bob, token_sha256: ${HASH.toUpperCase()}}\n`,
    "u.yaml:4:31: approvers[1].token_sha256 is the same as that of approvers[0] (each person has a token of their own)",
  ],
  [
    "an approver of a service that does not exist",
    `${SOURCES}services: {checkout: {}}\napprovers: [{name: ada, token_sha256: ${HASH}, services: [chekout]}]\n`,
    'u.yaml:3:116: approvers[0].services[0] is "chekout", which is no service of this file (did you mean checkout?)',
  ],
  [
    "a protected name with a typo",
    `${SOURCES}services: {billing: {}}\nexecution: {guardrails: {never_auto_rollback: [biling]}}\n`,
    'u.yaml:3:48: execution.guardrails.never_auto_rollback[0] is "biling", which matches nothing in this file (did you mean billing? if not, name it under services)',
  ],
  [
    "an external node that no edge names",
    `${SOURCES}topology: {edges: [[a, payment-provider]], external: [payment-provder]}\n`,
    'u.yaml:2:55: topology.external[0] is "payment-provder", which no edge names (did you mean payment-provider?)',
  ],
  [
    "an external node that is a service",
    `${SOURCES}services: {b: {}}\ntopology: {edges: [[a, b]], external: [b]}\n`,
    'u.yaml:3:40: topology.external[0] is "b", which services describes as one of yours (remove it from one of the two)',
  ],
  [
    "an edge of three",
    `${SOURCES}topology: {edges: [[a, b, c]]}\n`,
    "u.yaml:2:20: topology.edges[0] has the wrong length (at most 2 entries)",
  ],
  [
    "scrape without a target",
    "data_sources: {metrics: {type: scrape}}\n",
    "u.yaml:1:16: data_sources.metrics names nothing to scrape (give targets or discovery)",
  ],
  [
    "a query that scrape cannot evaluate",
    'data_sources: {metrics: {type: scrape, discovery: "http://d", queries: {error_rate: "rate(a[5m]) / rate(b[5m])"}}}\n',
    'u.yaml:1:85: data_sources.metrics.queries.error_rate cannot be evaluated without a Prometheus (what can is name, name{label="value"} or rate(name[5m]), within sum, max, min or avg)',
  ],
  [
    "the same target twice",
    'data_sources: {metrics: {type: scrape, targets: [{url: "http://p"}, {url: "http://p"}]}}\n',
    "u.yaml:1:75: data_sources.metrics.targets[1].url is given above already (its samples would count twice: remove one)",
  ],
  [
    "a namespace with a star in it",
    `${SOURCES}execution: {allowed_actions: [{type: kubectl_rollout_undo, namespaces: ["*", "def*"]}]}\n`,
    'u.yaml:2:78: execution.allowed_actions[0].namespaces[1] is "def*": names are exact, none has a star in it (write each name out, or "*" alone for any)',
  ],
  [
    "two entries for one action in one place",
    `${SOURCES}execution:\n  allowed_actions:\n    - {type: kubectl_rollout_undo, namespaces: [a, b]}\n    - {type: kubectl_rollout_undo, namespaces: [b]}\n`,
    "u.yaml:5:14: execution.allowed_actions[1].type is kubectl_rollout_undo, which an entry above allows for the same things already (merge them, or give each its own scope)",
  ],
  [
    "an entry of the feedback loop that stands twice",
    `${SOURCES}feedback_loop:\n  post_rollback:\n    - auto_generate_postmortem_draft: true\n    - auto_generate_postmortem_draft: false\n`,
    "u.yaml:5:7: feedback_loop.post_rollback[1].auto_generate_postmortem_draft is given above already (remove one of them)",
  ],
  [
    "a label that cannot be one",
    `${SOURCES}service_label: "my-service"\n`,
    'u.yaml:2:16: service_label cannot be "my-service" (letters, digits and underscores)',
  ],
];

describe.each([
  ["the chain", CHAIN],
  ["the set-up", SETUP],
])("problems with %s", (_, rows) => {
  it.each(rows)("%s", (_sentence, text, ...lines) => {
    expect(problems(String(text))).toEqual(lines);
  });
});
