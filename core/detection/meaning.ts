import { SLOW_SHARE, type Worse } from "../model/signal.ts";

/** How a metric is tested: as errors among requests, as a count a step, or as a level. */
export type SignalForm = "errors" | "count" | "level";

export function formOf(metric: string): SignalForm {
  if (metric === "error_rate" || metric === SLOW_SHARE) return "errors";
  return metric === "health_check_failures" ? "count" : "level";
}

export const isLatency = (metric: string): boolean => /latency|duration|response_time/.test(metric);

/** Traffic and the use of resources: they may explain harm, but are none by themselves. */
export const isResource = (metric: string): boolean =>
  metric === "request_rate" || metric === "cpu_usage" || metric === "memory_usage";

/**
 * Whether this metric getting worse hurts somebody by itself. Errors, latency and health do; so does a custom metric
 * whose direction somebody declared.
 */
export function isHarm(metric: string, worse: Worse): boolean {
  if (isResource(metric) || metric === SLOW_SHARE) return false;
  return worse !== "either" || isLatency(metric) || metric === "error_rate";
}

/** Ratios of a limit that somebody runs into at 1. */
export const hasLimit = (metric: string): boolean => metric === "memory_usage" || metric === "cpu_usage";

/** A value with its unit, as people read it. */
export function withUnit(value: number, unit: string): string {
  if (unit === "ratio") return `${threeDigits(value * 100)} %`;
  return `${threeDigits(value)} ${unit}`.trim();
}

/** Three digits that say something, and no power of ten where a person can read the number as it is. */
function threeDigits(value: number): string {
  const text = value.toPrecision(3);
  return text.includes("e+") && Math.abs(value) < LARGEST_READ ? String(Number(text)) : text;
}
const LARGEST_READ = 1e9;
