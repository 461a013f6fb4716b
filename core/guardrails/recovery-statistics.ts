/**
 * The confidence that verification asks for. 95 % is the convention of the rule of three; a wrong "recovered" is
 * seen again by the watch, which goes on looking.
 */
const DOUBT = 0.05;
/** The 95 % quantile of the standard normal distribution, one-sided. */
const Z_ONE_SIDED = 1.6448536269514722;

/**
 * Samples in a row that must lie inside the baseline. A signal that is bad half of the time shows so many good ones
 * in a row by chance with probability 2⁻⁵ ≈ 3 %, below the doubt that is allowed.
 */
export const ENOUGH_SAMPLES = Math.ceil(Math.log(DOUBT) / Math.log(0.5));

/**
 * Requests after which something that happens to a share `rate` of them (0 < rate < 1) would have shown at least
 * once with 95 %: the rule of three, exactly ln 0.05 / ln(1 − rate). Infinite for a rate of 0.
 *
 * @see Hanley & Lippman-Hand (1983), If nothing goes wrong, is everything all right?, JAMA 249(13):1743–1745
 */
export function enoughRequests(rate: number): number {
  if (rate <= 0) return Number.POSITIVE_INFINITY;
  return rate >= 1 ? 1 : Math.ceil(Math.log(DOUBT) / Math.log1p(-rate) - 1e-9);
}

/**
 * One-sided 95 % upper limit of a share after `failed` of `total` (total > 0; both may be fractions, since rates are
 * estimates): Wilson's score limit, and never below the exact limit for no failure at all, where Wilson is too sure.
 *
 * @see Wilson (1927), J. Amer. Stat. Assoc. 22(158):209–212; Brown, Cai & DasGupta (2001), Stat. Sci. 16(2):101–133
 */
export function upperRate(failed: number, total: number): number {
  if (total <= 0) return 1;
  const share = Math.min(1, Math.max(0, failed / total));
  const z2 = Z_ONE_SIDED ** 2;
  const centre = share + z2 / (2 * total);
  const spread = Z_ONE_SIDED * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total * total));
  const wilson = (centre + spread) / (1 + z2 / total);
  const withoutFailure = -Math.expm1(Math.log(DOUBT) / total);
  return Math.min(1, Math.max(wilson, withoutFailure));
}

/**
 * One-sided 95 % lower limit of the median of what these values (not empty, any order) were drawn from, whatever their
 * distribution: the largest order statistic that a sample of their number leaves below the median with 95 %, from the
 * binomial distribution. Fewer than five give no such limit; then the least of them stands for it.
 *
 * @see Conover (1999), Practical Nonparametric Statistics, 3rd ed., §3.2
 */
export function medianAtLeast(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  let below = 0.5 ** sorted.length; // P(fewer than `rank` of them lie below the median)
  let term = below;
  let rank = 1;
  for (; rank < sorted.length; rank++) {
    term *= (sorted.length - rank + 1) / rank;
    if (below + term > DOUBT) break;
    below += term;
  }
  return sorted[rank - 1] ?? Number.NaN;
}

/** The quantile that a latency metric names ("p99_latency" → 0.99); null where it names none. */
export function quantileOf(metric: string): number | null {
  const digits = /^p(\d{2,4})(?:_|$)/.exec(metric)?.[1];
  return digits === undefined ? null : Number(`0.${digits}`);
}
