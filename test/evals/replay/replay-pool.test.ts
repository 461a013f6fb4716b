import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { replayAll, replayEach } from "../../../evals/replay/replay-pool.ts";
import { temporaryFolder, writeSmallBundle } from "./small-bundle.ts";

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bundles = [
  writeSmallBundle(folder, { id: "c", brokenAt: 8.25 }),
  writeSmallBundle(folder, { id: "a" }),
  writeSmallBundle(folder, { id: "b", brokenAt: 9 }),
];
const broken = writeSmallBundle(folder, { id: "broken" });
writeFileSync(join(broken, "changes.jsonl"), '{"id":"x"}');
const options = { version: "test", sketch: true };
const abort = () => new AbortController().signal;

describe("replayAll", () => {
  it("gives the same result with one worker, in this thread, and with two, sorted by id", async () => {
    const one = await replayAll(bundles, options, abort(), { workers: 1 });
    const done: number[] = [];
    const two = await replayAll(bundles, options, abort(), { workers: 2, onDone: (count) => done.push(count) });
    expect(JSON.stringify(two)).toBe(JSON.stringify(one));
    expect(two.map(({ result }) => result.id)).toEqual(["a", "b", "c"]);
    expect(two.map(({ result }) => result.episodes.length)).toEqual([0, 1, 1]);
    expect(done).toEqual([1, 2, 3]);
  });

  it.each([1, 2])("a bundle that does not fit the format is named, with %i workers", async (workers) => {
    await expect(replayAll([...bundles, broken], options, abort(), { workers })).rejects.toThrow(
      `${join(broken, "changes.jsonl")}:1: `,
    );
  });

  it.each([1, 2])("one bundle that cannot be read stops no other, with %i workers", async (workers) => {
    const odd = writeSmallBundle(temporaryFolder(), { id: "odd", brokenAt: 9 });
    const changes = join(odd, "changes.jsonl");
    writeFileSync(changes, readFileSync(changes, "utf8").replace('"id"', '"ticket":"OPS-1","author":null,"id"'));
    const { replayed, failed, warnings } = await replayEach([broken, odd, ...bundles], options, abort(), { workers });
    expect(replayed.map(({ result }) => result.id)).toEqual(["a", "b", "c", "odd"]);
    const [b, , inOdd] = replayed.slice(1).map(({ result }) => result.episodes);
    expect(inOdd).toEqual(b);
    expect(failed).toMatchObject([{ directory: broken, error: { code: "bundle.invalid" } }]);
    expect(warnings).toEqual([`${changes}:1: key "ticket" is ignored`]);
    rmSync(join(odd, ".."), { recursive: true });
  });

  it("what no bundle is to blame for ends it once", async () => {
    const wrong = { ...options, config: join(folder, "missing.yaml") };
    await expect(replayEach(bundles, wrong, abort(), { workers: 1 })).rejects.toMatchObject({
      code: "config.unreadable",
    });
  });

  it("a worker that dies names its bundle", async () => {
    const dying = replayAll(bundles.slice(0, 2), options, abort(), { workers: 2, heapMb: 8 });
    await expect(dying).rejects.toMatchObject({ code: "replay.failed" });
    await expect(dying).rejects.toThrow(bundles[0] ?? "");
  });

  it("hears an abort while its workers work", async () => {
    const stop = new AbortController();
    const running = replayAll(bundles, options, stop.signal, { workers: 2 });
    stop.abort();
    await expect(running).rejects.toThrow(/abort/i);
  });
});
