import { upperTail, Z99 } from "../world/slot.ts";

/** Two kinds of requests, each with a lognormal time. */
export interface Part {
  readonly share: number;
  readonly median: number;
  readonly p99: number;
}

/** The quantile of a mixture of lognormal times, by bisection on the logarithm. */
export function mixtureQuantile(parts: readonly Part[], quantile: number): number {
  const live = parts.filter(({ share, median }) => share > 0 && median > 0);
  const [only] = live;
  if (only === undefined) return 0;
  if (live.length === 1) return quantile > 0.9 ? only.p99 : only.median;
  let low = Math.log(Math.min(...live.map(({ median }) => median)) / 4);
  let high = Math.log(Math.max(...live.map(({ p99 }) => p99)) * 4);
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    const above = live.reduce(
      (sum, part) => sum + part.share * upperTail((middle - Math.log(part.median)) / spreadOf(part)),
      0,
    );
    if (above > 1 - quantile) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

/** Standard deviation of the log of a time with this median and 99th percentile. */
export function spreadOf({ median, p99 }: Pick<Part, "median" | "p99">): number {
  return Math.max(0.05, Math.log(Math.max(1.01, p99 / median)) / Z99);
}
