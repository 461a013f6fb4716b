// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe, expect, it } from "vitest";
import { loaded, problems } from "./fixtures.ts";

const SOURCES = 'data_sources: {metrics: {type: prometheus, endpoint: "http://p:9090"}}\n';
const CONDITIONS = `${SOURCES}rollback_policies:
  auto:
    action: rollback_immediate
    conditions:
`;
const CONDITION = "rollback_policies.auto.conditions[0]";
const STEPS = `${SOURCES}reasoning_chain:
  on_anomaly_detected:
`;
const QUERIES = `data_sources:
  metrics:
    type: prometheus
    endpoint: "http://p:9090"
    queries:
`;

type Row = readonly [sentence: string, text: string, ...lines: unknown[]];

const KEYS: readonly Row[] = [
  [
    "a mistyped key at the top is named with the nearest",
    `${SOURCES}excution: {}\n`,
    'u.yaml:2:1: there is no key "excution" at the top (did you mean execution?)',
  ],
  [
    "a mistyped key deep inside is named with the nearest",
    `${SOURCES}execution:\n  guardrails:\n    cooldown_betwen_rollbacks: 10m\n`,
    'u.yaml:4:5: there is no key "cooldown_betwen_rollbacks" in execution.guardrails (did you mean cooldown_between_rollbacks?)',
  ],
  [
    "a key in camel case is named with the nearest",
    `${SOURCES}watch:\n  Step: 15s\n`,
    'u.yaml:3:3: there is no key "Step" in watch (did you mean step?)',
  ],
  [
    "a key that is like none gets all that are valid",
    `${SOURCES}ledger:\n  colour: red\n`,
    'u.yaml:3:3: there is no key "colour" in ledger (valid here: path)',
  ],
  [
    "a key without effect in this version is an error",
    `${SOURCES}freeze_windows: []\n`,
    'u.yaml:2:1: there is no key "freeze_windows" at the top (valid here: mode, data_sources, rollback_policies, reasoning_chain, execution, feedback_loop, services, service_label, version_label, topology, approvers, ledger, and 3 more)',
  ],
  [
    "a mistyped key is one problem, not also a missing one",
    `${CONDITIONS}      - metric: error_rate\n        treshold: 0.05\n        duration: 3m\n`,
    `u.yaml:7:9: there is no key "treshold" in ${CONDITION} (did you mean threshold?)`,
  ],
  [
    "a repeated key is named where it stands the second time",
    `${SOURCES}watch: {step: 15s}\nmode: auto\nwatch: {step: 30s}\n`,
    'u.yaml:4:1: the key "watch" stands twice here (remove one of them)',
  ],
  [
    "a missing key says what it is for",
    `${CONDITIONS}      - metric: error_rate\n        duration: 3m\n`,
    `u.yaml:6:9: ${CONDITION} lacks threshold (The value that the metric is compared with; the value itself does not fire)`,
  ],
  [
    "a missing type lists the types",
    'data_sources:\n  metrics:\n    endpoint: "http://p"\n',
    "u.yaml:2:3: data_sources.metrics lacks type (one of prometheus, scrape)",
  ],
  [
    "a file without sources says so",
    "mode: auto\n",
    "u.yaml:1:1: the file lacks data_sources (Where signals, changes, logs, traces and flags come from)",
  ],
  [
    "a mistyped canary_analysis is no policy",
    `${SOURCES}rollback_policies:\n  canary_analisys:\n    enabled: true\n`,
    "u.yaml:3:3: rollback_policies.canary_analisys is no policy (did you mean canary_analysis?)",
  ],
  [
    "a key that belongs to another type is an error",
    'data_sources:\n  metrics:\n    type: scrape\n    targets: [{url: "http://p/metrics"}]\n    endpoint: "http://p"\n',
    'u.yaml:5:5: there is no key "endpoint" in data_sources.metrics (valid here: type, targets, discovery, interval, window, spool)',
  ],
];

