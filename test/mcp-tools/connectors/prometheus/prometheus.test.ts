import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import type { Lack } from "../../../../core/ports.ts";
import { createHttp } from "../../../../mcp-tools/connectors/http.ts";
import { createPrometheus, type PrometheusOptions } from "../../../../mcp-tools/connectors/prometheus/prometheus.ts";

const STEP = 15_000;
const T = 1_700_000_010_000; // a multiple of the step
const never = new AbortController().signal;
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Asked {
  readonly path: string;
  readonly form: Readonly<Record<string, string>>;
}

/** Something that speaks Prometheus' API and answers what the test says, for what the real one cannot be made to do. */
async function answering(answer: (asked: Asked) => unknown, more: Partial<PrometheusOptions> = {}) {
  const asked: Asked[] = [];
  const notes: string[] = [];
  const server = createServer(async (request, response) => {
    const form = Object.fromEntries(new URLSearchParams(await text(request)));
    const one = { path: request.url ?? "", form };
    asked.push(one);
    const body = answer(one);
    response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body ?? {}));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const http = createHttp({
    source: "prometheus",
    base: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
  });
  stops.push(
    () => http.close(),
    () => new Promise((resolve) => server.close(resolve)),
  );
  const source = createPrometheus({
    http,
    clock: { now: () => T + 3_600_000 },
    queries: {},
    note: (metric, said) => notes.push(`${metric}: ${said}`),
    ...more,
  });
  const range = (metric = "request_rate", from = T, to = T + 3 * STEP, purpose: "policy" | "statistics" = "policy") =>
    source.range({ metric, window: { from, to }, stepMs: STEP, purpose }, never);
  return { source, range, asked, notes };
}

const matrix = (result: unknown, more: object = {}) => ({
  status: "success",
  data: { resultType: "matrix", result },
  ...more,
});
const shop = (values: unknown) => ({ metric: { service: "shop" }, values });
const at = (step: number) => (T + step * STEP) / 1000;

