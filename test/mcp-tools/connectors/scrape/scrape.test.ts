import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { createScrape, type ScrapeOptions } from "../../../../mcp-tools/connectors/scrape/scrape.ts";
import { fakeExporter, type Process, pageOf } from "../../../fakes/fake-exporter.ts";

const STEP = 1000;
const T0 = 1_700_000_000_000;
const never = new AbortController().signal;
const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

function options(urls: readonly string[], more: Partial<ScrapeOptions> = {}): ScrapeOptions {
  return {
    targets: urls.map((url) => ({ url, labels: {} })),
    discovery: null,
    intervalMs: STEP,
    windowMs: 600_000,
    spool: null,
    now: T0,
    policyWindowMs: 3000,
    ...more,
  };
}

const shop = (more: Partial<Process>): Process => ({ service: "shop", version: "1", requests: {}, ...more });

/** Scrapes once per page at T0, T0+1 s, …, each exporter serving its page of that tick (null: it hangs up). */
async function play(exporters: readonly (readonly (string | null)[])[], more: Partial<ScrapeOptions> = {}) {
  const servers = await Promise.all(exporters.map(() => fakeExporter(() => "")));
  const source = await createScrape(
    options(
      servers.map(({ url }) => url),
      more,
    ),
  );
  const ticks = exporters[0]?.length ?? 0;
  for (let tick = 0; tick < ticks; tick += 1) {
    servers.forEach((server, i) => {
      const page = exporters[i]?.[tick] ?? null;
      server.be(page === null ? "refuse" : "fine");
      server.serve(() => page ?? "");
    });
    await source.scrapeOnce(T0 + tick * STEP, never);
  }
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  const window = { from: T0 + STEP, to: T0 + (ticks - 1) * STEP };
  return {
    async values(metric: string, labels: Record<string, string> = {}, purpose: "statistics" | "policy" = "statistics") {
      const all = await source.range({ metric, window, stepMs: STEP, purpose }, never);
      return all.find((one) => JSON.stringify(one.labels) === JSON.stringify(labels))?.values;
    },
    series: (metric: string) => source.range({ metric, window, stepMs: STEP, purpose: "statistics" }, never),
    source,
  };
}

const pages = (...all: readonly (Partial<Process> | null)[]) =>
  all.map((one) => (one === null ? null : pageOf(shop(one))));

