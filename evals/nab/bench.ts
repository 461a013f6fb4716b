import { createAnomalyScorer, nextScore } from "../../core/detection/anomaly-score.ts";
import type { BenchOutcome } from "../bench/catalog.ts";
import { readNabFiles, readRandomCutForest } from "./nab-data.ts";
import { type NabFile, nabScore } from "./nab-score.ts";
import { windowedGaussian } from "./windowed-gaussian.ts";

/** The score that `unship detect` gives to each row of a file of the benchmark. */
export function ourScores(file: NabFile): readonly number[] {
  const scorer = createAnomalyScorer();
  return file.values.map((value, i) => nextScore(scorer, (file.timestamps[i] ?? 0) * 1000, value) ?? 0);
}

/** Standard-profile scores on the given files, beside two published competitors on the same files. */
export function benchNab(): BenchOutcome {
  const files = readNabFiles();
  const forest = readRandomCutForest();
  const run = (scores: (file: NabFile) => readonly number[]) =>
    nabScore(files.map((file) => ({ file, scores: scores(file) })));
  const value = {
    benchmark: "nab",
    files: files.length,
    unship: run(ourScores),
    random_cut_forest: run((file) => forest[file.name] ?? []),
    windowed_gaussian: run((file) => windowedGaussian(file.values)),
  };
  const row = (name: string, { normalised, found, windows, falseRows, threshold }: typeof value.unship) =>
    `${name.padEnd(33)} ${normalised.toFixed(1).padStart(5)}   ${found} of ${windows} windows, ${falseRows} rows outside, threshold ${threshold.toFixed(3)}`;
  const met =
    value.unship.normalised > Math.max(value.random_cut_forest.normalised, value.windowed_gaussian.normalised);
  return {
    lines: [
      `Numenta Anomaly Benchmark, standard profile, ${files.length} files of realTraffic and the artificial groups;`,
      "one threshold a detector for all files, the one that suits it best, as the benchmark does.",
      "",
      row("unship detect", value.unship),
      row("random cut forest (as published)", value.random_cut_forest),
      row("windowed Gaussian", value.windowed_gaussian),
    ],
    value,
    met,
  };
}
