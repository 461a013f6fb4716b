import { type Cell, histogramOf } from "./cell.ts";
import type { CustomMetric } from "./mapping.ts";
import { histogramQuantile } from "./quantile.ts";

/** Reads one metric from a cell, in the metric's own unit; null where the cell does not tell. */
export type Measure = (cell: Cell) => number | null;

const MS_PER_SECOND = 1000;

/** The RED and USE metrics (Wilkie; Gregg) that can be worked out from the conventional names alone. */
export const DERIVED: Readonly<Record<string, Measure>> = {
  /** A target that did not answer had requests too: then the sum is unknown, not smaller. */
  request_rate: (cell) =>
    cell.requests === null || cell.missing > 0 || cell.elapsedMs <= 0
      ? null
      : (cell.requests * MS_PER_SECOND * (cell.readings / cell.ticks.length)) / cell.elapsedMs,
  /** Without requests there is no share of them that failed: unknown, not 0. */
  error_rate: (cell) =>
    cell.requests === null || cell.requests <= 0 ? null : Math.min(1, cell.errors / cell.requests),
  p50_latency: (cell) => latency(0.5, cell),
  p99_latency: (cell) => latency(0.99, cell),
  cpu_usage: (cell) => (cell.cpuBudgetSeconds > 0 ? cell.cpuSeconds / cell.cpuBudgetSeconds : null),
  memory_usage: (cell) => cell.memory,
};

/** How a metric of the user's own is read. The sum over targets is unknown while one of them is. */
export function customMeasure(metric: string, { aggregate, scale }: CustomMetric): Measure {
  return (cell) => {
    const values = cell.custom.get(metric);
    if (values === undefined || (aggregate === "sum" && cell.missing > 0)) return null;
    const value = {
      sum: values.sum / Math.max(1, cell.gaugeTicks.length),
      avg: values.sum / values.count,
      min: values.min,
      max: values.max,
    }[aggregate];
    return value * scale;
  };
}

function latency(q: number, cell: Cell): number | null {
  const histogram = histogramOf(cell);
  const seconds = histogram === null ? null : histogramQuantile(q, histogram);
  return seconds === null ? null : seconds * MS_PER_SECOND;
}