describe("scrape", () => {
  it.each([
    [
      "requests a second",
      "request_rate",
      pages({ requests: { 200: 5 } }, { requests: { 200: 15 } }, { requests: { 200: 18 } }),
      [10, 3],
    ],
    [
      "the share of 5xx",
      "error_rate",
      pages({ requests: { 200: 0, 500: 0 } }, { requests: { 200: 9, 500: 1 } }, { requests: { 200: 9, 500: 3 } }),
      [0.1, 1],
    ],
    ["0 where no 5xx has ever been", "error_rate", pages({ requests: { 200: 0 } }, { requests: { 200: 9 } }), [0]],
    [
      "the very first 5xx of a service that has served before",
      "error_rate",
      pages({ requests: { 200: 0 } }, { requests: { 200: 6, 503: 2 } }),
      [0.25],
    ],
    [
      "4xx is the caller's failure",
      "error_rate",
      pages({ requests: { 200: 0, 404: 0 } }, { requests: { 200: 1, 404: 9 } }),
      [0],
    ],
    [
      "unknown, not 0, without traffic",
      "error_rate",
      pages({ requests: { 200: 7, 500: 1 } }, { requests: { 200: 7, 500: 1 } }, { requests: { 200: 8, 500: 1 } }),
      [null, 0],
    ],
    [
      "no latency without requests",
      "p99_latency",
      pages(
        { durations: [0, 0, 0, 0, 0, 0, 0] },
        { durations: [0, 0, 0, 0, 0, 0, 0] },
        { durations: [1, 1, 1, 1, 1, 1, 1] },
      ),
      [null, 99],
    ],
    [
      "a latency in ms, linear within its bucket",
      "p99_latency",
      pages({ durations: [0, 0, 0, 0, 0, 0, 0] }, { durations: [0, 0, 0, 0, 100, 100, 100] }),
      [2990],
    ],
    [
      "the median",
      "p50_latency",
      pages({ durations: [0, 0, 0, 0, 0, 0, 0] }, { durations: [10, 10, 10, 10, 10, 10, 10] }),
      [50],
    ],
    [
      "cores used of the cores there are",
      "cpu_usage",
      pages({ requests: { 200: 0 }, cpuSeconds: 2 }, { requests: { 200: 1 }, cpuSeconds: 2.25 }),
      [0.25],
    ],
    [
      "memory of its limit",
      "memory_usage",
      pages(
        { requests: { 200: 0 }, memoryBytes: 1, memoryLimitBytes: 8 },
        { requests: { 200: 1 }, memoryBytes: 2, memoryLimitBytes: 8 },
      ),
      [0.25],
    ],
    [
      "a counter that fell has restarted from 0",
      "request_rate",
      pages({ requests: { 200: 50 } }, { requests: { 200: 4 } }, { requests: { 200: 9 } }),
      [4, 5],
    ],
    [
      "a restart that overtook the old value is seen by its start time",
      "request_rate",
      pages({ requests: { 200: 5 }, startedAt: T0 - 9000 }, { requests: { 200: 8 }, startedAt: T0 + 100 }),
      [8],
    ],
    [
      "one missed answer is a gap, and the next covers both steps",
      "request_rate",
      pages({ requests: { 200: 0 } }, null, { requests: { 200: 20 } }, { requests: { 200: 30 } }),
      [null, 10, 10],
    ],
    [
      "after a long gap counting begins anew",
      "request_rate",
      pages({ requests: { 200: 0 } }, null, null, null, { requests: { 200: 99 } }, { requests: { 200: 100 } }),
      [null, null, null, null, 1],
    ],
    [
      "a page that says nothing is a gap",
      "error_rate",
      pages({ requests: { 200: 0 } }, null, { requests: { 200: 4 } }),
      [null, 0],
    ],
  ])("%s", async (_, metric, exporter, expected) => {
    const { values } = await play([exporter]);
    const found = await values(metric);
    expect(found?.length).toBe(expected.length);
    expected.forEach((value, i) => {
      if (value === null) expect(found?.[i]).toBeNull();
      else expect(found?.[i]).toBeCloseTo(value, 9);
    });
  });

  it("adds up the pods of a service, and tells versions apart while two serve", async () => {
    const old = [10, 20, 30].map((count) => pageOf(shop({ requests: { 200: count } })));
    const next = [0, 3, 4].map((count) => pageOf(shop({ version: "2", requests: { 200: 0, 500: count } })));
    const { values, series } = await play([old, old, next]);
    expect(await values("request_rate")).toEqual([23, 21]);
    expect(await values("error_rate")).toEqual([3 / 23, 1 / 21]);
    expect(await values("error_rate", { version: "1" })).toEqual([0, 0]);
    expect(await values("error_rate", { version: "2" })).toEqual([1, 1]);
    expect((await series("error_rate"))[0]).toMatchObject({
      service: "shop",
      unit: "ratio",
      worse: "up",
      labels: {},
      startAt: T0 + STEP,
    });
  });

  it("counts a pod that was born since the last tick from 0, and takes an old stranger as it is", async () => {
    const old = [10, 20, 30].map((count) => pageOf(shop({ requests: { 200: count } })));
    const born = pageOf(shop({ version: "2", requests: { 500: 7 }, startedAt: T0 + 1500 }));
    const stranger = pageOf(shop({ version: "3", requests: { 500: 900 }, startedAt: T0 - 9e6 }));
    const { values } = await play([old, [null, null, born], [null, null, stranger]]);
    expect(await values("error_rate")).toEqual([0, 7 / 17]);
  });

  it("does not take the rate of those that answered for the rate of all", async () => {
    const steady = [0, 10, 20, 30].map((count) => pageOf(shop({ requests: { 200: count } })));
    const { values } = await play([steady, [steady[0] ?? "", steady[1] ?? "", null, steady[3] ?? ""]]);
    const rates = await values("request_rate");
    expect(rates?.[0]).toBe(20);
    expect(rates?.[1]).toBeNull();
    expect(await values("error_rate")).toEqual([0, 0, 0]);
  });

  it("smooths for policies as a rate over the window would, and stays silent where nothing was measured", async () => {
    const counts = [[0, 0], [10, 0], [10, 10], [30, 10], null, null, null, [60, 60], [60, 70]] as const;
    const exporter = counts.map((one) =>
      one === null ? null : pageOf(shop({ requests: { 200: one[0], 500: one[1] } })),
    );
    const { values } = await play([exporter]);
    expect(await values("error_rate", {}, "statistics")).toEqual([0, 1, 0, null, null, null, null, 1]);
    expect(await values("error_rate", {}, "policy")).toEqual([0, 0.5, 10 / 40, null, null, null, null, 1]);
  });

  it("puts steps together where a coarser grid is asked for", async () => {
    const exporter = [0, 1, 3, 6, 10].map((count) => pageOf(shop({ requests: { 200: count } })));
    const { source } = await play([exporter]);
    const [series] = await source.range(
      { metric: "request_rate", window: { from: T0, to: T0 + 4000 }, stepMs: 2000, purpose: "statistics" },
      never,
    );
    expect(series).toMatchObject({ startAt: T0, stepMs: 2000, values: [null, 1.5, 3.5] });
  });

  it("has no step after the last tick, complete or not", async () => {
    const exporter = [0, 1, 3].map((count) => pageOf(shop({ requests: { 200: count } })));
    const { source } = await play([exporter]);
    const window = { from: T0 + 1000, to: T0 + 60_000 };
    const [series] = await source.range({ metric: "request_rate", window, stepMs: STEP, purpose: "statistics" }, never);
    expect(series?.values).toEqual([1, 2]);
  });

  it("reads gauges and counters of one's own", async () => {
    const pages = [5, 8].map(
      (depth) =>
        `queue_depth{service="shop",queue="a"} ${depth}\nqueue_depth{service="shop",queue="b"} 100\njobs_total{service="shop"} ${depth * 2}\n`,
    );
    const common = { unit: "jobs", scale: 1, worse: "up" } as const;
    const { values } = await play([pages], {
      custom: {
        depth: { ...common, series: "queue_depth", matchers: [["queue", "a"]], kind: "gauge", aggregate: "sum" },
        deepest: { ...common, series: "queue_depth", matchers: [], kind: "gauge", aggregate: "max" },
        jobs: { ...common, series: "jobs_total", matchers: [], kind: "counter", aggregate: "sum" },
      },
    });
    expect(await values("depth")).toEqual([8]);
    expect(await values("deepest")).toEqual([100]);
    expect(await values("jobs")).toEqual([6]);
  });

  it("takes what a process says of itself without a service's name for the one service that it names elsewhere", async () => {
    const page = (cpu: number) =>
      `http_requests_total{service="shop",status="200"} ${cpu}\nprocess_cpu_seconds_total ${cpu}\nprocess_cpu_limit_cores 2\n`;
    const both = (cpu: number) => `${page(cpu)}http_requests_total{service="cart",status="200"} 1\n`;
    expect(await (await play([[page(1), page(2)]])).values("cpu_usage")).toEqual([0.5]);
    expect(await (await play([[both(1), both(2)]])).values("cpu_usage")).toBeUndefined();
  });

  it("refuses a metric that it cannot know, naming those that it can", async () => {
    const { source } = await play([]);
    await expect(
      source.range(
        { metric: "health_check_failures", window: { from: 0, to: 1 }, stepMs: STEP, purpose: "policy" },
        never,
      ),
    ).rejects.toMatchObject({ code: "metric.unknown" });
  });

  it.each([["hang"], ["refuse"], ["cut-off"], ["error"]] as const)(
    "a target that answers with %s is a gap, and does not keep others waiting past the timeout",
    async (mood) => {
      await using good = await fakeExporter(() => pageOf(shop({ requests: { 200: 1 } })));
      await using bad = await fakeExporter(() => pageOf(shop({ service: "cart", requests: { 200: 1 } })));
      bad.be(mood);
      const source = await createScrape(options([bad.url, good.url], { timeoutMs: 300, concurrency: 1 }));
      const summary = await source.scrapeOnce(T0, never);
      expect(summary.failed.map(({ url }) => url)).toContain(bad.url);
      bad.be("fine");
      expect((await source.scrapeOnce(T0 + STEP, never)).failed).toEqual([]);
      await source.close();
    },
  );

  it("takes a page that is too large, or has too many samples, for no more than it can hold", async () => {
    await using large = await fakeExporter(() => "# x".repeat(10_000));
    await using many = await fakeExporter(() => "a 1\n".repeat(1000));
    const source = await createScrape(options([large.url, many.url], { maxBytes: 20_000, maxSamples: 100 }));
    expect(await source.scrapeOnce(T0, never)).toMatchObject({
      samples: 100,
      failed: [{ url: large.url, because: "source.too_large" }],
    });
    await source.close();
  });

  it("reads so many pages at a time as it may, and no more", async () => {
    let [now, most] = [0, 0];
    const server = createServer(async (_, response) => {
      now += 1;
      most = Math.max(most, now);
      await pause(5);
      now -= 1;
      response.end("a 1\n");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const urls = Array.from({ length: 12 }, (_, i) => `${base}/metrics?pod=${i}`);
    const source = await createScrape(options(urls, { concurrency: 3, timeoutMs: 10_000 }));
    expect(await source.scrapeOnce(T0, never)).toMatchObject({ targets: 12, samples: 12, failed: [] });
    expect(most).toBe(3);
    await source.close();
    server.close();
  });

  it("goes on when the clock was set back", async () => {
    let count = 0;
    await using exporter = await fakeExporter(() => pageOf(shop({ requests: { 200: count } })));
    const source = await createScrape(options([exporter.url]));
    for (const at of [0, 1, 2, 2, -50, -49, -48]) {
      count += 10;
      await source.scrapeOnce(T0 + at * STEP, never);
    }
    const window = { from: T0 - 50 * STEP, to: T0 - 48 * STEP };
    const [series] = await source.range({ metric: "request_rate", window, stepMs: STEP, purpose: "statistics" }, never);
    expect(series?.values).toEqual([null, 10, 10]);
    await source.close();
  });

  it("asks for a target as discovery says: scheme, path and parameters; what is no address is passed over", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.end("up 1\n");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const list = [
      { targets: [address], labels: { __metrics_path__: "/a b/metrics", __param_module: "x&y", service: "shop" } },
      { targets: [address, "no address: at all"] },
      { targets: [address], labels: { __scheme__: "file" } },
      { targets: [address], labels: { __metrics_path__: "http://elsewhere.invalid/metrics/" } },
    ];
    await using registry = await fakeExporter(() => JSON.stringify(list), "application/json");
    const source = await createScrape(options([], { discovery: registry.url }));
    expect((await source.scrapeOnce(T0, never)).discoveryFailed).toBeNull();
    expect(asked.sort()).toEqual(["/a%20b/metrics?module=x%26y", "/http%3A//elsewhere.invalid/metrics/", "/metrics"]);
    await source.close();
    server.close();
  });

  it("finds targets by HTTP service discovery, follows them, and keeps the last list while discovery is down", async () => {
    await using one = await fakeExporter(() => 'http_requests_total{status="200"} 5\n');
    await using two = await fakeExporter(() => 'http_requests_total{status="200"} 5\n');
    let list: unknown = [{ targets: [one.address], labels: { service: "shop", version: "1", __meta_x: "y" } }];
    await using registry = await fakeExporter(() => JSON.stringify(list), "application/json");
    const source = await createScrape(options([], { discovery: registry.url, timeoutMs: 1000 }));
    expect(await source.scrapeOnce(T0, never)).toMatchObject({ targets: 1, failed: [], discoveryFailed: null });
    list = [{ targets: [one.address, two.address], labels: { service: "shop", version: "1" } }];
    expect(await source.scrapeOnce(T0 + STEP, never)).toMatchObject({ targets: 2, failed: [] });
    registry.be("error");
    expect(await source.scrapeOnce(T0 + 2 * STEP, never)).toMatchObject({ targets: 2, discoveryFailed: "status" });
    expect(two.asked).toBe(2);
    await source.close();
  });

  it("goes on after a restart with what it had written down", async () => {
    const spool = await mkdtemp(join(tmpdir(), "unship-spool-"));
    folders.push(spool);
    const exporter = [0, 10, 20].map((count) =>
      pageOf(
        shop({
          requests: { 200: count, 500: count / 10 },
          durations: [count, count, count, count, count, count, count],
        }),
      ),
    );
    const before = await play([exporter], { spool });
    await before.source.close();
    const after = await createScrape(options([], { spool, now: T0 + 5000 }));
    expect(after.recovered).toEqual({ ticks: 3, torn: 0 });
    const window = { from: T0 + STEP, to: T0 + 2 * STEP };
    for (const metric of ["error_rate", "request_rate", "p99_latency"]) {
      const query = { metric, window, stepMs: STEP, purpose: "statistics" } as const;
      expect(await after.range(query, never)).toEqual(await before.source.range(query, never));
    }
    await after.close();
  });

  it("says that it is down when nobody has answered for three ticks, but still tells of the time before", async () => {
    await using exporter = await fakeExporter(() => pageOf(shop({ requests: { 200: 1 } })));
    const source = await createScrape(options([exporter.url]));
    const range = (from: number) =>
      source.range(
        { metric: "request_rate", window: { from, to: T0 + 9 * STEP }, stepMs: STEP, purpose: "policy" },
        never,
      );
    for (const tick of [0, 1]) await source.scrapeOnce(T0 + tick * STEP, never);
    exporter.be("refuse");
    for (const tick of [2, 3]) await source.scrapeOnce(T0 + tick * STEP, never);
    expect(await range(T0 + 2 * STEP)).toEqual([]);
    await source.scrapeOnce(T0 + 4 * STEP, never);
    await expect(range(T0 + 2 * STEP)).rejects.toMatchObject({ code: "source.unavailable" });
    expect((await range(T0)).length).toBe(1);
    exporter.be("fine");
    await source.scrapeOnce(T0 + 5 * STEP, never);
    expect(await range(T0 + 2 * STEP)).toEqual([]);
    await source.close();
  });

  it("loses no tick that it has finished, however often its process is killed", async () => {
    const spool = await mkdtemp(join(tmpdir(), "unship-spool-"));
    folders.push(spool);
    let asked = 0;
    await using exporter = await fakeExporter(() => {
      asked += 1;
      return pageOf(shop({ requests: { 200: asked * 10 } }));
    });
    let next = T0;
    const done: number[] = [];
    for (const ticks of [8, 3, 15]) {
      const script = join(import.meta.dirname, "scrape-child.ts");
      const child = spawn(process.execPath, [script, spool, exporter.url, String(next)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const first = next;
      for await (const line of createInterface({ input: child.stdout })) {
        const at = Number(line);
        if (at > first) done.push(at); // the first answer of a process is where it begins to count
        next = at + STEP;
        if (at >= first + ticks * STEP) child.kill("SIGKILL");
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      expect(child.signalCode).toBe("SIGKILL");
      next += 10 * STEP; // what it wrote without saying so must not meet the next one's ticks
    }
    const after = await createScrape(options([], { spool, now: next, windowMs: 1e9 }));
    const window = { from: T0, to: next };
    const [series] = await after.range({ metric: "request_rate", window, stepMs: STEP, purpose: "statistics" }, never);
    expect(done.length).toBeGreaterThanOrEqual(26);
    for (const at of done) expect(series?.values[(at - T0) / STEP], String(at)).toBe(10);
    await after.close();
  });
});
