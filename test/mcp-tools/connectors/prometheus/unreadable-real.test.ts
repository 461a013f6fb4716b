import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { believed } from "../../../../core/model/believable.ts";
import { createPrometheus, type PrometheusSource } from "../../../../mcp-tools/connectors/prometheus/prometheus.ts";
import { type RealPrometheus, startPrometheus } from "../../../real/prometheus.ts";
import { requireReal } from "../../../real-component.ts";

const STEP = 15_000;
/** Four hours ago, on the grid: what is loaded in blocks must be older than three. */
const FROM = Math.floor((Date.now() - 4 * 3_600_000) / STEP) * STEP;
const STEPS = 40;

/** What each service exports: 10 requests a second of which one fails, 9 of 10 within 0.1 s and all within 1 s. */
const ROWS: Readonly<Record<string, number>> = {
  'http_requests_total{status="200"}': 9,
  'http_requests_total{status="500"}': 1,
  'http_request_duration_seconds_bucket{le="0.1"}': 9,
  'http_request_duration_seconds_bucket{le="1.0"}': 10,
  'http_request_duration_seconds_bucket{le="+Inf"}': 10,
  process_cpu_seconds_total: 0.5,
};
const SAMPLES = ["NaN", "+Inf", "-Inf"];
/** One service for each row and each sample that it has in place of its own; and one whose samples are all whole. */
const SERVICES = Object.keys(ROWS).flatMap((row, r) =>
  SAMPLES.map((sample, s) => ({ service: `s${r}${s}`, row, sample })),
);

function openMetrics(): string {
  const all = [...SERVICES, { service: "whole", row: "", sample: "" }];
  const lines = Object.entries(ROWS).flatMap(([row, perSecond]) =>
    all.flatMap(({ service, row: unreadable, sample }) =>
      Array.from({ length: STEPS }, (_, i) => {
        const labels = row.includes("{") ? row.replace("{", `{service="${service}",`) : `${row}{service="${service}"}`;
        const value = row === unreadable ? sample : (perSecond * i * STEP) / 1000;
        return `${labels} ${value} ${(FROM + i * STEP) / 1000}`;
      }),
    ),
  );
  return `${lines.join("\n")}\n# EOF\n`;
}

const NEEDS: Readonly<Record<string, readonly string[]>> = {
  request_rate: ["http_requests_total"],
  error_rate: ["http_requests_total"],
  p50_latency: ["http_request_duration_seconds_bucket"],
  p99_latency: ["http_request_duration_seconds_bucket"],
  cpu_usage: ["process_cpu_seconds_total"],
};

describe.skipIf(!requireReal("prometheus", "prometheus"))("S9: the usual queries, beside a real Prometheus", () => {
  let real: RealPrometheus;
  let source: PrometheusSource;
  beforeAll(async () => {
    real = await startPrometheus({ openMetrics: openMetrics() });
    const clock = { now: () => FROM + STEPS * STEP };
    source = createPrometheus({ http: real.http, clock, queries: {}, scrapeIntervalMs: STEP, policyRange: "2m" });
  }, 60_000);
  afterAll(async () => {
    await real?.[Symbol.asyncDispose]();
  });

  const each = Object.entries(NEEDS).flatMap(([metric, names]) =>
    (["policy", "statistics"] as const).map((purpose) => [metric, purpose, names] as const),
  );
  it.each(each)(
    "%s for %s is unknown where a sample of what it needs is unreadable, and is what it is elsewhere",
    async (metric, purpose, names) => {
      const window = { from: FROM + 20 * STEP, to: FROM + 30 * STEP };
      const series = await source.range({ metric, window, stepMs: STEP, purpose }, new AbortController().signal);
      const values = new Map(series.map((one) => [one.service, believed(one).series.values]));
      const whole = values.get("whole") ?? [];
      expect(whole).toHaveLength(11);
      for (const { service, row, sample } of SERVICES) {
        const isUnknown = names.some((name) => row.startsWith(name));
        const told = [service, row, sample, (values.get(service) ?? []).filter((value) => value !== null)];
        if (isUnknown) expect(told).toEqual([service, row, sample, []]);
        else
          (values.get(service) ?? []).forEach((value, i) => void expect(value).toBeCloseTo(whole[i] ?? Number.NaN, 9));
      }
    },
  );
});
