import { logAdd } from "../detection/robust.ts";

/** What the extremes of a baseline leave out on one side: two samples in a hundred. */
const TAIL = 0.02;
/** The quantile of the standard normal distribution that leaves it out. */
const Z = 2.0537489106318225;
/** From so many on a Poisson count is as good as normal: its skewness, which is corrected for, is under a tenth. */
const MANY = 100;

/**
 * The highest share of failed requests (0–1) that one sample of so many requests shows by chance at least twice in a hundred, where
 * the median of such samples is `median` (0–1). Of few requests a single failed one is a large share, and a median of none failed
 * leaves more than half of a failed request a sample: a Poisson count of median m has a mean of at most m + ln 2.
 *
 * @see Choi (1994), On the medians of gamma distributions and an equation of Ramanujan, Proc. Amer. Math. Soc. 121(1):245–251
 */
export function shareByChance(median: number, requests: number): number {
  if (requests <= 0) return median;
  const mean = Math.round(median * requests) + Math.LN2;
  if (mean > MANY) return Math.min(1, (mean + Z * Math.sqrt(mean) + (Z * Z - 1) / 6) / requests);
  let logOf = -mean; // ln P(K = failed)
  let logUpTo = logOf; // ln P(K ≤ failed)
  let failed = 0;
  while (logUpTo < Math.log1p(-TAIL)) {
    failed++;
    logOf += Math.log(mean / failed);
    logUpTo = logAdd(logUpTo, logOf);
  }
  return Math.min(1, failed / requests);
}
