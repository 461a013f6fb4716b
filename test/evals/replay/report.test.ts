import { rmSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { readTruth } from "../../../evals/replay/bundle.ts";
import { replayAll } from "../../../evals/replay/replay-pool.ts";
import { reportPage } from "../../../evals/replay/report/page.ts";
import { score } from "../../../evals/replay/score.ts";
import { scoreLines } from "../../../evals/replay/score-text.ts";
import { temporaryFolder, writeSmallBundle } from "./small-bundle.ts";

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const directories = [
  writeSmallBundle(folder, { id: "found", brokenAt: 8.25 }),
  writeSmallBundle(folder, { id: "quiet" }),
];
const replayed = await replayAll(directories, { version: "test", sketch: true }, new AbortController().signal, {
  workers: 1,
});
const bundles = replayed.flatMap(({ directory, result: { id, episodes, sketch } }) =>
  sketch === undefined ? [] : [{ id, episodes, sketch, truth: readTruth(directory) }],
);
const judged = bundles.flatMap(({ id, episodes, truth }) => (truth === null ? [] : [{ id, episodes, truth }]));
const scores = score(judged);
const page = (input: Partial<Parameters<typeof reportPage>[0]> = {}) =>
  reportPage({ version: "1.2.3", configuration: "shop.yaml", scores, bundles, ...input });

/** The drawings of a page, as SVG. */
const drawings = (html: string) =>
  [...html.matchAll(/data:image\/svg\+xml;base64,([^"]+)/g)].map(([, code]) =>
    Buffer.from(code ?? "", "base64").toString(),
  );

describe("the report of a replay", () => {
  it("draws the signal that decided, onset, decision, and the changes of each bundle", async () => {
    const [reliable, delays, ...timelines] = drawings(await page());
    expect(reliable).toContain("claimed probability");
    expect(delays).toContain("seconds since onset");
    expect(timelines).toHaveLength(2);
    const words = ["error_rate of cart", "onset", "detected", "decided", "deploy-cart-2"];
    expect(words.filter((word) => timelines[0]?.includes(word))).toEqual(words);
    expect(words.filter((word) => timelines[1]?.includes(word))).toEqual(["deploy-cart-2"]);
  });

  it("loads nothing and runs nothing", async () => {
    const html = await page();
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)|<link/);
  });

  it("is the same bytes each time", async () => {
    expect(await page()).toBe(await page());
  });

  it("opens with what went wrong, and says why", async () => {
    const wrong = bundles.map((one) => (one.id === "found" ? { ...one, episodes: [] } : one));
    const missed = score(wrong.flatMap(({ id, episodes, truth }) => (truth === null ? [] : [{ id, episodes, truth }])));
    const html = await page({ bundles: wrong.toReversed(), scores: missed });
    expect(html).toContain("missed: raised no incident; right was rollback of deploy-cart-2");
    expect(html.indexOf('<details id="b-found" open>')).toBeLessThan(html.indexOf('<details id="b-quiet">'));
  });

  it("lets no text of a recording become part of the page", async () => {
    const evil = '<img src=x onerror="alert(1)">';
    const html = await page({
      bundles: bundles.map((one) => ({ ...one, id: evil, sketch: { ...one.sketch, title: evil } })),
      configuration: evil,
    });
    expect(html).not.toContain("<img src=x");
  });

  it("says the same on a terminal: figures, reliability, tables, what was wrong", () => {
    const text = scoreLines(scores).join("\n");
    expect(text).toContain("bundles 2, faulty 1: found 1, false actions 0");
    expect(text).toMatch(/90–100 %\s+\d+ %\s+100 %\s+\d+ {2}\[.*[o*]\]/);
    expect(text).toMatch(/bad-deploy\s+1\s+1\/1\s+0\s+1\.000/);
    expect(text).toContain("No bundle was judged wrongly.");
  });
});
