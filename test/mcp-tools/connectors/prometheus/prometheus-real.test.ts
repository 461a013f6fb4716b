import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Series } from "../../../../core/model/signal.ts";
import { path } from "../../../../mcp-tools/connectors/http.ts";
import { createPrometheus, type PrometheusSource } from "../../../../mcp-tools/connectors/prometheus/prometheus.ts";
import { ActiveTargets, usualInterval } from "../../../../mcp-tools/connectors/prometheus/scrape-interval.ts";
import { labelsOf, readExposition } from "../../../../mcp-tools/connectors/scrape/exposition.ts";
import { createScrape, type ScrapeSource } from "../../../../mcp-tools/connectors/scrape/scrape.ts";
import { fakeExporter, pageOf } from "../../../fakes/fake-exporter.ts";
import { type RealPrometheus, startPrometheus } from "../../../real/prometheus.ts";
import { requireReal } from "../../../real-component.ts";

/** The two queries of examples/openclaw-agent-config.yaml, as they stand there. */
const ERROR_RATE = 'sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))';
const P99 = "histogram_quantile(0.99, rate(http_request_duration_seconds_bucket[5m]))";

const STEP = 1000;
/** An address on which nothing listens. */
const NOBODY = "127.0.0.1:1";
const never = new AbortController().signal;
const clock = { now: () => Date.now() };
const begun = Date.now() - 60_000;

/**
 * Four processes whose counters are a function of time alone, so that whoever reads them sees the same history:
 * shop 1 and shop 2 at 100 requests a second each, a fifth of shop 2's failing, cart slow (3 s) and never failing, and
 * idle, which serves nobody.
 */
const processes = [
  () =>
    pageOf({
      service: "shop",
      version: "1",
      requests: { 200: served(100) },
      durations: fast(served(100)),
      cpuSeconds: seconds() * 0.25,
    }),
  () =>
    pageOf({
      service: "shop",
      version: "2",
      requests: { 200: served(80), 500: served(20) },
      durations: fast(served(100)),
      cpuSeconds: seconds() * 0.75,
    }),
  () =>
    pageOf({
      service: "cart",
      version: "7",
      requests: { 200: served(50) },
      durations: [0, 0, 0, 0, served(50), served(50), served(50)],
      memoryBytes: 300,
      memoryLimitBytes: 400,
    }),
  () => pageOf({ service: "idle", version: "1", requests: { 200: 40, 500: 2 }, durations: fast(42) }),
];
const seconds = () => (Date.now() - begun) / 1000;
const served = (perSecond: number) => Math.floor(seconds() * perSecond);
const fast = (count: number) => [count, count, count, count, count, count, count];

const query = (text: string, unit: string, scale: number) => ({ query: text, unit, scale, worse: "up" as const });

