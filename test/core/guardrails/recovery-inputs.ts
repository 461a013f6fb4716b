import type { RecoveryInput } from "../../../core/guardrails/recovery.ts";
import type { Baseline } from "../../../core/model/incident.ts";
import type { Series } from "../../../core/model/signal.ts";
import { MINUTE, NOW } from "./rule-inputs.ts";

export const STEP = 15_000;

export const errors: Baseline = {
  service: "checkout",
  metric: "error_rate",
  unit: "ratio",
  center: 0.002,
  upper: 0.01,
  lower: 0,
  requestRate: 20,
};
export const latency: Baseline = { ...errors, metric: "p99_latency", unit: "ms", center: 180, upper: 260, lower: 120 };
export const traffic: Baseline = { ...errors, metric: "request_rate", unit: "req/s", center: 20, upper: 26, lower: 14 };

/** Samples that end now, one a step. */
export function seriesOf(metric: string, values: readonly (number | null)[], change: Partial<Series> = {}): Series {
  return {
    service: "checkout",
    metric,
    unit: "",
    worse: "up",
    labels: {},
    startAt: NOW - (values.length - 1) * STEP,
    stepMs: STEP,
    values,
    ...change,
  };
}

export const fill = (value: number | null, count = 10): (number | null)[] => Array.from({ length: count }, () => value);

export const inputOf = (change: Partial<RecoveryInput> = {}): RecoveryInput => ({
  baselines: [errors],
  conditions: [],
  series: [seriesOf("error_rate", fill(0.002)), seriesOf("request_rate", fill(20))],
  acts: [{ service: "checkout", complete: true }],
  brokenAt: { error_rate: 0.02 },
  executedAt: NOW - 3 * MINUTE,
  now: NOW,
  timeoutMs: 10 * MINUTE,
  ...change,
});
