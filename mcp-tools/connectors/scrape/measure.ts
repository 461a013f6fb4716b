import type { CustomMetric } from "./mapping.ts";
import { histogramQuantile } from "./quantile.ts";
import type { Measure } from "./steps.ts";

const MS_PER_SECOND = 1000;

/** The RED and USE metrics (Wilkie; Gregg) that can be worked out from the conventional names alone. */
export const DERIVED: Readonly<Record<string, Measure>> = {
  /** A target that did not answer had requests too: then the sum is unknown, not smaller. */
  request_rate: {
    of: ({ requestReadings, missing, requests, readings, ticks, elapsedMs }) =>
      requestReadings === 0 || missing > 0 || elapsedMs <= 0
        ? null
        : (requests * MS_PER_SECOND * (readings / ticks)) / elapsedMs,
  },
  /** Without requests there is no share of them that failed: unknown, not 0. */
  error_rate: {
    of: ({ requestReadings, requests, errors }) =>
      requestReadings === 0 || requests <= 0 ? null : Math.min(1, errors / requests),
  },
  p50_latency: latency(0.5),
  p99_latency: latency(0.99),
  cpu_usage: {
    of: ({ cpuBudgetSeconds, cpuSeconds }) => (cpuBudgetSeconds > 0 ? cpuSeconds / cpuBudgetSeconds : null),
  },
  memory_usage: { of: ({ memory }) => (Number.isNaN(memory) ? null : memory), gauge: true },
};

/** How a metric of the user's own is read. The sum over targets is unknown while one of them is. */
export function customMeasure(metric: string, { aggregate, scale }: CustomMetric): Measure {
  return {
    custom: metric,
    gauge: true,
    of({ custom, missing, gaugeTicks }) {
      if (custom === undefined || (aggregate === "sum" && missing > 0)) return null;
      const { sum, count, min, max } = custom;
      return scale * { sum: sum / Math.max(1, gaugeTicks), avg: sum / count, min, max }[aggregate];
    },
  };
}

function latency(q: number): Measure {
  return {
    histogram: true,
    of({ histogram }) {
      const buckets = histogram();
      const seconds = buckets === null ? null : histogramQuantile(q, buckets);
      return seconds === null ? null : seconds * MS_PER_SECOND;
    },
  };
}
