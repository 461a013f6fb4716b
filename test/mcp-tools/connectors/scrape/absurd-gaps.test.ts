import { describe, expect, it } from "vitest";
import { createObserving } from "../../../../agent/compose/observers.ts";
import type { Gap } from "../../../../core/model/assessment.ts";
import { createScrape } from "../../../../mcp-tools/connectors/scrape/scrape.ts";
import { fakeExporter } from "../../../fakes/fake-exporter.ts";
import { never, options, play, STEP, T0 } from "./play.ts";

const page = (of500: string, cpu = "1") =>
  `http_requests_total{service="lone",status="200"} 5\nhttp_requests_total{service="lone",status="500"} ${of500}\n` +
  `process_cpu_seconds_total{service="lone"} ${cpu}\n`;

/** What the pages of "lone" are said not to show, tick by tick; null: its only target hangs up. */
async function told(pages: readonly (string | null)[]): Promise<readonly (readonly string[])[]> {
  await using server = await fakeExporter(() => "");
  const source = await createScrape(options([server.url]));
  const seen: (readonly string[])[] = [];
  for (const [tick, text] of pages.entries()) {
    server.be(text === null ? "refuse" : "fine");
    server.serve(() => text ?? "");
    const { gaps } = await source.scrapeOnce(T0 + tick * STEP, never);
    seen.push(
      gaps.filter(({ how, services }) => how === "partial" && services?.[0] === "lone").map(({ what }) => what),
    );
  }
  await source.close();
  return seen;
}

const REQUESTS = "requests of lone";
const CPU = "CPU time of lone";

describe("S9: samples that measure nothing are shown again only by an answer that shows them", () => {
  it.each<[string, readonly (string | null)[], readonly (readonly string[])[]]>([
    ["until the first whole answer", [page("NaN"), page("NaN"), page("0")], [[REQUESTS], [REQUESTS], []]],
    [
      "while their target does not answer",
      [page("NaN"), null, null, page("NaN"), null, page("0"), null],
      [[REQUESTS], [REQUESTS], [REQUESTS], [REQUESTS], [REQUESTS], [], []],
    ],
    [
      "whatever else comes and goes",
      [page("NaN"), page("NaN", "NaN"), page("NaN"), page("0", "NaN"), page("0")],
      [[REQUESTS], [REQUESTS, CPU], [REQUESTS], [CPU], []],
    ],
  ])("%s", async (_, pages, wanted) => {
    expect((await told(pages)).map((one) => one.toSorted())).toEqual(wanted.map((one) => one.toSorted()));
  });

  it("while their target is gone from the list of targets, until another one shows them", async () => {
    await using bad = await fakeExporter(() => page("NaN"));
    await using good = await fakeExporter(() => page("0"));
    let list: readonly string[] = [bad.address];
    await using discovery = await fakeExporter(
      () => JSON.stringify([{ targets: list, labels: {} }]),
      "application/json",
    );
    const source = await createScrape({ ...options([]), discovery: discovery.url });
    const gapsAt = async (tick: number) =>
      (await source.scrapeOnce(T0 + tick * STEP, never)).gaps.filter(({ how }) => how === "partial").length;
    expect(await gapsAt(0)).toBe(1);
    list = [];
    expect(await gapsAt(1)).toBe(1);
    list = [good.address];
    expect(await gapsAt(2)).toBe(0);
    await source.close();
  });

  it("while the scrape as a whole does not answer", async () => {
    const gap: Gap = {
      ...{ of: "targets", how: "partial", services: ["lone"], source: "scrape pages", what: REQUESTS },
      because: "samples of 1 answer are infinite, below zero or no number: taken as missing",
    };
    let look = async (): Promise<readonly Gap[]> => [gap];
    const observing = createObserving([{ name: "scrape", of: "targets", what: "targets", look: () => look() }]);
    const gapsAt = async (tick: number) => {
      await observing.observe(T0 + tick * STEP, never);
      return observing.gaps().map(({ how, what }) => `${how} ${what}`);
    };
    expect(await gapsAt(0)).toEqual([`partial ${REQUESTS}`]);
    look = () => Promise.reject(new Error("no answer"));
    expect(await gapsAt(1)).toEqual(["unanswered targets", `partial ${REQUESTS}`]);
    expect(await gapsAt(2)).toEqual(["unanswered targets", `partial ${REQUESTS}`]);
    look = async () => [];
    expect(await gapsAt(3)).toEqual([]);
  });
});

describe("S9: requests of a target that are known only over a gap", () => {
  const busy = (tick: number) => `http_requests_total{service="lone",status="200"} ${100 * tick}\n`;
  it("make the requests of its service unknown, and not half of what they are", async () => {
    const steady = Array.from({ length: 10 }, (_, tick) => busy(tick));
    const gone = steady.map((one, tick) => (tick >= 3 && tick <= 6 ? null : one));
    const { values } = await play([steady, gone]);
    expect(await values("request_rate")).toEqual([200, 200, null, null, null, null, null, 200, 200]);
    expect(await values("request_rate", {}, "policy")).toEqual([200, 200, null, null, null, null, null, null, null]);
  });
});