describe("prometheus", () => {
  it("puts points where they belong on the grid; what is absent or NaN is missing, and what is infinite is handed on", async () => {
    const { range, notes } = await answering(() =>
      matrix([
        shop([
          [at(0), "1"],
          [at(2), "NaN"],
          [at(3), "+Inf"],
        ]),
        { metric: { service: "cart" }, values: [[at(1), "2.5"]] },
      ]),
    );
    expect(await range()).toEqual([
      {
        service: "shop",
        metric: "request_rate",
        unit: "req/s",
        worse: "either",
        labels: {},
        startAt: T,
        stepMs: STEP,
        values: [1, null, null, Number.POSITIVE_INFINITY],
      },
      expect.objectContaining({ service: "cart", values: [null, 2.5, null, null] }),
    ]);
    expect(notes).toEqual([]);
  });

  it("asks once for a metric, whatever the number of services, at whole multiples of the step", async () => {
    const { range, asked } = await answering(() => matrix([]));
    await range("error_rate", T + 1, T + 2 * STEP + 7);
    expect(asked.length).toBe(1);
    expect(asked[0]).toMatchObject({
      path: "/api/v1/query_range",
      form: { start: String(at(1).toFixed(3)), end: String(at(2).toFixed(3)), step: "15.000" },
    });
  });

  it("cuts a long time into answers of at most 11,000 points, without an overlap or a hole", async () => {
    const { range, asked } = await answering(
      ({ form }) =>
        matrix([
          shop([
            [Number(form.start), "1"],
            [Number(form.end), "2"],
          ]),
        ]),
      {
        clock: { now: () => T * 2 },
      },
    );
    const [series] = await range("request_rate", T, T + 22_000 * STEP);
    expect(asked.map(({ form }) => [Number(form.start), Number(form.end)])).toEqual([
      [at(0), at(10_999)],
      [at(11_000), at(21_999)],
      [at(22_000), at(22_000)],
    ]);
    expect(series?.values.length).toBe(22_001);
    expect(series?.values.filter((value) => value !== null).length).toBe(5);
  });

  it("leaves out points younger than a step, at most ten seconds", async () => {
    const { range, asked } = await answering(() => matrix([]), { clock: { now: () => T + 2 * STEP + 9_999 } });
    await range();
    expect(asked[0]?.form.end).toBe(at(1).toFixed(3));
    const younger = await answering(() => matrix([]), { clock: { now: () => T + 2 * STEP + 10_000 } });
    await younger.range();
    expect(younger.asked[0]?.form.end).toBe(at(2).toFixed(3));
    expect(await younger.range("request_rate", T + 10 * STEP, T + 20 * STEP)).toEqual([]);
    expect(younger.asked.length).toBe(1);
  });

  it("hears warnings", async () => {
    const { range, notes } = await answering(() => matrix([], { warnings: ["a store is away"] }));
    await range();
    expect(notes).toEqual(["request_rate: a store is away"]);
  });

  it.each([
    ["that says so", { isPartial: true }, 1],
    ["with the error of a store among its warnings", { warnings: ["No StoreAPIs matched, secret=hunter2"] }, 1],
    ["with a remark on the query is whole", { warnings: ["PromQL warning: bucket label is missing"] }, 0],
    ["with infos is whole", { infos: ["PromQL info: metric might not be a counter"] }, 0],
  ])("a partial answer tells whoever asked what it lacks, and nobody else: one %s", async (_name, more, gaps) => {
    let now: object = more;
    const { source } = await answering(() => matrix([], now));
    const lacksOf = async (): Promise<readonly Lack[]> => {
      const lacks: Lack[] = [];
      const window = { from: T, to: T + 3 * STEP };
      const about = { metric: "request_rate", window, stepMs: STEP, purpose: "policy" } as const;
      await source.range({ ...about, lacks: (lack) => lacks.push(lack) }, never);
      return lacks;
    };
    const told = await lacksOf();
    expect(told.map(({ at }) => at)).toEqual(new Array(gaps).fill(T + 3 * STEP));
    expect(
      told.every(({ gap: { of, how, metric } }) => `${of} ${how} ${metric}` === "metrics partial request_rate"),
    ).toBe(true);
    expect(JSON.stringify(told)).not.toContain("hunter2");
    now = {};
    expect(await lacksOf()).toEqual([]);
  });

  it("names the services whose targets have been down for a minute", async () => {
    const result = [{ metric: { service: "cart" }, value: [T / 1000, "2"] }];
    const vector = { status: "success", data: { resultType: "vector", result } };
    const { source, asked } = await answering(() => vector);
    expect(await source.targetsDown(never)).toEqual([
      {
        of: "targets",
        how: "partial",
        services: ["cart"],
        source: "prometheus",
        what: "targets of cart",
        because: "2 of its targets cannot be scraped",
      },
    ]);
    expect(asked[0]?.form.query).toBe(
      'count by (service) (up{service!=""} == 0 and max_over_time(up{service!=""}[1m]) == 0)',
    );
  });

  it.each([
    ["no JSON", "<html>"],
    ["an error with status 200", { status: "error", errorType: "timeout", error: "query timed out" }],
    [
      "a vector of something else",
      { status: "success", data: { resultType: "matrix", result: [{ metric: { service: 5 }, values: [] }] } },
    ],
    ["points that are no points", matrix([shop([["soon", "1"]])])],
    ["text", { status: "success", data: { resultType: "string", result: [1, "x"] } }],
  ])("refuses %s", async (_, body) => {
    const { range } = await answering(() => body);
    await expect(range()).rejects.toMatchObject({ code: "source.shape" });
  });

  it("asks statistics over one step and one scrape, by service and by version, in one query", async () => {
    const activeTargets = ["15s", "1m30s", "1m30s", "1m30s", "1h"].map((scrapeInterval) => ({ scrapeInterval }));
    const { range, asked } = await answering(({ path }) =>
      path.includes("targets") ? { status: "success", data: { activeTargets } } : matrix([]),
    );
    await range("request_rate", T, T + STEP, "statistics");
    await range("request_rate", T, T + STEP, "statistics");
    expect(asked.map(({ path }) => path)).toEqual([
      "/api/v1/targets?state=active",
      "/api/v1/query_range",
      "/api/v1/query_range",
    ]);
    expect(asked[1]?.form.query).toBe(
      "(sum by (service) (rate(http_requests_total[105000ms]))) or (sum by (service, version) (rate(http_requests_total[105000ms])))",
    );
  });

  it("takes the step for the scrape interval where Prometheus does not tell it", async () => {
    const { range, asked } = await answering(({ path }) => (path.includes("targets") ? undefined : matrix([])));
    await range("request_rate", T, T + STEP, "statistics");
    expect(asked.at(-1)?.form.query).toContain("[30000ms]");
  });

  it("asks statistics of the names that the configured query has, and of the usual ones where it cannot", async () => {
    const own = { unit: "ratio", scale: 1, worse: "up" } as const;
    const { range, asked } = await answering(() => matrix([]), {
      scrapeIntervalMs: STEP,
      queries: {
        error_rate: { ...own, query: "sum(rate(grpc_failed_total[5m])) / sum(rate(grpc_handled_total[5m]))" },
        p99_latency: { ...own, query: "max_over_time(job:latency:p99[10m])" },
      },
    });
    await range("error_rate", T, T + STEP, "statistics");
    await range("p99_latency", T, T + STEP, "statistics");
    expect(asked[0]?.form.query).toContain("rate(grpc_handled_total[30000ms])");
    expect(asked[0]?.form.query).not.toContain("5m");
    expect(asked[1]?.form.query).toContain("http_request_duration_seconds_bucket[30000ms]");
  });

  it("counts requests, and takes the median, where the configured queries count and measure", async () => {
    const own = { unit: "", scale: 1, worse: "up" } as const;
    const { range, asked } = await answering(() => matrix([shop([[at(0), "0.25"]])]), {
      scrapeIntervalMs: STEP,
      queries: {
        error_rate: { ...own, query: '100 * sum(rate(grpc_total{code!="OK"}[5m])) / sum(rate(grpc_total[5m]))' },
        p99_latency: { ...own, scale: 1000, query: "histogram_quantile(0.99, rate(grpc_seconds_bucket[5m]))" },
      },
    });
    await range("request_rate", T, T + STEP, "statistics");
    const [median] = await range("p50_latency", T, T + STEP);
    expect(asked[0]?.form.query).toContain("(sum by (service) (rate(grpc_total[30000ms])))");
    expect(asked[1]?.form.query).toBe("histogram_quantile(0.5, sum by (le, service) (rate(grpc_seconds_bucket[5m])))");
    expect(median?.values[0]).toBe(250);
  });

  it("takes versions for its own label, under whatever name they come, and only while two serve", async () => {
    const by = (version: string, value: string) => ({
      metric: { app: "shop", rev: version },
      values: [[at(0), value]],
    });
    const whole = { metric: { app: "shop" }, values: [[at(0), "1"]] };
    const one = await answering(() => matrix([whole, by("a", "1"), by("b", "NaN")]), {
      serviceLabel: "app",
      versionLabel: "rev",
    });
    expect((await one.range()).map(({ labels }) => labels)).toEqual([{}]);
    const two = await answering(() => matrix([whole, by("a", "1"), by("b", "2")]), {
      serviceLabel: "app",
      versionLabel: "rev",
    });
    expect((await two.range()).map(({ labels }) => labels)).toEqual([{}, { version: "a" }, { version: "b" }]);
    expect(two.asked[0]?.form.query).toContain("by (app)");
  });
});
