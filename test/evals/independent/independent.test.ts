import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { BENCHMARKS } from "../../../evals/bench/catalog.ts";
import { findBundles, readBundle, readTruth } from "../../../evals/replay/bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "independent-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(["first", "second"] as const)("the %s independent set", (which) => {
  const make = (seed: number, name: string): string => {
    const place = join(folder, `${which}-${name}`);
    const generator = join(import.meta.dirname, "../../../evals/independent", which, "gen.ts");
    execFileSync(process.execPath, [generator, "--seed", String(seed), "--count", "4", "-o", place]);
    return place;
  };

  it("makes bundles that can be read, with their truth, and the same ones of the same seed", () => {
    const [one, again] = [make(11, "a"), make(11, "b")];
    const bundles = findBundles([one]);
    expect(bundles).toHaveLength(4);
    for (const bundle of bundles) {
      expect(readBundle(bundle).series.length).toBeGreaterThan(0);
      expect(readTruth(bundle)).not.toBeNull();
    }
    const files = (place: string) => readdirSync(place, { recursive: true, encoding: "utf8" }).sort();
    expect(files(again)).toEqual(files(one));
    for (const file of files(one).filter((name) => /\.(jsonl?|gz)$/.test(name)))
      expect(readFileSync(join(again, file)).equals(readFileSync(join(one, file)))).toBe(true);
  }, 120_000);

  it("is a benchmark", async () => {
    const run = BENCHMARKS[`decisions-independent-${which}`];
    const outcome = await run?.({ seed: 11, trials: 2, data: undefined });
    expect(outcome?.value).toMatchObject({ which, bundles: 2, ours: { bundles: 2 } });
    expect(outcome?.lines.join("\n")).toContain("latest change suspected");
  }, 120_000);
});
