import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { renamedApart } from "../../../evals/fleet/rename.ts";
import { shifted } from "../../../evals/fleet/shift.ts";
import { united } from "../../../evals/fleet/unite.ts";
import { writeBundle } from "../../../evals/record/write-bundle.ts";
import { type Bundle, readBundle } from "../../../evals/replay/bundle.ts";
import { bundleSources } from "../../../evals/replay/bundle-sources.ts";
import { replayRecording } from "../../../evals/replay/replay.ts";
import { configFor } from "../../../evals/replay/seed-config.ts";
import { START, temporaryFolder, time, writeSmallBundle } from "./small-bundle.ts";

const MINUTE = 60_000;
const COMMITS = [
  { sha: "0f1e2d3", message: "Round totals of cart", author: "dana", at: time(-30), files: ["a.ts"], diff: "-a\n+b" },
  { sha: "9fceb02", message: "" },
];

/** The small bundle, whose deploy says what it brought. */
function withCommits(parent: string, commits: readonly object[] = COMMITS): string {
  const directory = writeSmallBundle(parent, { id: "one", brokenAt: 8 });
  const path = join(directory, "changes.jsonl");
  const [first = "{}", ...rest] = readFileSync(path, "utf8").trim().split("\n");
  writeFileSync(path, [JSON.stringify({ ...JSON.parse(first), commits }), ...rest].join("\n"));
  return directory;
}

const commitsAt = async (bundle: Bundle, at: number) => {
  const [source] = bundleSources(bundle, { now: () => at }, new Map()).commits ?? [];
  const [change] = bundle.changes;
  if (source === undefined || change === undefined) throw new Error("there is nothing to ask");
  return source.commits(change, new AbortController().signal);
};

describe("the commits of a bundle's changes", () => {
  it("are read, and known as soon as their change is", async () => {
    const folder = temporaryFolder();
    const bundle = readBundle(withCommits(folder));
    const [change] = bundle.changes;
    expect(change).not.toHaveProperty("commits");
    const began = change?.startedAt ?? 0;
    expect(await commitsAt(bundle, began - 1)).toEqual([]);
    expect(await commitsAt(bundle, began)).toEqual([{ ...COMMITS[0], at: START - 30 * MINUTE }, COMMITS[1]]);
  });

  it("are written as they were read", () => {
    const folder = temporaryFolder();
    const bundle = readBundle(withCommits(folder));
    writeBundle(bundle, join(folder, "again"));
    expect(readBundle(join(folder, "again")).commits).toEqual(bundle.commits);
  });

  it("decide nothing: a replay is the same with and without them", async () => {
    const folder = temporaryFolder();
    const bundle = readBundle(withCommits(folder));
    const { commits: _, ...without } = bundle;
    const [whole, bare] = [bundle, without].map((one) =>
      replayRecording(one, configFor(one, undefined, undefined), "0", new AbortController().signal),
    );
    expect(await whole).toEqual(await bare);
  });

  it("go with their change when worlds are renamed, moved and laid together", () => {
    const folder = temporaryFolder();
    const bundle = readBundle(withCommits(folder));
    const worlds = ["x", "y"].map((tag) => shifted(renamedApart({ bundle, truth: null }, tag), MINUTE).bundle);
    const both = united(worlds, bundle.incident.watch, "both");
    const ids = [...(both.commits ?? [])];
    expect(ids.map(([id]) => id)).toEqual(both.changes.filter(({ id }) => both.commits?.has(id)).map(({ id }) => id));
    expect(ids.flatMap(([, all]) => all.map(({ at }) => at ?? null))).toEqual([
      ...[START - 29 * MINUTE, null],
      ...[START - 29 * MINUTE, null],
    ]);
    expect(ids.map(([, [first]]) => first?.message)).toEqual(["Round totals of x-cart", "Round totals of y-cart"]);
    expect(new Set(ids.flatMap(([, all]) => all.map(({ sha }) => sha))).size).toBe(4);
  });

  it("a diff that is no excerpt is refused with its line", () => {
    const folder = temporaryFolder();
    const directory = withCommits(folder, [{ sha: "1", message: "", diff: "x".repeat(20_001) }]);
    expect(() => readBundle(directory)).toThrow(/changes\.jsonl:1: .*excerpt of 20000 characters at most/);
  });
});
