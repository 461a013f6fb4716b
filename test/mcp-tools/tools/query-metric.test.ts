import { describe, expect, it } from "vitest";
import { UnshipError } from "../../../core/errors.ts";
import type { MetricQuery, MetricSource } from "../../../core/ports.ts";
import { callTool } from "../call-tool.ts";
import { context, errorSeries, NOW, noSources } from "../scenario.ts";

function source(over: Partial<MetricSource> = {}) {
  const asked: MetricQuery[] = [];
  const metric: MetricSource = {
    name: "prometheus",
    metrics: () => ["error_rate", "p99_latency"],
    range: async (query) => {
      asked.push(query);
      return [errorSeries, { ...errorSeries, service: "search", values: [null, null] }];
    },
    ...over,
  };
  return { asked, of: context({ sources: { ...noSources, metrics: [metric] } }) };
}

describe("query_metric", () => {
  it("sums a series up and shows its course, missing samples as null", async () => {
    const { of, asked } = source();
    const { structured } = await callTool(of, "query_metric", { metric: "error_rate", minutes: 20, points: 4 });
    expect(structured).toMatchObject({
      from: "2026-03-02T14:00:00.000Z",
      to: "2026-03-02T14:20:00.000Z",
      step_seconds: 300,
      series: [
        { service: "checkout", min: 0.002, max: 0.31, last: 0.31, missing: 1, values: [0.002, 0.002, 0.31, 0.31] },
        { service: "search", min: null, last: null, missing: 2, values: [null, null, null, null] },
      ],
    });
    expect(asked[0]).toMatchObject({
      metric: "error_rate",
      window: { from: NOW - 1_200_000, to: NOW },
      purpose: "statistics",
    });
  });

  it("names the metrics that there are for one that it does not know", async () => {
    const { text, isError } = await callTool(source().of, "query_metric", { metric: "rate(x[5m])" });
    expect(isError).toBe(true);
    expect(text).toContain("known are error_rate, p99_latency");
  });

  it("names the services that have a series for one that nobody knows", async () => {
    const { text, isError } = await callTool(source().of, "query_metric", { metric: "error_rate", service: "chekout" });
    expect(isError).toBe(true);
    expect(text).toContain("There is no service chekout; known are checkout, search");
  });

  it("says that a source is down instead of giving nothing", async () => {
    const down = source({
      range: async () => {
        throw new UnshipError("source.unavailable", { source: "prometheus" });
      },
    });
    const { structured } = await callTool(down.of, "query_metric", { metric: "error_rate" });
    expect(structured).toMatchObject({ series: [], gaps: [expect.stringContaining("prometheus: error_rate unknown")] });
    const { structured: none } = await callTool(context(), "query_metric", { metric: "error_rate" });
    expect(none?.gaps).toEqual([expect.stringContaining("no source is configured")]);
  });

  it("never asks for what lies after now", async () => {
    const { of, asked } = source();
    await callTool(of, "query_metric", { metric: "error_rate", until: "2030-01-01T00:00:00Z" });
    expect(asked[0]?.window.to).toBe(NOW);
    const { text } = await callTool(of, "query_metric", { metric: "error_rate", until: "yesterday" });
    expect(text).toContain("until: write it like");
  });
});
