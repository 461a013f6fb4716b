import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { path } from "../../../../mcp-tools/connectors/http.ts";
import { Answer, sampleValue, seriesOf } from "../../../../mcp-tools/connectors/prometheus/answer.ts";
import { addBuckets, histogramQuantile } from "../../../../mcp-tools/connectors/scrape/quantile.ts";
import { startPrometheus } from "../../../real/prometheus.ts";
import { requireReal } from "../../../real-component.ts";

const INF = Number.POSITIVE_INFINITY;

describe("histogramQuantile", () => {
  it.each([
    ["linear within its bucket", 0.5, [1, 2, INF], [0, 10, 10], 1.5],
    ["from 0 in the lowest bucket", 0.5, [1, 2, INF], [10, 10, 10], 0.5],
    ["the highest finite bound where it lies beyond", 0.99, [1, 2, INF], [0, 0, 10], 2],
    ["nothing without observations", 0.5, [1, INF], [0, 0], null],
    ["nothing without a bucket for all", 0.5, [1, 2], [1, 2], null],
    ["nothing with one bucket alone", 0.5, [INF], [5], null],
    ["a count that falls is raised", 0.5, [1, 2, INF], [10, 6, 10], 0.5],
  ])("%s", (_, q, bounds, counts, expected) => {
    expect(histogramQuantile(q, { bounds, counts })).toBe(expected);
  });

  it.skipIf(!requireReal("prometheus", "prometheus"))("equals Prometheus' own on any histogram", async () => {
    const steps = fc.array(fc.nat(50), { minLength: 3, maxLength: 6 });
    const histograms = fc.sample(steps, { numRuns: 300, seed: 7 }).map((added) => {
      let total = 0;
      const counts = added.map((more) => (total += more));
      return { bounds: counts.map((_, i) => (i === counts.length - 1 ? INF : 0.1 * 2 ** i)), counts };
    });
    const lines = histograms.flatMap(({ bounds, counts }, id) =>
      counts.map(
        (count, i) => `h_bucket{id="${id}",le="${bounds[i] === INF ? "+Inf" : bounds[i]}"} ${count} 1700000000`,
      ),
    );
    await using prometheus = await startPrometheus({ openMetrics: `# TYPE h histogram\n${lines.join("\n")}\n# EOF\n` });
    for (const q of [0.5, 0.9, 0.99]) {
      const form = new URLSearchParams({ query: `histogram_quantile(${q}, h_bucket)`, time: "1700000001" }).toString();
      const { body } = await prometheus.http.send(
        "POST",
        path`/api/v1/query`,
        form,
        "application/x-www-form-urlencoded",
        Answer,
        new AbortController().signal,
      );
      const theirs = new Map(
        (seriesOf(body) ?? []).map(({ metric, points }) => [metric.id, sampleValue(points[0]?.[1] ?? "")]),
      );
      expect(theirs.size).toBe(histograms.length);
      histograms.forEach((histogram, id) => {
        const ours = histogramQuantile(q, histogram);
        const expected = theirs.get(String(id)) ?? null;
        if (expected === null) expect(ours).toBeNull();
        else expect(ours).toBeCloseTo(expected, 12);
      });
    }
  });

  it("lies between the bounds of the bucket in which the observation of that rank is", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 9.99, noNaN: true }), { minLength: 1, maxLength: 200 }), (seen) => {
        const bounds = [0.5, 1, 2, 4, 10, INF];
        const counts = bounds.map((bound) => seen.filter((value) => value <= bound).length);
        const exact = seen.toSorted((a, b) => a - b)[Math.ceil(0.9 * seen.length) - 1] ?? 0;
        const at = bounds.findIndex((bound) => exact <= bound);
        const found = histogramQuantile(0.9, { bounds, counts }) ?? Number.NaN;
        expect(found).toBeGreaterThanOrEqual((bounds[at - 1] ?? 0) - 1e-9);
        expect(found).toBeLessThanOrEqual((bounds[at] ?? 0) + 1e-9);
      }),
    );
  });
});

describe("addBuckets", () => {
  it("of unlike layouts is exact at the bounds that all share", () => {
    const all = addBuckets([
      { bounds: [1, 2, INF], counts: [1, 2, 3] },
      { bounds: [2, 4, INF], counts: [10, 20, 30] },
    ]);
    expect(all).toEqual({ bounds: [2, INF], counts: [12, 33] });
  });
  it("of nothing is nothing", () => {
    expect(addBuckets([])).toBeNull();
  });
});
