import type { Finding } from "../../../core/model/finding.ts";
import { MINUTE, T0 } from "../correlation/fixtures.ts";

/** Samples of these cases are so far apart. */
export const STEP_MS = 15_000;

/** What is found where the service cart began to fail at T0. */
export const cartFails = (found: Partial<Finding> = {}): Finding => ({
  detector: "regression",
  service: "cart",
  metric: "error_rate",
  labels: {},
  unit: "ratio",
  verdict: "worse",
  onset: { at: T0, earliest: T0, latest: T0 + STEP_MS },
  detectedAt: T0 + MINUTE,
  baseline: 0.002,
  current: 0.2,
  samples: 20,
  strength: 30,
  because: "error_rate of cart rose",
  ...found,
});
