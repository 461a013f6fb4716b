import { percentile } from "./statistics.ts";

/**
 * Values far outside the middle half: below Q1 − factor·IQR or above Q3 + factor·IQR (Tukey's fences). `gentle` widens
 * the fences to the 1st and 99th percentile, as Kayenta's judge does. `factor` > 0.
 */
export function iqrOutliers(values: readonly number[], factor: number, gentle = false): readonly boolean[] {
  const q1 = percentile(values, 25);
  const q3 = percentile(values, 75);
  const reach = factor * (q3 - q1);
  const lower = gentle ? Math.min(percentile(values, 1), q1 - reach) : q1 - reach;
  const upper = gentle ? Math.max(percentile(values, 99), q3 + reach) : q3 + reach;
  return values.map((value) => value > upper || value < lower);
}
