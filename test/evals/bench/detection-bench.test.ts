import { describe, expect, it } from "vitest";
import { benchConfig } from "../../../evals/bench/bench-config.ts";
import { repeatedTwoProportion, thresholdWithDuration, tunedCusum } from "../../../evals/bench/competitors.ts";
import { nullChange } from "../../../evals/bench/false-alarms.ts";
import { drawService, NULL_KINDS, nullTraffic } from "../../../evals/bench/null-traffic.ts";
import { answerBytes, metricOf, TICK_METRICS } from "../../../evals/bench/prometheus-answers.ts";
import { createRandom } from "../../../evals/bench/random.ts";
import { measureVersionDelays, versionLines } from "../../../evals/bench/version-delay.ts";
import type { Http } from "../../../mcp-tools/connectors/http.ts";
import { createPrometheus } from "../../../mcp-tools/connectors/prometheus/prometheus.ts";

const REQUESTS = 1000;
const steady = (errors: number) => ({ errors, requests: REQUESTS });

/** Steps until it alarms on so many errors a step; infinite within 500. */
function stepsTo(alarm: (counts: { errors: number; requests: number }) => boolean, errors: number): number {
  for (let step = 1; step <= 500; step++) if (alarm(steady(errors))) return step;
  return Infinity;
}

describe("what unship is compared with", () => {
  it("a threshold with a duration waits four steps, and for nothing that is usual", () => {
    const rule = thresholdWithDuration(1e-6);
    expect(stepsTo(rule.start(0.01, REQUESTS), 60)).toBe(4);
    expect(stepsTo(rule.start(0.01, REQUESTS), 11)).toBe(Infinity);
  });

  it("CUSUM finds the shift that it was made for at about the bound", () => {
    const cusum = tunedCusum("oracle", 1e-6, () => 0.02).start(0.01, REQUESTS);
    const divergence = 0.02 * Math.log(2) + 0.98 * Math.log(0.98 / 0.99);
    const bound = Math.ceil(Math.log(1e6) / divergence / REQUESTS);
    expect(Math.abs(stepsTo(cusum, 20) - bound)).toBeLessThanOrEqual(1);
  });

  it("the test that is repeated at every sample cries wolf", () => {
    const random = createRandom(5);
    let alarms = 0;
    for (let trial = 0; trial < 300; trial++) {
      const alarm = repeatedTwoProportion(3.09, 240).start(0.01, REQUESTS);
      for (let step = 0; step < 240; step++)
        if (alarm(steady(random.binomial(REQUESTS, 0.01)))) {
          alarms += 1;
          break;
        }
    }
    expect(alarms / 300).toBeGreaterThan(0.005); // five times what each look spends
  });
});

describe("traffic in which nothing is wrong", () => {
  it.each(NULL_KINDS.map((kind) => [kind] as const))("that is %s has the errors that it was drawn with", (kind) => {
    const random = createRandom(9);
    const service = { ...drawService(random, kind), rate: 80, errorRatio: 0.02, wander: 0.05 };
    const [, errors] = nullTraffic(random, service, 2000, 0);
    const values = (errors?.values ?? []).filter((value) => value !== null);
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0.02, 2);
  });

  it("is the same for the same seed and trial", () => {
    const config = benchConfig();
    expect(nullChange(config, 3, 12)).toEqual(nullChange(config, 3, 12));
  });
});

describe("the stand-in for Prometheus", () => {
  it("answers each of the measured metrics as the connector asks for them", async () => {
    const asked: string[] = [];
    const unasked = async () => Promise.reject(new Error("not asked"));
    const http: Http = {
      source: "prometheus",
      getJson: unasked,
      getText: unasked,
      pages: unasked,
      allowance: () => ({ take: () => {}, give: () => {} }),
      send: unasked,
      receive: async (_method, _path, body, _type, take) => {
        const form = new URLSearchParams(body);
        asked.push(metricOf(form.get("query") ?? ""));
        take(answerBytes(form, 3, 1, Infinity));
      },
      close: async () => {},
    };
    const now = Date.parse("2026-03-02T12:00:00Z");
    const source = createPrometheus({
      http,
      clock: { now: () => now },
      queries: {},
      scrapeIntervalMs: 15_000,
      settleMs: 0,
    });
    for (const metric of TICK_METRICS) {
      const query = { metric, window: { from: now - 60_000, to: now }, stepMs: 15_000, purpose: "statistics" } as const;
      const series = await source.range(query, new AbortController().signal);
      expect(series.map(({ values }) => values.length)).toEqual([5, 5, 5]);
      expect(series.flatMap(({ values }) => values).every((value) => value !== null && value >= 0)).toBe(true);
    }
    expect(asked).toEqual([...TICK_METRICS]);
  });
});

describe("a bad version beside a good one", () => {
  it("is found by version where the whole takes longer, and never much before the bound", () => {
    const cells = measureVersionDelays(benchConfig(), 1, 1, [{ rate: 300, share: 0.1, old: 0.02, fresh: 0.3 }]);
    const [cell] = cells;
    expect(cell?.versions).toBeLessThan(cell?.whole ?? 0);
    expect(cell?.versions).toBeGreaterThanOrEqual(cell?.bound ?? Infinity);
    expect(versionLines(cells).join("\n")).toContain("300         0.1    0.02    0.3");
  });
});
