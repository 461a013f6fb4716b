import { describe, expect, it } from "vitest";
import { requestsOf, withQuantile } from "../../../../mcp-tools/connectors/prometheus/related.ts";

describe("requestsOf", () => {
  it.each([
    ['sum(rate(r{code=~"5.."}[5m])) / sum(rate(r[5m]))', "sum(rate(r[5m]))"],
    ['1 - (sum by (job) (rate(r{code!~"5.."}[5m])) / sum by (job) (rate(r[5m])))', "sum by (job) (rate(r[5m]))"],
    ["100 * (sum(rate(e[1m])) or vector(0)) / sum(rate(r[1m]))", "sum(rate(r[1m]))"],
    ["sum(rate(disk_errors[5m])) / sum(rate(disks[5m]))", null],
    ["sum(r) / sum(r)", null],
    ["job:errors:ratio", null],
    ["sum(", null],
  ])("%s", (query, expected) => {
    expect(requestsOf(query)).toBe(expected);
  });
});

describe("withQuantile", () => {
  it.each([
    ["1000 * histogram_quantile(0.99, rate(x_bucket[5m]))", "1000 * histogram_quantile(0.5, rate(x_bucket[5m]))"],
    ["histogram_quantile(0.99, a) / histogram_quantile(0.9, b)", null],
    ["histogram_quantile(scalar(q), a)", null],
    ['job:latency:p99{le="x"}', null],
  ])("%s", (query, expected) => {
    expect(withQuantile(query, 0.5)).toBe(expected);
  });
});