const EMPTY = "u.yaml:1:1: the file is empty (begin with data_sources; see examples/unship.yaml)";
const YAML_PROBLEMS: readonly Row[] = [
  ["an empty file", "", EMPTY],
  ["a file of comments alone", "# nothing\n", EMPTY],
  [
    "a bracket that is never closed",
    "mode: auto\nservices: {a: {flags: [x}\n",
    "u.yaml:2:25: not readable as YAML: the indentation does not fit (or a bracket or quote above is still open)",
    "u.yaml:2:26: not readable as YAML: the indentation does not fit (or a bracket or quote above is still open)",
  ],
  [
    "a tab as indentation",
    "data_sources:\n\tmetrics: x\n",
    "u.yaml:2:1: not readable as YAML: a tab as indentation (indent with spaces)",
  ],
  [
    "a quote that is never closed",
    'mode: "auto\n',
    "u.yaml:2:1: not readable as YAML: something is missing (a quote, colon or bracket, here or above)",
  ],
  [
    "two documents",
    "mode: auto\n---\nmode: auto\n",
    "u.yaml:2:1: not readable as YAML: a second document begins (one file is one document: remove what begins at ---)",
  ],
  [
    "a tag",
    "mode: !!js/function auto\n",
    "u.yaml:1:7: not readable as YAML: a tag that means nothing here (remove it)",
  ],
  [
    "an alias of nothing",
    `${SOURCES}services: *nothing\n`,
    'u.yaml:2:11: there is no anchor "nothing" (it must stand above)',
  ],
  ["a list where a map must be", "- mode\n", "u.yaml:1:1: the file must be a map of keys, not a list"],
  ["a word where a map must be", "hello\n", 'u.yaml:1:1: the file must be a map of keys, not "hello"'],
  [
    "a map as a key",
    `${SOURCES}services: {{a: 1}: {}}\n`,
    "u.yaml:2:12: a key that is no plain word (quote it if it is one)",
  ],
  [
    "__proto__ as a name",
    `${SOURCES}services: {__proto__: {flags: []}}\n`,
    "u.yaml:2:12: __proto__ cannot be a name (choose another)",
  ],
];

const VARIABLES: readonly Row[] = [
  [
    "a variable that is not set is named with its key",
    'data_sources: {metrics: {type: prometheus, endpoint: "http://p", token: "${TOKEN}"}}\n',
    "u.yaml:1:73: data_sources.metrics.token needs the variable TOKEN, which is not set (export TOKEN=…)",
  ],
  [
    "a variable with a typo is named with the one that is set",
    'data_sources: {metrics: {type: prometheus, endpoint: "http://p", token: "${LD_APIKEY}"}}\n',
    "u.yaml:1:73: data_sources.metrics.token needs the variable LD_APIKEY, which is not set (LD_API_KEY is set: did you mean it?)",
  ],
  [
    "a variable inside a text points at itself",
    'data_sources: {metrics: {type: prometheus, endpoint: "http://${HOST}:90"}}\n',
    "u.yaml:1:62: data_sources.metrics.endpoint needs the variable HOST, which is not set (export HOST=…)",
  ],
  [
    "a secret mixed with text is refused",
    'data_sources: {metrics: {type: prometheus, endpoint: "http://p", token: "Bearer ${LD_API_KEY}"}}\n',
    "u.yaml:1:73: data_sources.metrics.token mixes text with a reference (make it one ${VARIABLE} or ${file:/path} alone, and put the whole secret there)",
  ],
  [
    "a file for what is no secret is refused",
    'data_sources: {metrics: {type: prometheus, endpoint: "${file:/x}"}}\n',
    "u.yaml:1:55: data_sources.metrics.endpoint cannot come from a file (only tokens and keys can)",
  ],
  [
    "a name that no variable can have is refused",
    'data_sources: {metrics: {type: prometheus, endpoint: "http://${A-B}"}}\n',
    'u.yaml:1:62: data_sources.metrics.endpoint names a variable "A-B", which cannot be one (write ${VARIABLE}, or $${ for a literal ${)',
  ],
];

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
    'u.yaml:1:54: data_sources.metrics.endpoint "p:9090" is no http or https URL (write it like "https://prometheus.example:9090")',
  ],
  [
    "a duration in words",
    `${SOURCES}watch: {step: 15 seconds}\n`,
    'u.yaml:2:15: watch.step "15 seconds" is no duration (write "15s")',
  ],
  [
    "a duration without a unit",
    `${SOURCES}watch: {step: 15}\n`,
    "u.yaml:2:15: watch.step 15 is no duration (say which unit: 15s is seconds, 15m minutes)",
  ],
  [
    "a duration of no length where time must pass",
    `${SOURCES}watch: {step: 0s}\n`,
    'u.yaml:2:15: watch.step "0s" is too short (at least 100 ms)',
  ],
  [
    "a negative duration",
    `${SOURCES}watch: {step: -5s}\n`,
    'u.yaml:2:15: watch.step "-5s" is no duration (write it like "90s", "3m" or "1h30m")',
  ],
  [
    "an action that does not exist",
    `${SOURCES}execution: {allowed_actions: [{type: kubectl_undo}]}\n`,
    'u.yaml:2:38: execution.allowed_actions[0].type cannot be "kubectl_undo" (did you mean kubectl_rollout_undo?)',
  ],
  [
    "a negative limit",
    `${SOURCES}execution: {guardrails: {max_auto_rollbacks_per_day: -1}}\n`,
    "u.yaml:2:54: execution.guardrails.max_auto_rollbacks_per_day cannot be -1 (at least 0)",
  ],
  [
    "half a rollback",
    `${SOURCES}execution: {guardrails: {escalate_to_human_after: 1.5}}\n`,
    "u.yaml:2:51: execution.guardrails.escalate_to_human_after must be a whole number, not 1.5",
  ],
  [
    "a yes that YAML takes for a word",
    `${SOURCES}model: {provider: openai, model: m, may_hold: yes}\n`,
    'u.yaml:2:47: model.may_hold must be true or false, not "yes" (write true)',
  ],
  [
    "a migration without a person",
    `${SOURCES}execution: {allowed_actions: [{type: database_migration_rollback, require_approval: false}]}\n`,
    "u.yaml:2:85: execution.allowed_actions[0].require_approval cannot be false (valid here: true)",
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
    'u.yaml:2:39: approvers[0].token_sha256 what stands there is no SHA-256 (64 hexadecimal digits: printf %s "$TOKEN" | sha256sum)',
  ],
  [
    "an empty list where one must be named",
    `${SOURCES}rollback_policies: {auto: {conditions: [], action: rollback_immediate}}\n`,
    "u.yaml:2:40: rollback_policies.auto.conditions is empty (at least 1 entries)",
  ],
];

