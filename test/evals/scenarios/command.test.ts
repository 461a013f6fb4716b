import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readBundle } from "../../../evals/replay/bundle.ts";
import { families } from "../../../evals/scenarios/generate.ts";

const MAIN = join(import.meta.dirname, "../../../evals/scenarios/main.ts");
const run = (...words: string[]) => spawnSync(process.execPath, [MAIN, ...words], { encoding: "utf8" });

describe("the scenario command", () => {
  it.each([
    ["a family that does not exist", ["--family", "no-such", "-o", "x"], "there is no family no-such"],
    ["no folder", ["--seed", "1"], "-o DIR is missing"],
    ["a seed that is no number", ["--seed", "one", "-o", "x"], "--seed and --count take whole numbers"],
    ["a step that is no multiple of the finest", ["--step", "20", "-o", "x"], "--step takes a multiple of 15"],
    [
      "a set of families that does not exist",
      ["--families", "hidden", "-o", "x"],
      "--families takes shown, fleet, held-out, held-out-b, all",
    ],
    [
      "families by set and by name at once",
      ["--families", "all", "--family", "blip", "-o", "x"],
      "--family and --families exclude each other",
    ],
    ["an option that does not exist", ["--colour", "-o", "x"], "Unknown option '--colour'"],
  ])("refuses %s with exit code 2 and how to call it", (_, words, message) => {
    const { status, stderr, stdout } = run(...words);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toContain("--seed N --count K");
  });

  it.each([
    ["the shown families unless told otherwise", [], "shown"],
    ["the held-out families", ["--families", "held-out"], "held-out"],
    ["the second set of them", ["--families", "held-out-b"], "held-out-b"],
  ] as const)("begins with %s", (_, words, which) => {
    const out = mkdtempSync(join(tmpdir(), "unship-scenario-command-"));
    try {
      expect(run("--count", "2", ...words, "-o", out).status).toBe(0);
      const names = readdirSync(out).map((name) => name.replace(/-\d+$/, ""));
      expect(names.sort()).toEqual(families(which).slice(0, 2));
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });

  it("writes what was asked for, each family in turn, coarser where wished", () => {
    const out = mkdtempSync(join(tmpdir(), "unship-scenario-command-"));
    try {
      const words = [
        "--seed",
        "4",
        "--count",
        "3",
        "--family",
        "low-traffic-noise",
        "--family",
        "blip",
        "--step",
        "60",
      ];
      expect(run(...words, "--without", "logs", "-o", out).status).toBe(0);
      const names = readdirSync(out).sort();
      expect(names.map((name) => name.replace(/-\d+$/, ""))).toEqual([
        "blip",
        "low-traffic-noise",
        "low-traffic-noise",
      ]);
      for (const name of names) {
        const { series, logs } = readBundle(join(out, name));
        expect(Math.min(...series.map(({ stepMs }) => stepMs))).toBe(60_000);
        expect(logs).toEqual([]);
      }
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });
});
