// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe, expect, it } from "vitest";
import { CONDITION, CONDITIONS, problems, QUERIES, type Row, SOURCES } from "./fixtures.ts";

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
    `u.yaml:6:60: ${CONDITION}.upper_bound is 0.02: the threshold 0.05 is above it, so nothing lies between (swap them: write 0.05 here)`,
  ],
  [
    "a threshold equal to its upper bound",
    `${CONDITIONS}      - {metric: error_rate, threshold: 0.05, upper_bound: 0.05, duration: 3m}\n`,
    `u.yaml:6:60: ${CONDITION}.upper_bound is 0.05: the threshold 0.05 is equal to it, so nothing lies between (raise upper_bound, or remove it)`,
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
    `u.yaml:6:42: ${CONDITION}.threshold must be a number, not "2s" (write 2000, which is in ms)`,
  ],
  [
    "a negative threshold",
    `${CONDITIONS}      - {metric: p99_latency, threshold: -2000, duration: 3m}\n`,
    `u.yaml:6:42: ${CONDITION}.threshold is -2000, but p99_latency is never below 0 (write 2000)`,
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
    `u.yaml:6:73: ${CONDITION}.comparison is less_than, but error_rate degrades when it goes up (write greater_than)`,
  ],
  [
    "a metric that hurts downwards, compared the usual way",
    `${QUERIES}      orders: {query: orders, worse: down}\nrollback_policies:\n  auto:\n    action: rollback_immediate\n    conditions: [{metric: orders, threshold: 1, duration: 3m}]\n`,
    "u.yaml:10:18: rollback_policies.auto.conditions[0] fires above its threshold, but orders degrades when it goes down (add comparison: less_than)",
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
    'u.yaml:2:113: rollback_policies.auto.notification[0] is "slak:#x", a kind of target that does not exist (did you mean "slack:#x"?)',
  ],
  [
    "a duration longer than what scrape keeps",
    'data_sources: {metrics: {type: scrape, targets: [{url: "http://p"}], window: 1h}}\nrollback_policies: {auto: {conditions: [{metric: error_rate, threshold: 0.05, duration: 2h}], action: rollback_immediate}}\n',
    'u.yaml:2:89: rollback_policies.auto.conditions[0].duration is longer than data_sources.metrics.window (1h) (write "1h" or less, or raise window)',
  ],
];

describe.each([["policies", POLICIES]])("problems with %s", (_, rows) => {
  it.each(rows)("%s", (_sentence, text, ...lines) => {
    expect(problems(String(text))).toEqual(lines);
  });
});