const POLICIES: readonly Row[] = [
  [
    "a metric that no query yields",
    `${CONDITIONS}      - {metric: eror_rate, threshold: 0.05, duration: 3m}\n`,
    `u.yaml:6:18: ${CONDITION}.metric is "eror_rate", which no query yields (did you mean error_rate?)`,
  ],
  [
    "a metric of a canary that no query yields",
    `${SOURCES}rollback_policies: {canary_analysis: {comparison_metrics: [error_rate, p99_latencies]}}\n`,
    'u.yaml:2:72: rollback_policies.canary_analysis.comparison_metrics[1] is "p99_latencies", which no query yields (did you mean p99_latency?)',
  ],
  [
    "a metric of a regression that no query yields",
    `${CONDITIONS}      - regression: {metric: latency_p99, confidence: 0.99}\n`,
    expect.stringContaining(`${CONDITION}.regression.metric is "latency_p99", which no query yields`),
  ],
  [
    "a threshold above its upper bound",
    `${CONDITIONS}      - {metric: error_rate, threshold: 0.05, upper_bound: 0.02, duration: 3m}\n`,
    `u.yaml:6:60: ${CONDITION}.upper_bound is 0.02: the threshold 0.05 is above it, so nothing lies between (swap them)`,
  ],
  [
    "a threshold equal to its upper bound",
    `${CONDITIONS}      - {metric: error_rate, threshold: 0.05, upper_bound: 0.05, duration: 3m}\n`,
    `u.yaml:6:60: ${CONDITION}.upper_bound is 0.05: the threshold 0.05 is equal to it, so nothing lies between (raise upper_bound)`,
  ],
  [
    "an upper bound beside less_than",
    `${QUERIES}      orders: {query: orders, worse: down}\nrollback_policies:\n  auto:\n    action: rollback_immediate\n    conditions: [{metric: orders, threshold: 1, upper_bound: 2, comparison: less_than, duration: 3m}]\n`,
    "u.yaml:10:62: rollback_policies.auto.conditions[0].upper_bound has no meaning beside less_than (the threshold is the upper end already: remove upper_bound)",
  ],
  [
    "a share in percent",
    `${CONDITIONS}      - {metric: error_rate, threshold: 5, duration: 3m}\n`,
    `u.yaml:6:41: ${CONDITION}.threshold is 5, but error_rate is a ratio from 0 to 1 (did you mean 0.05?)`,
  ],
  [
    "a share with a percent sign",
    `${CONDITIONS}      - {metric: error_rate, threshold: 5%, duration: 3m}\n`,
    `u.yaml:6:41: ${CONDITION}.threshold must be a number, not "5%" (write 0.05)`,
  ],
  [
    "a latency with its unit",
    `${CONDITIONS}      - {metric: p99_latency, threshold: 2s, duration: 3m}\n`,
    `u.yaml:6:42: ${CONDITION}.threshold must be a number, not "2s" (a plain number in the metric's unit: 2 s is 2000)`,
  ],
  [
    "a negative threshold",
    `${CONDITIONS}      - {metric: p99_latency, threshold: -2000, duration: 3m}\n`,
    `u.yaml:6:42: ${CONDITION}.threshold is -2000, but p99_latency is never below 0 (write it without the minus)`,
  ],
  [
    "a latency below a ms",
    `${CONDITIONS}      - {metric: p99_latency, threshold: 0.5, duration: 3m}\n`,
    `u.yaml:6:42: ${CONDITION}.threshold is 0.5 ms, which every request takes (latencies are in ms: did you mean 500?)`,
  ],
  [
    "a latency in µs",
    `${CONDITIONS}      - {metric: p99_latency, threshold: 5000000000, duration: 3m}\n`,
    `u.yaml:6:42: ${CONDITION}.threshold is 5000000000 ms, which is 1389 hours (latencies are in ms: did you mean 5000000?)`,
  ],
  [
    "a comparison that does not exist",
    `${CONDITIONS}      - {metric: error_rate, threshold: 0.05, duration: 3m, comparison: greater-then}\n`,
    `u.yaml:6:73: ${CONDITION}.comparison cannot be "greater-then" (did you mean greater_than?)`,
  ],
  [
    "a comparison that holds while all is well",
    `${CONDITIONS}      - {metric: error_rate, threshold: 0.05, duration: 3m, comparison: less_than}\n`,
    `u.yaml:6:73: ${CONDITION}.comparison is less_than, but error_rate hurts when it goes up (write greater_than)`,
  ],
  [
    "a metric that hurts downwards, compared the usual way",
    `${QUERIES}      orders: {query: orders, worse: down}\nrollback_policies:\n  auto:\n    action: rollback_immediate\n    conditions: [{metric: orders, threshold: 1, duration: 3m}]\n`,
    "u.yaml:10:27: rollback_policies.auto.conditions[0].metric is greater_than, but orders hurts when it goes down (write less_than)",
  ],
  [
    "a confidence in percent",
    `${CONDITIONS}      - regression: {metric: error_rate, confidence: 99}\n`,
    `u.yaml:6:54: ${CONDITION}.regression.confidence cannot be 99 (a ratio from 0 to 1: did you mean 0.99?)`,
  ],
  [
    "a confidence of certainty",
    `${CONDITIONS}      - regression: {metric: error_rate, confidence: 1}\n`,
    `u.yaml:6:54: ${CONDITION}.regression.confidence cannot be 1 (less than 1)`,
  ],
  [
    "a confidence below 0",
    `${CONDITIONS}      - regression: {metric: error_rate, confidence: -0.1}\n`,
    `u.yaml:6:54: ${CONDITION}.regression.confidence cannot be -0.1 (more than 0)`,
  ],
  [
    "a policy action that does not exist",
    `${SOURCES}rollback_policies: {auto: {conditions: [{health_check_failures: 3}], action: rollback}}\n`,
    'u.yaml:2:78: rollback_policies.auto.action cannot be "rollback" (did you mean rollback_immediate?)',
  ],
  [
    "a kind of notification that does not exist",
    `${SOURCES}rollback_policies: {auto: {conditions: [{health_check_failures: 3}], action: rollback_immediate, notification: ["slak:#x"]}}\n`,
    'u.yaml:2:113: rollback_policies.auto.notification[0] is "slak:#x", a kind of target that does not exist (did you mean slack?)',
  ],
  [
    "a duration longer than what scrape keeps",
    'data_sources: {metrics: {type: scrape, targets: [{url: "http://p"}], window: 1h}}\nrollback_policies: {auto: {conditions: [{metric: error_rate, threshold: 0.05, duration: 2h}], action: rollback_immediate}}\n',
    "u.yaml:2:89: rollback_policies.auto.conditions[0].duration is longer than data_sources.metrics.window (1h) (raise window)",
  ],
];