describe.skipIf(!requireReal("prometheus", "prometheus"))("prometheus, the real one", () => {
  const exporters: Awaited<ReturnType<typeof fakeExporter>>[] = [];
  let prometheus: RealPrometheus;
  let configured: PrometheusSource;
  let bare: PrometheusSource;
  let scrape: ScrapeSource;
  const notes: string[] = [];

  beforeAll(async () => {
    for (const page of processes) exporters.push(await fakeExporter(page));
    prometheus = await startPrometheus({ scrape: [...exporters.map(({ address }) => address), NOBODY] });
    const common = { http: prometheus.http, clock, note: (_: string, text: string) => notes.push(text) };
    configured = createPrometheus({
      ...common,
      queries: {
        error_rate: query(ERROR_RATE, "ratio", 1),
        p99_latency: query(P99, "ms", 1000),
        nowhere: query("absent(x)", "count", 1),
        endless: query("sum(http_requests_total) / 0", "count", 1),
        scrapes: query("min(count_over_time(up[1m]))", "count", 1),
        elsewhere: query("sum by (instance) (up)", "count", 1),
      },
    });
    bare = createPrometheus({ ...common, queries: {}, policyRange: "5s" });
    const targets = exporters.map(({ url }) => ({ url, labels: {} }));
    scrape = await createScrape({
      targets,
      discovery: null,
      intervalMs: STEP,
      windowMs: 60_000,
      spool: null,
      now: Date.now(),
    });
    // Scrapes as the scheduler would, until Prometheus has seen enough for every window below.
    const seen = async () => (await configured.present("scrapes", never)).overall ?? 0;
    for (const giveUp = Date.now() + 40_000; (await seen()) < 9; ) {
      if (Date.now() > giveUp) throw new Error("Prometheus does not scrape");
      await pause(STEP - (Date.now() % STEP));
      await scrape.scrapeOnce(Date.now(), never);
    }
  });

  afterAll(async () => {
    await scrape?.close();
    await prometheus?.[Symbol.asyncDispose]();
    for (const exporter of exporters) await exporter[Symbol.asyncDispose]();
  });

  async function latest(source: PrometheusSource | ScrapeSource, metric: string, purpose: "policy" | "statistics") {
    const now = Date.now();
    const all = await source.range({ metric, window: { from: now - 4000, to: now }, stepMs: STEP, purpose }, never);
    const value = ({ values }: Series) => values.findLast((one) => one !== null) ?? null;
    return Object.fromEntries(all.map((one) => [[one.service, ...Object.values(one.labels)].join(" "), value(one)]));
  }

  it("S9: names a target that it cannot scrape, and none that it can", async () => {
    const byInstance = createPrometheus({ http: prometheus.http, clock, queries: {}, serviceLabel: "instance" });
    expect(await byInstance.targetsDown(never)).toEqual([
      {
        of: "targets",
        how: "partial",
        services: [NOBODY],
        source: "prometheus",
        what: `targets of ${NOBODY}`,
        because: "1 of its targets cannot be scraped",
      },
    ]);
    expect(await bare.targetsDown(never)).toEqual([]); // it carries no service's name
  });

  it("the configured queries, verbatim, speak of each service, and p99 in ms", async () => {
    const errors = await latest(configured, "error_rate", "policy");
    expect(Object.keys(errors).sort()).toEqual(["cart", "shop"]);
    expect(errors.shop).toBeCloseTo(0.1, 1);
    expect(errors.cart).toBe(0);
    const p99 = await latest(configured, "p99_latency", "policy");
    expect(p99.cart).toBeCloseTo(2990, -1);
    expect(p99.shop).toBeLessThan(100);
  });

  it("statistics are raw, and tell the two versions of shop apart, but not the one of cart", async () => {
    const errors = await latest(configured, "error_rate", "statistics");
    expect(Object.keys(errors).sort()).toEqual(["cart", "shop", "shop 1", "shop 2"]);
    expect(errors["shop 1"]).toBe(0);
    expect(errors["shop 2"]).toBeCloseTo(0.2, 1);
    expect(errors.cart).toBe(0);
  });

  it("the usual queries answer where none is configured", async () => {
    for (const purpose of ["policy", "statistics"] as const) {
      expect((await latest(bare, "request_rate", purpose)).cart).toBeGreaterThan(40);
      expect((await latest(bare, "error_rate", purpose)).shop).toBeCloseTo(0.1, 1);
      expect((await latest(bare, "p50_latency", purpose)).cart).toBeCloseTo(2500, -1);
      expect((await latest(bare, "memory_usage", purpose)).cart).toBe(0.75);
      expect(await latest(bare, "health_check_failures", purpose)).toEqual({});
    }
    expect((await latest(bare, "cpu_usage", "policy")).shop).toBeCloseTo(0.5, 1);
    expect((await latest(bare, "cpu_usage", "statistics"))["shop 2"]).toBeCloseTo(0.75, 1);
  });

  it("scrape says the same of the same targets", async () => {
    const to = Date.now();
    for (const metric of ["error_rate", "p99_latency", "p50_latency", "request_rate"]) {
      const query = { metric, window: { from: to - 8000, to }, stepMs: STEP, purpose: "statistics" } as const;
      const [ours, theirs] = [means(await scrape.range(query, never)), means(await bare.range(query, never))];
      expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
      for (const [who, value] of Object.entries(theirs)) {
        // The counters grow by a constant amount, but are read at different moments, and late on a busy machine.
        const near = Math.max(value * 0.15, metric === "error_rate" ? 0.02 : 1);
        expect(Math.abs((ours[who] ?? Number.NaN) - value), `${metric} of ${who}`).toBeLessThan(near);
      }
    }
  });

  it("scrape reads all of a page that a real program serves", async () => {
    const page = await prometheus.http.getText(path`/metrics`, never);
    const read = readExposition(page, 100_000, (series) => labelsOf(series) !== null);
    expect(read.samples).toBe(page.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length);
    expect(read).toMatchObject({ invalid: 0, truncated: false });
  });

  it("has no point younger than a step, and no value from before the first scrape", async () => {
    const now = Date.now();
    const [series] = await bare.range(
      { metric: "request_rate", window: { from: now - 30_000, to: now + 5000 }, stepMs: STEP, purpose: "statistics" },
      never,
    );
    if (series === undefined) throw new Error("no series");
    const last = series.startAt + (series.values.length - 1) * STEP;
    expect(last).toBeLessThanOrEqual(Date.now() - STEP);
    expect(last).toBeGreaterThan(now - 3 * STEP);
    expect(series.startAt % STEP).toBe(0);
    expect(series.values[0]).toBeNull();
    expect(series.values.at(-1)).not.toBeNull();
  });

  it("asks for a long time in pieces that Prometheus accepts", async () => {
    const now = Date.now();
    const window = { from: now - 25_000 * STEP, to: now };
    const [series] = await bare.range({ metric: "request_rate", window, stepMs: STEP, purpose: "statistics" }, never);
    expect(series?.values.length).toBeGreaterThanOrEqual(24_998);
    expect(series?.values.filter((value) => value !== null).length).toBeGreaterThan(2);
  });

  it("says what cannot be determined apart by service, and then knows nothing of it", async () => {
    expect(configured.problems).toEqual([
      { metric: "nowhere", because: expect.stringContaining("belong to no service") },
    ]);
    expect(await latest(configured, "nowhere", "policy")).toEqual({});
  });

  it("hands an infinite sample on as it came, for a gap that people are told of; series of no service are noted", async () => {
    const endless = Object.values(await latest(configured, "endless", "policy"));
    expect(new Set(endless)).toEqual(new Set([Number.POSITIVE_INFINITY]));
    expect(await latest(configured, "elsewhere", "policy")).toEqual({});
    expect(notes.join()).toMatch(/no label service/);
  });

  it("gives check a present value with its unit, over all and by service", async () => {
    const present = await configured.present("p99_latency", never);
    expect(present).toMatchObject({ query: P99, unit: "ms", notByService: null });
    expect(present.overall).toBeCloseTo(2990, -1);
    expect(present.byService.cart).toBeCloseTo(2990, -1);
    expect((await configured.present("nowhere", never)).notByService).toContain("belong to no service");
  });

  it("says how often it scrapes", async () => {
    const targets = await prometheus.http.getJson(path`/api/v1/targets?state=${"active"}`, ActiveTargets, never);
    expect(usualInterval(targets)).toBe(1000);
  });

  it("says who answers", async () => {
    const { version, latencyMs } = await bare.ping(never);
    expect(version).toMatch(/^\d+\.\d+/);
    expect(latencyMs).toBeGreaterThanOrEqual(0);
  });

  it("is down when Prometheus is, and refuses a metric that nobody configured", async () => {
    const window = { from: 0, to: 10_000 };
    const asked = { window, stepMs: STEP, purpose: "policy" } as const;
    await expect(bare.range({ ...asked, metric: "typo" }, never)).rejects.toMatchObject({ code: "metric.unknown" });
    const broken = createPrometheus({
      http: prometheus.http,
      clock,
      queries: { bad: { query: "sum(rate(up))", unit: "", scale: 1, worse: "up" } },
    });
    await expect(broken.range({ ...asked, metric: "bad" }, never)).rejects.toMatchObject({ code: "source.refused" });
  });
});

function means(all: readonly Series[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    all.map(({ service, labels, values }) => {
      const some = values.filter((value) => value !== null);
      const sum = some.reduce((total, value) => total + value, 0);
      return [[service, ...Object.values(labels)].join(" "), sum / some.length];
    }),
  );
}
