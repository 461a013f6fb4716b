import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { believing } from "../../../agent/compose/believing.ts";
import type { Gap } from "../../../core/model/assessment.ts";
import { createHttp } from "../../../mcp-tools/connectors/http.ts";
import { createPrometheus } from "../../../mcp-tools/connectors/prometheus/prometheus.ts";
import { createScrape } from "../../../mcp-tools/connectors/scrape/scrape.ts";
import { fakeExporter } from "../../fakes/fake-exporter.ts";

const never = new AbortController().signal;
const STEP = 1000;
const T0 = 1_700_000_000_000;
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Told {
  /** The metric's values, one a step. */
  readonly values: readonly (number | null)[];
  readonly gaps: readonly Gap[];
}

/** Prometheus gives 1, 1, then the sample, then 1. */
async function ofPrometheus(metric: string, sample: string): Promise<Told> {
  const server = createServer((_, response) => {
    const values = ["1", "1", sample, "1"].map((text, i) => [(T0 + i * STEP) / 1000, text]);
    const result = [{ metric: { service: "cart" }, values }];
    response.end(JSON.stringify({ status: "success", data: { resultType: "matrix", result } }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const http = createHttp({ source: "prometheus", base });
  stops.push(
    () => http.close(),
    () => new Promise((resolve) => server.close(resolve)),
  );
  const clock = { now: () => T0 + 60_000 };
  const [source] = believing([createPrometheus({ http, clock, queries: {} })]);
  const gaps: Gap[] = [];
  const window = { from: T0, to: T0 + 3 * STEP };
  const lacks = ({ gap }: { readonly gap: Gap }) => gaps.push(gap);
  const series = await source?.range({ metric, window, stepMs: STEP, purpose: "policy", lacks }, never);
  return { values: series?.[0]?.values ?? [], gaps };
}

/** A page of one target that is read each step; `sample` stands once, in the third page, in place of the value of `row`. */
async function ofScrape(metric: string, row: string, sample: string): Promise<Told> {
  const server = await fakeExporter(() => "");
  stops.push(() => server[Symbol.asyncDispose]());
  const custom = {
    queue: { series: "jobs_queued", matchers: [], kind: "gauge", aggregate: "max", scale: 1, unit: "", worse: "up" },
    sold: { series: "sold_total", matchers: [], kind: "counter", aggregate: "sum", scale: 1, unit: "", worse: "up" },
  } as const;
  const scrape = await createScrape({
    ...{ targets: [{ url: server.url, labels: { service: "cart" } }], discovery: null, spool: null, custom },
    ...{ intervalMs: STEP, windowMs: 60_000, now: T0 },
  });
  stops.push(() => scrape.close());
  const gaps: Gap[] = [];
  for (let tick = 0; tick < 6; tick += 1) {
    const rows: Readonly<Record<string, number>> = {
      'http_requests_total{code="200"}': 10 * tick,
      'http_requests_total{code="500"}': 0,
      process_cpu_seconds_total: tick,
      process_resident_memory_bytes: 10,
      container_spec_memory_limit_bytes: 100,
      jobs_queued: 3,
      sold_total: tick,
      ...Object.fromEntries(
        ["0.1", "1", "+Inf"].map((le) => [`http_request_duration_seconds_bucket{le="${le}"}`, 10 * tick]),
      ),
    };
    expect(Object.keys(rows)).toContain(row);
    const page = Object.entries(rows).map(([name, value]) => `${name} ${name === row && tick === 2 ? sample : value}`);
    server.serve(() => `${page.join("\n")}\n`);
    gaps.push(...(await scrape.scrapeOnce(T0 + tick * STEP, never)).gaps);
  }
  const [source] = believing([scrape]);
  const window = { from: T0 + STEP, to: T0 + 5 * STEP };
  const lacks = ({ gap }: { readonly gap: Gap }) => gaps.push(gap);
  const series = await source?.range({ metric, window, stepMs: STEP, purpose: "statistics", lacks }, never);
  return { values: series?.[0]?.values ?? [], gaps };
}

const tells = (gaps: readonly Gap[]) =>
  expect(gaps.map(({ how, services }) => [how, services])).toContainEqual(["partial", ["cart"]]);

describe("S9: a sample that measures nothing is missing, and that is told as a gap", () => {
  const METRICS = ["request_rate", "error_rate", "p99_latency", "cpu_usage", "memory_usage"];
  const rows = METRICS.flatMap((metric) => ["+Inf", "-Inf", "-5", "1e300"].map((sample) => [metric, sample] as const));
  it.each(rows)("Prometheus: %s is %s", async (metric, sample) => {
    const { values, gaps } = await ofPrometheus(metric, sample);
    expect(values[2]).toBeNull();
    expect(values.filter((value) => value === null)).toHaveLength(1);
    tells(gaps);
  });

  const COUNTS = ["+Inf", "-Inf", "-5", "NaN"];
  const scraped: readonly (readonly [metric: string, row: string, samples: readonly string[], unknown: number])[] = [
    // A count is unknown in the next step too: what was counted since is of two.
    ["error_rate", `http_requests_total{code="500"}`, COUNTS, 2],
    ["request_rate", `http_requests_total{code="200"}`, COUNTS, 2],
    ["cpu_usage", "process_cpu_seconds_total", COUNTS, 2],
    ["p99_latency", `http_request_duration_seconds_bucket{le="1"}`, COUNTS, 2],
    ["memory_usage", "process_resident_memory_bytes", ["+Inf", "-Inf", "-5"], 1],
    ["queue", "jobs_queued", ["+Inf", "-Inf"], 1],
    ["sold", "sold_total", COUNTS, 2],
  ];
  const each = scraped.flatMap(([metric, row, samples, unknown]) =>
    samples.map((sample) => [metric, row, sample, unknown] as const),
  );
  it.each(each)("a page: %s where %s is %s", async (metric, row, sample, unknown) => {
    const { values, gaps } = await ofScrape(metric, row, sample);
    expect(values[1]).toBeNull();
    expect(values.filter((value) => value === null)).toHaveLength(unknown);
    tells(gaps);
  });

  it("a page with none of them tells of no gap", async () => {
    expect((await ofScrape("request_rate", "jobs_queued", "4")).gaps).toEqual([]);
  });
});
