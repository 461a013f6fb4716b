import { describe, expect, it } from "vitest";
import { type Process, pageOf } from "../../../fakes/fake-exporter.ts";
import { never, play, STEP, shop, T0 } from "./play.ts";

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
});
