import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import type { NabFile } from "./nab-score.ts";

const FOLDER = join(import.meta.dirname, "../data/nab");
const Truth = z.record(z.string(), z.looseObject({ windows: z.array(z.tuple([z.number(), z.number()])) }));

/** The benchmark's files that stand in `evals/data/nab`, with their labelled windows, by name. */
export function readNabFiles(): readonly NabFile[] {
  const truth = Truth.parse(JSON.parse(readFileSync(join(FOLDER, "truth.json"), "utf8")));
  return Object.entries(truth).map(([name, { windows }]) => {
    const lines = readFileSync(join(FOLDER, "series", name), "utf8")
      .trim()
      .split(/\r?\n/)
      .slice(1);
    const rows = lines.map((line) => line.split(",") as [string, string]);
    return {
      name,
      timestamps: rows.map(([at]) => Number(at)),
      values: rows.map(([, value]) => Number(value)),
      windows,
    };
  });
}

/** The anomaly scores that the benchmark's authors publish for a random cut forest, by file, one a row. */
export function readRandomCutForest(): Readonly<Record<string, readonly number[]>> {
  const text = gunzipSync(readFileSync(join(FOLDER, "random-cut-forest.json.gz"))).toString("utf8");
  return z.record(z.string(), z.array(z.number())).parse(JSON.parse(text));
}
