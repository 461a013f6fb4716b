/** Chance that a standard normal value is at most `x`, by the series of Marsaglia (2004), J. Stat. Softw. 11(4). |x| ≤ 8. */
function normalCdf(x: number): number {
  let sum = x;
  let term = x;
  for (let i = 3; Math.abs(term) > Number.EPSILON * Math.abs(sum); i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

/** The value that a standard normal variable stays below with probability `p`, 0 < p < 1; Newton from 0, about 1e-12. */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  let x = 0;
  // From 0 leftwards the distribution function is convex: Newton's steps stay on one side of the root.
  for (let i = 0; i < 100; i++) {
    const step = (normalCdf(x) - p) / (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI));
    x -= step;
    if (Math.abs(step) < 1e-13) break;
  }
  return x;
}
