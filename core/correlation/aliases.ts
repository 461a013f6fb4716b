import type { Series } from "../model/signal.ts";

const SUCCESS = /^(availability|success_(rate|ratio))$/;
const REQUESTS = /^(requests|request_count|requests_total|calls|invocations)$/;

/** Whether a metric counts failures, or what they leave. */
export const speaksOfErrors = (metric: string): boolean => metric === "error_rate" || SUCCESS.test(metric);

/**
 * The error rate or request rate that a series says under another name; null where it says neither. Availability (ratio,
 * or percent where its unit or a value says so) is what errors leave; a count of requests is one of its step.
 */
export function alias(series: Series): Series | null {
  const { metric, unit, stepMs } = series;
  if (SUCCESS.test(metric)) {
    const { values } = series;
    const known = values.filter((value) => value !== null);
    const whole = unit === "%" || /percent/i.test(unit) || known.some((value) => value > 1) ? 100 : 1;
    if (known.some((value) => value < 0 || value > whole)) return null;
    const errors = values.map((value) => (value === null ? null : 1 - value / whole));
    return { ...series, metric: "error_rate", unit: "ratio", worse: "up", values: errors };
  }
  if (REQUESTS.test(metric)) {
    const rates = series.values.map((value) => (value === null ? null : value / (stepMs / 1000)));
    return { ...series, metric: "request_rate", unit: "req/s", worse: "either", values: rates };
  }
  return null;
}
