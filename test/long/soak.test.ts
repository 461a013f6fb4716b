import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { soakLines } from "../../evals/soak/main.ts";
import { soak } from "../../evals/soak/soak.ts";

/** Published: whoever runs these gets the same deploys at the same seconds. */
const SEEDS = [1, 2, 3];
const MINUTES = 12;

describe("two systems that nothing joins, deployed and broken for minutes under one watch", () => {
  it.each(SEEDS)("seed %i: each bad deploy is undone, no innocent one, and every incident ends", async (seed) => {
    const directory = mkdtempSync(join(tmpdir(), "unship-soak-"));
    const lines: string[] = [];
    try {
      const judged = await soak(
        { seed, minutes: MINUTES, directory },
        (line) => lines.push(line),
        new AbortController().signal,
      );
      const said = [...lines.slice(-120), ...soakLines(judged, seed)].join("\n");
      expect(judged.figures.overlapping, said).toBeGreaterThan(0);
      expect(judged.reasons, said).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
    }
  });
});