const latency = (query: string, threshold: number) =>
  `${QUERIES}      p99_latency: ${query}\nrollback_policies:\n  auto:\n    action: rollback_immediate\n    conditions: [{metric: p99_latency, threshold: ${threshold}, duration: 3m}]\n`;

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

const CHAIN: readonly Row[] = [
  [
    "a step that does not exist",
    `${STEPS}    - {step: correlate_timings, action: x}\n`,
    'u.yaml:4:14: reasoning_chain.on_anomaly_detected[0].step cannot be "correlate_timings" (did you mean correlate_timing?)',
  ],
  [
    "a step that stands twice",
    `${STEPS}    - {step: correlate_timing, action: x}\n    - {step: correlate_timing, action: y}\n`,
    "u.yaml:5:14: reasoning_chain.on_anomaly_detected[1].step is correlate_timing, which stands above already (remove one of them)",
  ],
  [
    "a step before the one whose answer it needs",
    `${STEPS}    - {step: recommend_action, action: x}\n    - {step: correlate_timing, action: y}\n`,
    "u.yaml:5:14: reasoning_chain.on_anomaly_detected[1].step is correlate_timing, which stands after recommend_action (move it above recommend_action, which builds on it)",
  ],
  [
    "a window in no unit of time",
    `${STEPS}    - {step: identify_recent_deployments, action: query the last 30 minuts}\n`,
    'u.yaml:4:69: reasoning_chain.on_anomaly_detected[0].action names a window that cannot be read: "minuts" is no unit of time (did you mean 30 minutes?)',
  ],
  [
    "no window at all",
    `${STEPS}    - {step: identify_recent_deployments, action: query deployments}\n`,
    'u.yaml:4:51: reasoning_chain.on_anomaly_detected[0].action names no window (say how far to look back: "query deployments within last 30 minutes")',
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
    expect.stringMatching(/^u\.yaml:6:34: .* cannot be read: the end stands where a fact must/),
  ],
];

