import { binomialCdf } from "./intervals.ts";

/** Errors of requests in one step. */
export interface Counts {
  readonly errors: number;
  readonly requests: number;
}

/** Another way to notice a shift: looks at each step in turn and says whether it raises an alarm there. */
export interface Competitor {
  readonly name: string;
  /** A fresh watch; `usual` is the rate that it takes for normal (0–1), `requests` the usual requests a step. */
  start(usual: number, requests: number): (counts: Counts) => boolean;
}

const DURATION_STEPS = 4;

/**
 * What a monitoring rule does: above a threshold for a minute (four steps of 15 s). The threshold is the lowest one
 * that four independent steps in a row exceed with probability `alpha`.
 */
export const thresholdWithDuration = (alpha: number): Competitor => ({
  name: "threshold for 1 m",
  start(usual, requests) {
    const each = alpha ** (1 / DURATION_STEPS);
    let highest = Math.floor(usual * requests);
    while (1 - binomialCdf(highest, requests, usual) > each) highest += 1;
    let run = 0;
    return ({ errors, requests: n }) => {
      run = errors / n > highest / requests ? run + 1 : 0;
      return run >= DURATION_STEPS;
    };
  },
});

/**
 * The two-proportion z-test as it is repeated in practice: everything since the change against everything before,
 * after every step, each look at level `alpha`. The change's time is given to it.
 */
export const repeatedTwoProportion = (critical: number, historySteps: number): Competitor => ({
  name: "two-proportion test at every sample",
  start(usual, requests) {
    const before = { errors: usual * requests * historySteps, requests: requests * historySteps };
    let errors = 0;
    let trials = 0;
    return (counts) => {
      errors += counts.errors;
      trials += counts.requests;
      const pooled = (errors + before.errors) / (trials + before.requests);
      const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / trials + 1 / before.requests));
      return (errors / trials - before.errors / before.requests) / deviation > critical;
    };
  },
});

/**
 * Page's CUSUM for one shift that is known beforehand, tuned to one false alarm in `1/alpha` steps by Siegmund's
 * corrected approximation: ARL ≈ (e^(h+ρ) − (h+ρ) − 1) / KL(p₀‖p₁) with ρ = 1.166 deviations of one step.
 * @see Page (1954), Biometrika 41:100–115; Siegmund (1985), Sequential Analysis, ch. II.6
 */
export const tunedCusum = (name: string, alpha: number, shifted: (usual: number) => number): Competitor => ({
  name,
  start(usual, requests) {
    const worse = shifted(usual);
    const [perError, perSuccess] = [Math.log(worse / usual), Math.log((1 - worse) / (1 - usual))];
    const mean = requests * (usual * perError + (1 - usual) * perSuccess);
    const deviation = Math.sqrt(requests * usual * (1 - usual)) * (perError - perSuccess);
    const runLength = (h: number) => (Math.exp(h + 1.166 * deviation) - (h + 1.166 * deviation) - 1) / -mean;
    let limit = 0;
    while (runLength(limit) < 1 / alpha) limit += 0.01;
    let sum = 0;
    return ({ errors, requests: n }) => {
      sum = Math.max(0, sum + errors * perError + (n - errors) * perSuccess);
      return sum >= limit;
    };
  },
});
