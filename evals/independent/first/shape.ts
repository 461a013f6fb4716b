// What a team happens to record of its system, which differs from place to place: how often it samples, how far back its
// history goes, whether versions and routes have series of their own, and whether there are logs, traces and alerts.
import type { Rng } from "./rng.ts";

export type Shape = {
  step: 10 | 15 | 30 | 60;
  /** Fine history before the watch, in seconds, and days of coarse history at a coarser step. */
  fineHistory: number;
  coarseDays: number;
  coarseStep: number;
  split: "none" | "rollout" | "always";
  logs: boolean;
  spans: boolean;
  alerts: boolean;
  routes: boolean;
  health: boolean;
  resources: boolean;
  p50: boolean;
  custom: boolean;
  window: number;
  buckets: boolean;
  lost: number;
};

export function drawShape(rng: Rng): Shape {
  const step = rng.weighted<10 | 15 | 30 | 60>([
    [10, 1.5],
    [15, 4],
    [30, 3],
    [60, 2.5],
  ]);
  const thin = rng.chance(0.18);
  return {
    step,
    fineHistory: thin ? 1800 : rng.pick([3600, 7200, 10800, 14400]),
    coarseDays: thin
      ? 0
      : rng.weighted([
          [0, 1.2],
          [2, 1],
          [5, 1],
          [8, 2],
          [15, 1.5],
          [22, 1],
        ]),
    coarseStep: rng.pick([300, 300, 600, 900]),
    split: rng.weighted([
      ["none", 3.2],
      ["rollout", 5],
      ["always", 1.2],
    ]),
    logs: rng.chance(0.72),
    spans: rng.chance(0.35),
    alerts: rng.chance(0.4),
    routes: rng.chance(0.35),
    health: rng.chance(0.7),
    resources: rng.chance(0.88),
    p50: rng.chance(0.85),
    custom: rng.chance(0.4),
    window: step <= 15 && rng.chance(0.1) ? 60 : 0,
    buckets: rng.chance(0.12),
    lost: rng.chance(0.5) ? rng.logUniform(0.0005, 0.015) : 0,
  };
}
