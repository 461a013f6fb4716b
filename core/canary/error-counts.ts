import { logSumExp } from "../detection/robust.ts";

/** Errors `k` among `n` requests of a step. `k` need not be whole: it comes from a ratio. */
export interface Count {
  readonly k: number;
  readonly n: number;
}

/** Odds of failing, as multiples of the baseline's, that the evidence for "worse" is spread over. */
const ODDS = [1.5, 2, 4, 10, 30];
/** Rates, as shares of the least one that would matter, that the evidence for "no worse" is spread over. */
const RATES = [0.1, 1 / 3, 0.6];

/**
 * Exact evidence from error counts side by side, which may be read after every step. However often both versions fail
 * together, of the requests that failed in a step the canary has its share of the traffic if it is no worse: the log of
 * a mixture of likelihood ratios for larger odds, an e-process for independent failures.
 * @see Lindon & Malek (2022), "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 35
 */
export interface ExcessErrors {
  take(canary: Count, baseline: Count): void;
  nats(): number;
}

export function createExcessErrors(): ExcessErrors {
  const sums = ODDS.map(() => 0);
  return {
    take(canary, baseline) {
      const share = canary.n / (canary.n + baseline.n);
      if (!(share > 0 && share < 1)) return;
      for (const [i, odds] of ODDS.entries()) {
        const more = (odds * share) / (1 - share + odds * share);
        sums[i] = (sums[i] ?? 0) + canary.k * Math.log(more / share) + baseline.k * Math.log((1 - more) / (1 - share));
      }
    },
    nats: () => logSumExp(sums) - Math.log(sums.length),
  };
}

/**
 * Exact evidence that the canary fails less than `rate` of its requests: the log of a mixture of likelihood ratios for
 * smaller rates. Without any error it takes about log(1/α)/`rate` requests (the rule of three at 95 %), so that little
 * traffic proves nothing.
 * @see Hanley & Lippman-Hand (1983), J. Am. Med. Assoc. 249(13):1743–1745
 */
export interface FewErrors {
  take(canary: Count): void;
  nats(): number;
}

export function createFewErrors(rate: number): FewErrors {
  const sums = RATES.map(() => 0);
  return {
    take({ k, n }) {
      for (const [i, share] of RATES.entries())
        sums[i] = (sums[i] ?? 0) + k * Math.log(share) + (n - k) * Math.log((1 - share * rate) / (1 - rate));
    },
    nats: () => logSumExp(sums) - Math.log(sums.length),
  };
}
