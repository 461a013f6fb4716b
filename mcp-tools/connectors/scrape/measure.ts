import type { CustomMetric } from "./mapping.ts";
import { histogramQuantile } from "./quantile.ts";
import type { Measure } from "./steps.ts";

const MS_PER_SECOND = 1000;

/** The RED and USE metrics (Wilkie; Gregg) that can be worked out from the conventional names alone. */
export const DERIVED: Readonly<Record<string, Measure>> = {
  /** A target that did not answer, or whose requests are unknown, had some too: then the sum is unknown, not smaller. */
  request_rate: {
    of: ({ requestReadings, missing, requestless, requests, readings, ticks, elapsedMs }) =>
      requestReadings === 0 || missing > 0 || requestless > 0 || elapsedMs <= 0
        ? null
        : (requests * MS_PER_SECOND * (readings / ticks)) / elapsedMs,
  },
  /** Without requests of which it is known whether they failed, there is no share of them that did: unknown, not 0. */
  error_rate: {
    of: ({ judged, errors }) => (judged <= 0 ? null : Math.min(1, errors / judged)),
  },
  p50_latency: latency(0.5),
  p99_latency: latency(0.99),
  cpu_usage: {
    of: ({ cpuBudgetSeconds, cpuSeconds }) => (cpuBudgetSeconds > 0 ? cpuSeconds / cpuBudgetSeconds : null),
  },
  memory_usage: { of: ({ memory }) => (Number.isNaN(memory) ? null : memory), gauge: true },
};

/** Of so many requests, this share at most is slow: the usual 95th percentile lies at the bound or below it. */
const SLOW_PART = 0.05;
/** Fewer requests say too little of that: ten of them would be slow. */
const LEAST_REQUESTS = 200;

/**
 * The bucket's bound, in seconds, that few requests of a span pass (5 % or less), the lowest of such; null where there are
 * too few requests or too coarse buckets.
 */
export const SLOW_BOUND: Measure = {
  histogram: true,
  of({ histogram }) {
    const buckets = histogram();
    if (buckets === null) return null;
    const total = buckets.counts[buckets.bounds.length - 1] ?? 0;
    if (total < LEAST_REQUESTS || buckets.bounds.at(-1) !== Infinity) return null;
    const bound = buckets.bounds.find((_, i) => total - (buckets.counts[i] ?? 0) <= SLOW_PART * total);
    return bound === undefined || !Number.isFinite(bound) ? null : bound;
  },
};

/** The share of requests that took longer than a bucket's bound in seconds; null without requests, or without that bucket. */
export function slowShare(bound: number): Measure {
  return {
    histogram: true,
    of({ histogram }) {
      const buckets = histogram();
      const index = buckets?.bounds.indexOf(bound) ?? -1;
      const total = buckets?.counts[(buckets?.bounds.length ?? 0) - 1] ?? 0;
      if (buckets === null || index < 0 || !(total > 0)) return null;
      return Math.max(0, Math.min(1, 1 - (buckets.counts[index] ?? 0) / total));
    },
  };
}

/**
 * How a metric of the user's own is read. The sum over targets is unknown while one of them is, and so are sum and mean over
 * series while the sample of one is missing; the largest and the smallest are then of the others, as in PromQL, where it is a
 * gauge (`NaN` is how a summary says that it has seen nothing), and unknown of counters, of which one cannot be read.
 */
export function customMeasure(metric: string, { aggregate, scale, kind }: CustomMetric): Measure {
  const needsAll = kind === "counter" || aggregate === "sum" || aggregate === "avg";
  return {
    custom: metric,
    gauge: true,
    of({ custom, missing, gaugeTicks }) {
      if (custom === undefined || (aggregate === "sum" && missing > 0)) return null;
      const { sum, count, min, max, lacking = 0 } = custom;
      if (!Number.isFinite(sum)) return Infinity;
      if (count === 0 || (needsAll && lacking > 0)) return null;
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
