import { describe, expect, it } from "vitest";
import { createScrape } from "../../../../mcp-tools/connectors/scrape/scrape.ts";
import { BOUNDS, fakeExporter, pageOf } from "../../../fakes/fake-exporter.ts";
import { never, options, play, STEP, shop, T0 } from "./play.ts";

/** A page after so many requests; `fast`, `slow`, `slower`: how many of them ended within 0.5 s, 1 s, and 3 s. */
function page(fast: number, slow: number, slower: number, version = "1"): string {
  const all = fast + slow + slower;
  const durations = BOUNDS.map((bound) => (bound >= 3 ? all : bound >= 1 ? fast + slow : bound >= 0.5 ? fast : 0));
  return pageOf(shop({ version, requests: { 200: all }, durations }));
}

/** Pages of a service by what each step adds. */
function steps(added: readonly (readonly [fast: number, slow: number, slower: number])[], version = "1") {
  const total = [0, 0, 0];
  const pages = [page(0, 0, 0, version)];
  for (const one of added) {
    one.forEach((count, i) => {
      total[i] = (total[i] ?? 0) + count;
    });
    pages.push(page(total[0] ?? 0, total[1] ?? 0, total[2] ?? 0, version));
  }
  return pages;
}

describe("the share of slow requests", () => {
  it("counts those beyond the lowest bucket's bound that at most 5 % of requests pass", async () => {
    const { values, series } = await play([
      steps([
        [180, 15, 5],
        [190, 8, 2],
        [100, 0, 0],
      ]),
    ]);
    const [second, third] = (await values("slow_share"))?.slice(1) ?? [];
    expect([second, third]).toEqual([expect.closeTo(2 / 200, 9), 0]); // 23 of 500 pass 1 s at 0.5 s: 6 %; at 1 s: 1.4 %
    expect(await series("slow_share")).toMatchObject([{ service: "shop", unit: "ratio", worse: "up", labels: {} }]);
  });

  it("keeps its bound, so that a service that gets slow shows it", async () => {
    const pages = steps([
      [195, 5, 0],
      [195, 5, 0],
      [100, 60, 40],
    ]);
    await using exporter = await fakeExporter(() => "");
    const source = await createScrape(options([exporter.url]));
    const told: (number | null | undefined)[] = [];
    for (const [tick, text] of pages.entries()) {
      exporter.serve(() => text);
      const now = T0 + tick * STEP;
      await source.scrapeOnce(now, never);
      const query = { metric: "slow_share", stepMs: STEP, purpose: "statistics" } as const;
      const [series] = await source.range({ ...query, window: { from: now, to: now } }, never);
      told.push(series?.values.at(-1));
    }
    expect(told.slice(2)).toEqual([expect.closeTo(0.025, 9), expect.closeTo(0.5, 9)]); // a bound chosen anew would say 0
    expect(source.metrics()).toContain("slow_share");
    await source.close();
  });

  it("is unknown, not 0: without requests in a step, without buckets, and before 200 requests were counted", async () => {
    const idle = await play([
      steps([
        [300, 1, 0],
        [0, 0, 0],
        [10, 0, 0],
      ]),
    ]);
    expect(await idle.values("slow_share")).toEqual([expect.closeTo(1 / 301, 9), null, 0]);
    const none = await play([[0, 300, 900].map((count) => pageOf(shop({ requests: { 200: count } })))]);
    expect(await none.series("slow_share")).toEqual([]);
    const few = await play([
      steps([
        [50, 0, 0],
        [50, 0, 0],
      ]),
    ]);
    expect(await few.series("slow_share")).toEqual([]);
  });

  it("is told of each version while two serve, by one bound", async () => {
    const { values } = await play([
      steps([
        [300, 2, 0],
        [300, 2, 0],
      ]),
      steps(
        [
          [90, 8, 2],
          [90, 8, 2],
        ],
        "2",
      ),
    ]);
    expect((await values("slow_share", { version: "2" }))?.at(-1)).toBeCloseTo(0.1, 9);
    expect((await values("slow_share", { version: "1" }))?.at(-1)).toBeCloseTo(2 / 302, 9);
  });
});
