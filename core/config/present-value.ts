import type { Config } from "./config.ts";
import { figure } from "./explain/words.ts";
import { unitOfMetric } from "./units.ts";

/** Two figures further apart than this are hardly in one unit: ms and s are a thousand apart, a share and percent a hundred. */
const SUSPICIOUS = 100;

/** Metrics of which next to nothing is what a healthy service has: far below their threshold is no reason to doubt. */
const HEALTHY_NEAR_ZERO = ["error_rate", "health_check_failures"];

/**
 * What a metric is right now, in words, and why its thresholds may be in another unit. `value` is in the metric's unit;
 * null: it has none now.
 */
export function presentValue(
  config: Config,
  metric: string,
  value: number | null,
): { readonly text: string; readonly doubts: readonly string[] } {
  if (value === null || Number.isNaN(value)) return { text: `${metric} has no value now`, doubts: [] };
  if (!Number.isFinite(value)) {
    const text = `${metric} is infinite now, which is no measurement`;
    return { text, doubts: [`${text}: does its query divide by what may be zero?`] };
  }
  const text = `${metric} is ${figure(value, metric, config)} now`;
  const ratio =
    unitOfMetric(metric) === "ratio" && (value < 0 || value > 1)
      ? [`${text}, but it is a ratio from 0 to 1: does its query yield percent, or no share at all?`]
      : [];
  const thresholds = config.policies.flatMap(({ name, conditions }) =>
    conditions.flatMap((condition) =>
      condition.kind === "threshold" && condition.metric === metric ? [{ name, threshold: condition.threshold }] : [],
    ),
  );
  const apart = thresholds.flatMap(({ name, threshold }) => {
    const times = timesApart(threshold, value);
    if (times <= SUSPICIOUS || (Math.abs(value) < Math.abs(threshold) && HEALTHY_NEAR_ZERO.includes(metric))) return [];
    const side = Math.abs(threshold) > Math.abs(value) ? "above" : "below";
    return [
      `${text}; the threshold ${figure(threshold, metric, config)} of ${name} is ${Math.round(times)} times ${side} it: are both in one unit?`,
    ];
  });
  return { text, doubts: [...ratio, ...apart] };
}

/** How many times the larger of two figures is the smaller one; 1 where one is zero, which says nothing of units. */
function timesApart(a: number, b: number): number {
  const [small, large] = [Math.abs(a), Math.abs(b)].sort((x, y) => x - y);
  return small === undefined || large === undefined || small === 0 ? 1 : large / small;
}
