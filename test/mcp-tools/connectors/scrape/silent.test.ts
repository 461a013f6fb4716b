import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createScrape } from "../../../../mcp-tools/connectors/scrape/scrape.ts";
import { createSilentTargets, type Failures } from "../../../../mcp-tools/connectors/scrape/silent.ts";
import { fakeExporter, pageOf } from "../../../fakes/fake-exporter.ts";
import { never, options, STEP, shop, T0 } from "./play.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const fine = { targets: 3, failed: [], discoveryFailed: null, spoolFailed: null, dropped: 0, invalidLines: 0 };
const down = (...urls: readonly string[]): Failures => ({
  ...fine,
  failed: urls.map((url) => ({ url, because: "not-sent", services: ["shop"] })),
});

describe("what a scrape does not see", () => {
  it.each<[string, readonly Failures[], number | null]>([
    ["a target that is down from the first tick on is silent at once", [down("a")], 0],
    ["one that misses two ticks is not silent yet: processes start and end", [fine, down("a"), down("a")], null],
    ["one that misses more is, since the first miss", [fine, down("a"), down("a"), down("a"), down("a")], 1],
    ["one that answers in between begins anew", [fine, down("a"), down("a"), fine, down("a"), down("a")], null],
    ["one that answers again is no gap", [down("a"), down("a"), fine], null],
    ["a target that is listed no longer is no gap", [down("a", "b"), { ...fine, targets: 1 }], null],
    ["another target of the service does not move the beginning", [down("a"), down("a", "b"), down("a", "b")], 0],
  ])("%s", (_name, ticks, since) => {
    const gapsOf = createSilentTargets("scrape", 2.5 * STEP);
    const last = ticks.map((tick, i) => gapsOf(tick, T0 + i * STEP)).at(-1);
    const expected = { source: "scrape", what: "targets of shop", since: T0 + (since ?? 0) * STEP };
    expect(last).toEqual(since === null ? [] : [expect.objectContaining(expected)]);
  });

  it("a thousand pods of a service that are down are one gap, which names a few and counts the rest", () => {
    const urls = Array.from({ length: 1000 }, (_, i) => `http://pod-${i}`);
    const gaps = createSilentTargets("scrape", 0)({ ...down(...urls), targets: 1200 }, T0);
    expect(gaps).toHaveLength(1);
    expect(gaps[0]?.because).toMatch(/^http:\/\/pod-0: no connection; .*and 997 more \(1000 of 1200 targets/);
  });

  it("a port that nobody listens on is named with the reason, by its address where no service is known", async () => {
    const nobody = createServer();
    await new Promise<void>((done) => nobody.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(nobody.address() as AddressInfo).port}/metrics`;
    await new Promise((done) => nobody.close(done));
    await using good = await fakeExporter(() => pageOf(shop({ requests: { 200: 1 } })));
    const source = await createScrape(options([url, good.url]));
    stops.push(() => source.close());
    expect((await source.scrapeOnce(T0, never)).gaps).toEqual([
      {
        of: "targets",
        how: "unanswered",
        source: "scrape",
        what: `target ${url}`,
        because: expect.stringContaining("no connection"),
        since: T0,
      },
    ]);
  });

  it("a service whose only target hangs is named, and no longer once it answers", async () => {
    await using exporter = await fakeExporter(() => pageOf(shop({ requests: { 200: 1 } })));
    const source = await createScrape(options([exporter.url], { timeoutMs: 100 }));
    stops.push(() => source.close());
    const gapsAt = async (tick: number) => (await source.scrapeOnce(T0 + tick * STEP, never)).gaps;
    expect(await gapsAt(0)).toEqual([]);
    exporter.be("hang");
    expect([await gapsAt(1), await gapsAt(2), await gapsAt(3)]).toEqual([[], [], []]);
    expect(await gapsAt(4)).toMatchObject([
      { what: "targets of shop", because: expect.stringContaining("no answer in time"), since: T0 + STEP },
    ]);
    exporter.be("fine");
    expect(await gapsAt(5)).toEqual([]);
  });

  it("a discovery that fails is said, while the targets known last are asked on", async () => {
    await using exporter = await fakeExporter(() => pageOf(shop({ requests: { 200: 1 } })));
    let works = true;
    const server = createServer((_, response) => {
      response.writeHead(works ? 200 : 503, { "content-type": "application/json" });
      response.end(works ? JSON.stringify([{ targets: [exporter.address] }]) : "{}");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    stops.push(() => new Promise((done) => server.close(done)));
    const discovery = `http://127.0.0.1:${(server.address() as AddressInfo).port}/targets`;
    const source = await createScrape(options([], { discovery }));
    stops.push(() => source.close());
    expect(await source.scrapeOnce(T0, never)).toMatchObject({ targets: 1, gaps: [] });
    works = false;
    const summaries = [];
    for (let tick = 1; tick <= 4; tick += 1) summaries.push(await source.scrapeOnce(T0 + tick * STEP, never));
    expect(summaries.slice(0, 3).flatMap(({ gaps }) => gaps)).toEqual([]);
    expect(summaries.at(-1)).toMatchObject({
      targets: 1,
      failed: [],
      gaps: [
        { since: T0 + STEP, source: "scrape discovery", because: expect.stringContaining("answered with an error") },
      ],
    });
  });

  it("a spool whose folder is gone is made again; one that cannot be is said, and used again once it can", async () => {
    const parent = await mkdtemp(join(tmpdir(), "unship-silent-"));
    stops.push(() => rm(parent, { recursive: true, force: true }));
    const folder = join(parent, "spool");
    await using exporter = await fakeExporter(() => pageOf(shop({ requests: { 200: 1 } })));
    const source = await createScrape(options([exporter.url], { spool: folder }));
    stops.push(() => source.close());
    const gapsAt = async (tick: number) => (await source.scrapeOnce(T0 + tick * STEP, never)).gaps;
    expect(await gapsAt(0)).toEqual([]);
    await rm(folder, { recursive: true });
    expect(await gapsAt(1)).toEqual([]);
    expect(await readdir(folder)).toHaveLength(1);
    await rm(folder, { recursive: true });
    await writeFile(folder, "in the way");
    expect(await gapsAt(2)).toMatchObject([
      { source: "scrape spool", because: expect.stringMatching(/EEXIST|ENOTDIR/) },
    ]);
    await rm(folder);
    expect(await gapsAt(3)).toEqual([]);
    await source.close();
    const again = await createScrape(options([exporter.url], { spool: folder, now: T0 + 4 * STEP }));
    stops.push(() => again.close());
    expect(again.recovered).toEqual({ ticks: 1, torn: 0 });
  });
});
