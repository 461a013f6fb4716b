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
import { createScrape } from "../../../../mcp-tools/connectors/scrape/scrape.ts";
import { fakeExporter, pageOf } from "../../../fakes/fake-exporter.ts";
import { never, options, play, STEP, shop, T0 } from "./play.ts";

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

describe("scrape, its targets and its memory", () => {
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

  it("reads of a page that is too large, or has too many samples, no more than it can hold, and takes its samples as unknown", async () => {
    await using large = await fakeExporter(() => "# x".repeat(10_000));
    await using many = await fakeExporter(() => "a 1\n".repeat(1000));
    const source = await createScrape(options([large.url, many.url], { maxBytes: 20_000, maxSamples: 100 }));
    expect(await source.scrapeOnce(T0, never)).toMatchObject({
      samples: 100,
      failed: [
        { url: large.url, because: expect.stringMatching(/^it sent more than .* in one answer; let the exporter/) },
        { url: many.url, because: "it sent more than 100 samples in its page; let it show fewer series" },
      ],
      gaps: [{ how: "unanswered" }, { how: "unanswered" }],
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
