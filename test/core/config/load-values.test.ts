// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe, expect, it } from "vitest";
import { CONDITION, CONDITIONS, latency, loaded, problems, QUERIES, type Row, SOURCES } from "./fixtures.ts";

const VALUES: readonly Row[] = [
  [
    "a mode that does not exist",
    `${SOURCES}mode: automatic\n`,
    'u.yaml:2:7: mode cannot be "automatic" (did you mean auto?)',
  ],
  [
    "a source type that does not exist",
    'data_sources: {metrics: {type: promehteus, endpoint: "http://p"}}\n',
    'u.yaml:1:32: data_sources.metrics.type cannot be "promehteus" (did you mean prometheus?)',
  ],
  [
    "a URL that is none",
    "data_sources: {metrics: {type: prometheus, endpoint: p:9090}}\n",
    'u.yaml:1:54: data_sources.metrics.endpoint "p:9090" is no http or https URL (write "http://p:9090")',
  ],
  [
    "a duration in words",
    `${SOURCES}watch: {step: 15 seconds}\n`,
    'u.yaml:2:15: watch.step "15 seconds" is no duration (write "15s")',
  ],
  [
    "a duration without a unit",
    `${SOURCES}watch: {step: 15}\n`,
    'u.yaml:2:15: watch.step 15 is no duration (write "15m" for minutes, or "15s" for seconds)',
  ],
  [
    "a duration of no length where time must pass",
    `${SOURCES}watch: {step: 0s}\n`,
    'u.yaml:2:15: watch.step "0s" is too short (write "100ms" or more)',
  ],
  [
    "a negative duration",
    `${SOURCES}watch: {step: -5s}\n`,
    'u.yaml:2:15: watch.step "-5s" is no duration (write "5s")',
  ],
  [
    "an action that does not exist",
    `${SOURCES}execution: {allowed_actions: [{type: kubectl_undo}]}\n`,
    'u.yaml:2:38: execution.allowed_actions[0].type cannot be "kubectl_undo" (did you mean kubectl_rollout_undo?)',
  ],
  [
    "a negative limit",
    `${SOURCES}execution: {guardrails: {max_auto_rollbacks_per_day: -1}}\n`,
    "u.yaml:2:54: execution.guardrails.max_auto_rollbacks_per_day cannot be -1 (write 0 or more)",
  ],
  [
    "half a rollback",
    `${SOURCES}execution: {guardrails: {escalate_to_human_after: 1.5}}\n`,
    "u.yaml:2:51: execution.guardrails.escalate_to_human_after must be a whole number, not 1.5 (write 1 or 2)",
  ],
  [
    "a yes that YAML takes for a word",
    `${SOURCES}model: {provider: openai, model: m, may_hold: yes}\n`,
    'u.yaml:2:47: model.may_hold must be true or false, not "yes" (write true)',
  ],
  [
    "a migration without a person",
    `${SOURCES}execution: {allowed_actions: [{type: database_migration_rollback, require_approval: false}]}\n`,
    "u.yaml:2:85: execution.allowed_actions[0].require_approval cannot be false (write true)",
  ],
  [
    "a number in quotes",
    `${SOURCES}services: {a: {revenue_per_minute: "900"}}\n`,
    'u.yaml:2:36: services.a.revenue_per_minute must be a number, not "900" (write 900 without quotes)',
  ],
  [
    "a key with nothing beneath it",
    `${SOURCES}services:\nmode: auto\n`,
    "u.yaml:2:10: services must be a map of keys, not nothing (it is empty: remove the key or indent its content beneath it)",
  ],
  [
    "a hash that is none, without repeating what may be the token itself",
    `${SOURCES}approvers: [{name: ada, token_sha256: hunter2}]\n`,
    'u.yaml:2:39: approvers[0].token_sha256 is no SHA-256 (64 hexadecimal digits: printf %s "$TOKEN" | sha256sum)',
  ],
  [
    "an empty list where one must be named",
    `${SOURCES}rollback_policies: {auto: {conditions: [], action: rollback_immediate}}\n`,
    "u.yaml:2:40: rollback_policies.auto.conditions is empty (at least 1 entries)",
  ],
];

