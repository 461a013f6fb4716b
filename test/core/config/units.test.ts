import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  convertToMetricUnit,
  KNOWN_UNITS,
  scaleOfConfigured,
  unitFits,
  unitOfConfigured,
  unitOfQuery,
  worseOfConfigured,
} from "../../../core/config/units.ts";
import { WELL_KNOWN_METRICS } from "../../../core/model/signal.ts";

describe("the unit of what a query yields", () => {
  it.each([
    [
      "a quantile of a histogram of seconds is seconds",
      "histogram_quantile(0.99, rate(http_request_duration_seconds_bucket[5m]))",
      "s",
    ],
    ["a mean of seconds is seconds", "rate(x_duration_seconds_sum[5m]) / rate(x_duration_seconds_count[5m])", "s"],
    ["a histogram of ms is ms", "histogram_quantile(0.99, rate(latency_milliseconds_bucket[5m]))", "ms"],
    ["seconds times 1000 are ms", "1000 * histogram_quantile(0.99, rate(a_seconds_bucket[5m]))", "ms"],
    ["seconds times 1e3 are ms", "histogram_quantile(0.99, rate(a_seconds_bucket[5m])) * 1e3", "ms"],
    ["ms divided by 1000 are seconds", "avg(a_ms) / 1000", "s"],
    ["seconds times something else are not claimed", "60 * avg(a_seconds)", null],
    ["the rate of a counter of seconds has none", "rate(process_cpu_seconds_total[5m])", null],
    ["seconds over seconds have none", "a_seconds_sum / b_seconds_sum", null],
    ["two units at once are not claimed", "avg(a_seconds) + avg(b_milliseconds)", null],
    [
      "the seed's share of errors has none",
      'sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))',
      null,
    ],
    ["100 times a share is percent", "100 * sum(rate(errors_total[5m])) / sum(rate(requests_total[5m]))", "percent"],
    [
      "100 times 1 less a share is percent",
      '100 * (1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])))',
      "percent",
    ],
    ["100 times a rate (one request in 100 is counted) is not percent", "sum(rate(requests_total[5m])) * 100", null],
    ["bytes are bytes", "container_memory_working_set_bytes", "bytes"],
    ["bytes over bytes have none", "container_memory_working_set_bytes / container_spec_memory_limit_bytes", null],
    ["a name in a string does not count", 'avg(x{job="a_seconds"})', null],
    ["a label does not count", "sum by (lag_seconds) (x)", null],
    ["a comment does not count", "avg(x) # in a_seconds", null],
    ["an empty query has none", "", null],
  ])("%s", (_, query, unit) => {
    expect(unitOfQuery(query)).toBe(unit);
  });

  it("is found or not for any text, without throwing", () => {
    fc.assert(fc.property(fc.string(), (query) => [null, ...KNOWN_UNITS].includes(unitOfQuery(query))));
  });
});

describe("conversion to the metric's unit", () => {
  it.each([
    [2, "s", "p99_latency", 2000],
    [2_000_000, "us", "p50_latency", 2000],
    [250, "ms", "p99_latency", 250],
    [5, "percent", "error_rate", 0.05],
    [120, "req/min", "request_rate", 2],
    [7, "s", "a_metric_of_ones_own", 7],
  ])("%d %s of %s is %d", (value, unit, metric, result) => {
    expect(convertToMetricUnit(value, unit, metric)).toBeCloseTo(result, 12);
  });

  it.each([
    ["bytes", "memory_usage"],
    ["s", "error_rate"],
    ["furlongs", "p99_latency"],
  ])("of %s to the unit of %s is refused", (unit, metric) => {
    expect(unitFits(unit, metric)).toBe(false);
    expect(() => convertToMetricUnit(1, unit, metric)).toThrow(/cannot be turned into/);
  });

  it("is linear, and possible exactly where the unit fits, for every unit and well-known metric", () => {
    const metric = fc.constantFrom(...Object.keys(WELL_KNOWN_METRICS));
    fc.assert(
      fc.property(fc.constantFrom(...KNOWN_UNITS), metric, fc.integer({ min: 1, max: 1e6 }), (unit, name, value) => {
        if (!unitFits(unit, name)) {
          expect(() => convertToMetricUnit(value, unit, name)).toThrow();
          return;
        }
        const one = convertToMetricUnit(1, unit, name);
        expect(convertToMetricUnit(value, unit, name) / (one * value)).toBeCloseTo(1, 10);
      }),
    );
  });
});

describe("a configured query", () => {
  const query = "histogram_quantile(0.99, rate(http_request_duration_seconds_bucket[5m]))";
  it("over seconds is scaled to ms for a latency", () => {
    expect(scaleOfConfigured("p99_latency", { query, unit: null, worse: null })).toBe(1000);
  });
  it("is believed where it says its unit", () => {
    expect(unitOfConfigured("p99_latency", { query: "x", unit: "us", worse: null })).toBe("us");
    expect(scaleOfConfigured("p99_latency", { query: "x", unit: "us", worse: null })).toBeCloseTo(0.001, 12);
  });
  it("of a custom metric keeps its values, and hurts either way unless it says how", () => {
    expect(scaleOfConfigured("lag", { query: "lag_seconds", unit: null, worse: null })).toBe(1);
    expect(worseOfConfigured("lag", { query: "x", unit: null, worse: null })).toBe("either");
    expect(worseOfConfigured("lag", { query: "x", unit: null, worse: "down" })).toBe("down");
    expect(worseOfConfigured("error_rate", { query: "x", unit: null, worse: "down" })).toBe("up");
  });
});
