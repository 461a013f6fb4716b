import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { replayCommand } from "../../../evals/lab/replay-command.ts";
import { exampleConfig } from "../../../evals/replay/seed-config.ts";
import { unship } from "../../agent/cli/run-cli.ts";
import { temporaryFolder, writeSmallBundle } from "../replay/small-bundle.ts";
import { pastComposition } from "./past-composition.ts";

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const good = writeSmallBundle(folder, { id: "good", brokenAt: 9 });
const bad = writeSmallBundle(folder, { id: "bad" });
writeFileSync(join(bad, "changes.jsonl"), "{}\n");
const odd = writeSmallBundle(folder, { id: "odd" });
writeFileSync(join(odd, "topology.json"), JSON.stringify({ edges: [], "note\u001b[2J": "x" }));

const NO_SOURCES = {
  metrics: [],
  changes: [],
  logs: [],
  traces: [],
  topology: [],
  flags: [],
  rollouts: [],
  alerts: [],
};

async function run(paths: readonly string[], options: Record<string, unknown>) {
  const { composition, printed } = pastComposition(exampleConfig(), NO_SOURCES, 0);
  const code = await replayCommand(
    composition,
    paths,
    { workers: 1, report: false, ...options },
    new AbortController().signal,
  );
  return { code, ...printed };
}

describe("unship replay", () => {
  it("writes the others where one bundle cannot be read, names that one last, and ends with 1", async () => {
    const { code, out, err } = await run([folder], { json: true });
    expect(JSON.parse(out).map(({ id }: { id: string }) => id)).toEqual(["good", "odd"]);
    const lines = err.trimEnd().split("\n");
    expect(lines.slice(-2)).toEqual([
      expect.stringContaining(`${join(bad, "changes.jsonl")}:1: id: is missing`),
      "1 of 3 bundles could not be replayed; the result holds the others",
    ]);
    expect(err).toContain(`${join(odd, "topology.json")}:1: key "note [2J" is ignored`);
    expect(err).not.toContain("\u001b");
    expect(code).toBe(1);
  });

  it("ends with 2 where not one bundle could be read, with an empty array", async () => {
    const { code, out } = await run([bad], { json: true });
    expect({ code, out }).toEqual({ code: 2, out: "[]\n" });
  });

  it("scores the others where one truth cannot be read, names that one, and ends with 1", async () => {
    const parent = temporaryFolder();
    try {
      writeSmallBundle(parent, { id: "scored" });
      const wrong = writeSmallBundle(parent, { id: "wrong" });
      writeFileSync(join(wrong, "truth.json"), "{}");
      const { code, out, err } = await run([parent], { score: true });
      expect(out).toContain("bundles 1, faulty 0");
      expect(err).toContain(`${join(wrong, "truth.json")}:1: faulty: is missing`);
      expect(err).toContain("1 of 2 bundles are not scored");
      expect(code).toBe(1);
    } finally {
      rmSync(parent, { recursive: true });
    }
  });

  it("says that there is nothing to score, and not that nothing was wrong", async () => {
    const parent = temporaryFolder();
    try {
      const untold = writeSmallBundle(parent, { id: "untold", truth: false });
      const { code, out, err } = await run([untold], { score: true });
      expect(out).toContain("untold  nothing called for a decision");
      expect(out).not.toContain("No bundle was judged wrongly");
      expect(err).toContain("no bundle has a truth.json");
      expect(code).toBe(1);
    } finally {
      rmSync(parent, { recursive: true });
    }
  });

  it.each(["0", "abc", "-1", "1.5", "1e9"])("refuses --workers %s, says how, and starts nothing", async (workers) => {
    const { code, out, err } = await unship(["replay", good, "--workers", workers]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Write a whole number, 1 or more.");
  });

  it("ends with 0 where all were, an odd one too", async () => {
    expect((await run([good, odd], { json: "x.json" })).code).toBe(0);
  });
});
