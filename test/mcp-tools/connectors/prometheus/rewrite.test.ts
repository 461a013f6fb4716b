import { describe, expect, it } from "vitest";
import { withRateWindow } from "../../../../mcp-tools/connectors/prometheus/rate-window.ts";
import { rewriteByService } from "../../../../mcp-tools/connectors/prometheus/rewrite.ts";

describe("rewriteByService", () => {
  it.each([
    ["a sum over everything", "sum(rate(x[5m]))", "sum by (service) (rate(x[5m]))"],
    ["another grouping is extended", "sum(x) by (job)", "max by (service) (sum by (job, service) (x))"],
    ["a grouping by service stays", "sum by (service) (x)", "sum by (service) (x)"],
    ["without keeps the service", "avg without (service, pod) (x)", "max by (service) (avg without (pod) (x))"],
    ["parameters stay", "quantile(0.9, x)", "quantile by (service) (0.9, x)"],
    [
      "a histogram is added up first",
      "histogram_quantile(0.99, rate(x_bucket[5m]))",
      "histogram_quantile(0.99, sum by (le, service) (rate(x_bucket[5m])))",
    ],
    [
      "a histogram that is added up keeps le",
      "histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))",
      "histogram_quantile(0.9, sum by (le, service) (rate(x_bucket[5m])))",
    ],
    ["a factor", "1000 * avg(x)", "1000 * avg by (service) (x)"],
    [
      "both sides of a difference",
      "sum(x) - sum(x offset 1h)",
      "sum by (service) (x) - sum by (service) (x offset 1h)",
    ],
    [
      "on is extended",
      "sum(x) / on () group_left () sum(y)",
      "sum by (service) (x) / on (service) group_left () sum by (service) (y)",
    ],
    [
      "ignoring is shortened",
      "sum by (a) (x) / ignoring (a, service) group_left sum(y)",
      "max by (service) (sum by (a, service) (x) / ignoring (a) group_left sum by (service) (y))",
    ],
    [
      "a deliberate share of the whole stays",
      "sum by (service) (x) / on () group_left sum(x)",
      "sum by (service) (x) / on () group_left sum(x)",
    ],
    ["a subquery", "max_over_time(sum(rate(x[5m]))[10m:1m])", "max_over_time(sum by (service) (rate(x[5m]))[10m:1m])"],
    ["a plain gauge: the worst series", "queue_depth", "max by (service) (queue_depth)"],
    ["a comparison", "sum(x) > bool 3", "sum by (service) (x) > bool 3"],
    ["a condition", "sum(x) and on () sum(y) > 1", "sum by (service) (x) and on (service) sum by (service) (y) > 1"],
    ["a constant vector becomes its number", "vector(1) - avg(x)", "(1) - avg by (service) (x)"],
    ["a default for nothing at all is dropped", "sum(x) or vector(0)", "sum by (service) (x)"],
    [
      "a label that the query itself makes",
      'label_replace(x, "service", "$1", "job", "(.*)")',
      'max by (service) (label_replace(x, "service", "$1", "job", "(.*)"))',
    ],
    ["a comment disappears", "sum(x) # of all\n", "sum by (service) (x)"],
    [
      "a share of errors is 0 where there is traffic and no error",
      'sum(rate(r{status=~"5.."}[5m])) / sum(rate(r[5m]))',
      '(sum by (service) (rate(r{status=~"5.."}[5m])) or sum by (service) (rate(r[5m])) * 0) / sum by (service) (rate(r[5m]))',
    ],
    [
      "so is one in percent",
      '100 * sum(rate(r{a="b"}[5m])) / sum(rate(r[5m]))',
      '(100 * sum by (service) (rate(r{a="b"}[5m])) or sum by (service) (rate(r[5m])) * 0) / sum by (service) (rate(r[5m]))',
    ],
    [
      "so is one that says so itself",
      "(sum(rate(e[5m])) or vector(0)) / sum(rate(r[5m]))",
      "((sum by (service) (rate(e[5m]))) or sum by (service) (rate(r[5m])) * 0) / sum by (service) (rate(r[5m]))",
    ],
    ["but not a ratio of two different things", "sum(a) / sum(b)", "sum by (service) (a) / sum by (service) (b)"],
  ])("%s", (_, query, expected) => {
    expect(rewriteByService(query, "service")).toEqual({ ok: true, query: expected });
  });

  it.each([
    ["absent(x)", "belong to no service"],
    ["5", "one number for all services"],
    ["scalar(sum(x))", "one number for all services"],
    ["sum(x) / scalar(sum(y))", "makes one number of all services"],
    ["vector(3)", "the same for all services"],
    ["time() - 5", "one number for all services"],
    ["sum(x", "no PromQL from character 6"],
    ["", "no PromQL from character 1"],
    ["day_of_week()", "the same for all services"],
  ])("says why it cannot: %s", (query, because) => {
    const answer = rewriteByService(query, "service");
    expect(answer).toMatchObject({ ok: false, because: expect.stringContaining(because) });
  });

  it("groups by several labels", () => {
    expect(rewriteByService("histogram_quantile(0.5, rate(x_bucket[1m]))", ["app", "version"])).toEqual({
      ok: true,
      query: "histogram_quantile(0.5, sum by (le, app, version) (rate(x_bucket[1m])))",
    });
  });

  it("takes the least series where low is bad", () => {
    expect(rewriteByService("free_slots", "service", "min")).toEqual({
      ok: true,
      query: "min by (service) (free_slots)",
    });
  });

  it("quotes a label that is no identifier", () => {
    expect(rewriteByService("sum(x)", "k8s.service")).toEqual({ ok: true, query: 'sum by ("k8s.service") (x)' });
  });
});

describe("withRateWindow", () => {
  it.each([
    ["sum(rate(a[5m])) / sum(rate(b[10m]))", "sum(rate(a[2s])) / sum(rate(b[2s]))"],
    ["queue_depth", null],
    ["sum(increase(a[5m]))", null],
    ["rate(a[5m]) / avg_over_time(b[1h])", null],
    ["max_over_time(rate(a[5m])[1h:])", null],
    ["rate(a[5m] offset 1h)", null],
    ["rate(", null],
  ])("%s", (query, expected) => {
    expect(withRateWindow(query, "2s")).toBe(expected);
  });
});
