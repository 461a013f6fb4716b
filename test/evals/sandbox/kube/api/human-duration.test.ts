import { expect, it } from "vitest";
import { humanDuration } from "../../../../../evals/sandbox/kube/api/human-duration.ts";

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

it.each([
  [-5 * S, "<invalid>"],
  [-S, "0s"],
  [0, "0s"],
  [119 * S, "119s"],
  [2 * M, "2m"],
  [2 * M + S, "2m1s"],
  [9 * M + 59 * S, "9m59s"],
  [10 * M + 30 * S, "10m"],
  [179 * M, "179m"],
  [3 * H, "3h"],
  [7 * H + 59 * M, "7h59m"],
  [8 * H + 30 * M, "8h"],
  [47 * H, "47h"],
  [2 * D, "2d"],
  [7 * D + 23 * H, "7d23h"],
  [8 * D + 5 * H, "8d"],
  [729 * D, "729d"],
  [730 * D, "2y"],
  [731 * D, "2y1d"],
  [9 * 365 * D + 20 * D, "9y"],
])("%d ms are printed as %s", (elapsedMs, text) => {
  expect(humanDuration(elapsedMs)).toBe(text);
});
