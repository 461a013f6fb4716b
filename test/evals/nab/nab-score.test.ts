import { expect, test } from "vitest";
import { benchNab } from "../../../evals/nab/bench.ts";
import { readNabFiles, readRandomCutForest } from "../../../evals/nab/nab-data.ts";
import { nabScore } from "../../../evals/nab/nab-score.ts";

const files = readNabFiles();

// randomCutForest_standard_scores.csv of the benchmark's repository: one threshold for the whole corpus
const PUBLISHED_THRESHOLD = 0.453918457031;
test.each([
  ["realTraffic/occupancy_6005.csv", 0.861272490375],
  ["realTraffic/occupancy_t4013.csv", 1.7360251845],
  ["realTraffic/speed_t4013.csv", 1.75691291901],
  ["realTraffic/speed_6005.csv", 0.842622001756],
  ["realTraffic/speed_7578.csv", 1.47082197457],
  ["realTraffic/TravelTime_387.csv", -1.79598133079],
  ["artificialWithAnomaly/art_daily_jumpsup.csv", 0.86067182427],
  ["artificialWithAnomaly/art_daily_nojump.csv", -1],
  ["artificialNoAnomaly/art_noisy.csv", 0],
])("scores the published forest on %s as its authors do: %d", (name, published) => {
  const file = files.find((one) => one.name === name);
  if (file === undefined) throw new Error(name);
  const scores = readRandomCutForest()[name] ?? [];
  expect(nabScore([{ file, scores }], PUBLISHED_THRESHOLD).raw).toBeCloseTo(published, 8);
});

test("a detector that says nothing scores 0, one that calls each window's first row and nothing else 100", () => {
  const silent = files.map((file) => ({ file, scores: file.values.map(() => 0) }));
  expect(nabScore(silent, 0.5).normalised).toBe(0);
  const perfect = files.map((file) => ({
    file,
    scores: file.timestamps.map((at) => (file.windows.some(([from]) => from === at) ? 1 : 0)),
  }));
  expect(nabScore(perfect).normalised).toBeCloseTo(100, 10);
});

test("finds more with less noise than a random cut forest and a windowed Gaussian on the same files", () => {
  expect(benchNab().met).toBe(true);
});