const UNITS: readonly Row[] = [
  [
    "a unit that does not exist",
    `${QUERIES}      p99_latency: {query: x, unit: milisecond}\n`,
    'u.yaml:6:37: data_sources.metrics.queries.p99_latency.unit cannot be "milisecond" (did you mean milliseconds?)',
  ],
  [
    "a unit that the metric cannot have",
    `${QUERIES}      error_rate: {query: x, unit: ms}\n`,
    "u.yaml:6:36: data_sources.metrics.queries.error_rate.unit cannot be ms: error_rate is in ratio (one of ratio, percent, %)",
  ],
  [
    "a unit that the query's names contradict",
    `${QUERIES}      p99_latency: {query: avg(a_seconds), unit: ms}\n`,
    "u.yaml:6:50: data_sources.metrics.queries.p99_latency.unit is ms, but the names in the query say s (remove unit, or scale the query to ms)",
  ],
  [
    "a query that yields what the metric is not",
    `${QUERIES}      memory_usage: container_memory_working_set_bytes\n`,
    "u.yaml:6:21: data_sources.metrics.queries.memory_usage yields bytes by the names in it, but memory_usage is in ratio (divide it by what it is a share of)",
  ],
  [
    "a latency in the query's seconds",
    latency("avg(a_seconds)", 2),
    `u.yaml:10:51: ${CONDITION}.threshold is 2 ms, though the query yields seconds (write 2000 for 2 s; to keep 2 ms give the query its unit, {query: …, unit: s})`,
  ],
  [
    "a query with a typo in the metric's name",
    `${QUERIES}      p99_latancy: avg(a_seconds)\n`,
    "u.yaml:6:7: data_sources.metrics.queries.p99_latancy is no well-known metric, and no policy names it (did you mean p99_latency?)",
  ],
];

describe.each([
  ["values", VALUES],
  ["units", UNITS],
])("problems with %s", (_, rows) => {
  it.each(rows)("%s", (_sentence, text, ...lines) => {
    expect(problems(String(text))).toEqual(lines);
  });
});

describe("what is no problem", () => {
  it.each([
    ["a latency of a few ms, where the query says its unit", latency("{query: avg(a_seconds), unit: s}", 5)],
    ["a latency of a few ms, where the query is in ms", latency("avg(a_ms)", 5)],
    ["a unit in words that agrees with the query", latency("{query: avg(a_seconds), unit: seconds}", 2000)],
    [
      "an own metric below zero",
      `${QUERIES}      profit: {query: profit, worse: down}\nrollback_policies:\n  auto:\n    action: rollback_immediate\n    conditions: [{metric: profit, threshold: -10, comparison: less_than, duration: 3m}]\n`,
    ],
    [
      "two entries for one action in different namespaces",
      `${SOURCES}execution:\n  allowed_actions:\n    - {type: kubectl_rollout_undo, namespaces: [a]}\n    - {type: kubectl_rollout_undo, namespaces: [b]}\n`,
    ],
    [
      "a protected name that is like no service",
      `${SOURCES}services: {billing: {}}\nexecution: {guardrails: {never_auto_rollback: [vault]}}\n`,
    ],
    [
      "a protected name that is a workload",
      `${SOURCES}services: {billing: {workload: {kind: Deployment, name: bills}}}\nexecution: {guardrails: {never_auto_rollback: [bills]}}\n`,
    ],
    ["an anchor and its alias", `${SOURCES}services:\n  a: &defaults {criticality: high}\n  b: *defaults\n`],
    [
      "a literal ${ and a group of label_replace",
      `${QUERIES}      error_rate: 'label_replace(x, "a", "\${1}$\${b}", "c", "(.*)")'\n`,
    ],
    ["a byte order mark and Windows line ends", `\uFEFF${SOURCES.replaceAll("\n", "\r\n")}mode: auto\r\n`],
  ])("%s", (_, text) => {
    expect(problems(text)).toEqual([]);
  });
});

describe("a file with many mistakes", () => {
  it("names all of them at once, in the file's order", () => {
    const text = `${CONDITIONS}      - {metric: eror_rate, threshold: 5, duration: 3 minutes}
      - {metric: error_rate, threshold: 0.05, upper_bound: 0.02, duration: 3m}
excution: {}
model: {provider: openai, model: m, api_key: "\${NOT_SET}"}
`;
    const lines = problems(text);
    expect(lines.map((line) => /^u\.yaml:(\d+):\d+: /.exec(line)?.[1])).toEqual(["6", "6", "7", "8", "9"]);
    expect(lines.every((line) => !line.includes("\n"))).toBe(true);
  });

  it("reads variables into texts, and leaves secrets where they are", () => {
    const text =
      'data_sources: {metrics: {type: prometheus, endpoint: "http://${HOST}:9090", token: "${LD_API_KEY}"}}\n';
    expect(loaded(text, { HOST: "prom", LD_API_KEY: "k" }).dataSources.metrics).toMatchObject({
      endpoint: "http://prom:9090",
      token: { from: "env", name: "LD_API_KEY" },
    });
  });
});