const HASH = "a".repeat(64);
const SETUP: readonly Row[] = [
  [
    "two approvers of one name",
    `${SOURCES}approvers:\n  - {name: ada, token_sha256: ${HASH}}\n  - {name: Ada, token_sha256: ${"b".repeat(64)}}\n`,
    'u.yaml:4:12: approvers[1].name is "Ada", which stands above already (each person once)',
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
    "the same target twice",
    'data_sources: {metrics: {type: scrape, targets: [{url: "http://p"}, {url: "http://p"}]}}\n',
    "u.yaml:1:75: data_sources.metrics.targets[1].url stands above already (its samples would count twice: remove one)",
  ],
  [
    "two entries for one action in one place",
    `${SOURCES}execution:\n  allowed_actions:\n    - {type: kubectl_rollout_undo, namespaces: [a, b]}\n    - {type: kubectl_rollout_undo, namespaces: [b]}\n`,
    "u.yaml:5:14: execution.allowed_actions[1].type is kubectl_rollout_undo, which an entry above allows for the same things already (merge them, or give each its own scope)",
  ],
  [
    "an entry of the feedback loop that stands twice",
    `${SOURCES}feedback_loop:\n  post_rollback:\n    - auto_generate_postmortem_draft: true\n    - auto_generate_postmortem_draft: false\n`,
    "u.yaml:5:7: feedback_loop.post_rollback[1].auto_generate_postmortem_draft stands above already (remove one of them)",
  ],
  [
    "a label that cannot be one",
    `${SOURCES}service_label: "my-service"\n`,
    'u.yaml:2:16: service_label cannot be "my-service" (letters, digits and underscores)',
  ],
];

describe.each([
  ["keys", KEYS],
  ["YAML", YAML_PROBLEMS],
  ["variables", VARIABLES],
  ["values", VALUES],
  ["policies", POLICIES],
  ["units", UNITS],
  ["the chain", CHAIN],
  ["the set-up", SETUP],
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
