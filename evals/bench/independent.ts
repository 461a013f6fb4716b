import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { findBundles } from "../replay/bundle.ts";
import type { BenchOutcome } from "./catalog.ts";
import { compare, INTERVALS, reached, rowsOf, TITLE } from "./decision-table.ts";

/** Two generators of incidents, each by somebody who had seen neither the product nor the other. */
export type Independent = "first" | "second";

const BUNDLES = 100;

/**
 * Decisions over incidents that others generate: `count` bundles (default 100) of a set that was written without any
 * knowledge of the product, replayed as recorded, beside "a threshold, then blame the latest change". The set makes its bundles
 * in a process of its own.
 */
export async function benchIndependent(
  which: Independent,
  count: number | undefined,
  seed: number,
): Promise<BenchOutcome> {
  const bundles = count ?? BUNDLES;
  const directory = mkdtempSync(join(tmpdir(), "unship-independent-"));
  try {
    const generator = join(import.meta.dirname, `../independent/${which}/gen${extname(import.meta.filename)}`);
    const asked = ["--seed", String(seed), "--count", String(bundles), "-o", directory];
    const made = spawnSync(process.execPath, [generator, ...asked], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(`the ${which} independent set could not be generated: ${made.stderr}`);
    const compared = await compare(findBundles([directory]), seed);
    const { wrong } = compared.ours;
    const lines = [
      `${bundles} incidents of the ${which} independent set, seed ${seed}; ${INTERVALS}`,
      "",
      TITLE,
      ...rowsOf("as recorded", compared),
      ...(wrong.length === 0 ? [] : ["", "wrong:", ...wrong.map(({ id, because }) => `  ${id}: ${because}`)]),
    ];
    const value = { benchmark: "decisions-independent", which, seed, bundles, ...compared };
    return { lines, value, met: reached(compared.ours) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
