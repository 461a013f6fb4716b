import type { Change } from "../model/change.ts";
import { countsBetween, type SampleIndex, samplesBetween } from "./samples.ts";

/** Failed requests and all requests of one version in one sample. */
export interface Counts {
  readonly k: number;
  readonly n: number;
}

/** Both versions in one sample in which both served. */
export interface CountedPair {
  /** End of the sample, Unix ms. */
  readonly at: number;
  readonly fresh: Counts;
  readonly old: Counts;
}

/** What the new version fails beyond the old one: log Bayes factor of any such part against none, and the two shares compared. */
export interface BeyondOld {
  readonly nats: number;
  /** Shares of failed requests, 0 to 1, of the same moments: each sample counts alike for both. */
  readonly fresh: number;
  readonly old: number;
  readonly samples: number;
}

/** Overdispersion of counts, as everywhere where two services are compared. */
export const DISPERSION = 2;
/**
 * Two versions never suffer quite alike from what ails both: another mix of requests, empty pools and caches. Their failures
 * differ by a fifth of it, as a standard deviation: twice what their times differ by, and the least part of a caller's
 * failures that is taken for a callee's own.
 */
const SUFFER_UNLIKE = 0.2;

/** Samples since `from` in which both versions of a change served and failures and requests of both are counted. */
export function countedPairs(index: SampleIndex, change: Change, from: number, to: number): readonly CountedPair[] {
  const errors = index.byVersion(change.service, "error_rate");
  const rates = index.byVersion(change.service, "request_rate");
  const series = errors.get(change.to);
  const halfMs = (series?.stepMs ?? 0) / 2;
  return samplesBetween(series, from, to).flatMap(({ at }) => {
    const fresh = countsBetween(series, rates.get(change.to), at - halfMs, at);
    const old = { k: 0, n: 0 };
    for (const [version, other] of errors) {
      const counts = version === change.to ? null : countsBetween(other, rates.get(version), at - halfMs, at);
      old.k += counts?.k ?? 0;
      old.n += counts?.n ?? 0;
    }
    return fresh === null || old.n <= 0 ? [] : [{ at, fresh, old }];
  });
}

/**
 * What the new version fails beyond the old one, whatever that fails: sample by sample, so that trouble which grows while a
 * rollout goes on counts alike for both. Within one sample it does not: where trouble begins in it, more of the new
 * version's requests than of the old one's come after that. So the new version is compared with the worst that the old one
 * did in the sample, the one before and the one after; one after which the old version was not measured says nothing.
 * Any difference is alike (a density of one over all shares) against none but what two versions always differ by; a new
 * version that fails less than the old one is as little to blame as one that fails alike. Null where no sample can be
 * compared. `stepMs`: the length of a sample.
 * @see Kass & Raftery (1995), "Bayes Factors", J. Am. Stat. Assoc. 90(430):773–795
 */
export function beyondOld(pairs: readonly CountedPair[], stepMs: number): BeyondOld | null {
  const byTime = new Map(pairs.map(({ at, old }) => [at, old]));
  const compared = pairs.flatMap(({ at, fresh, old }) => {
    const next = byTime.get(at + stepMs);
    if (next === undefined) return [];
    return [{ fresh, old: worst([old, next, byTime.get(at - stepMs) ?? old]) }];
  });
  const { fresh, old, weight } = standardised(compared);
  if (!(weight > 0)) return null;
  const noise = compared.reduce((sum, one) => sum + weightOf(one) * spreadOf(one), 0) / weight ** 2;
  return { nats: anyAgainstNone(fresh - old, old, DISPERSION * noise), fresh, old, samples: compared.length };
}

/**
 * Log Bayes factor of the new version failing any share more than the old one, against none but what versions always
 * differ by. `more`: by how much it does, `noise`: the variance of that by chance alone.
 */
export function anyAgainstNone(more: number, old: number, noise: number): number {
  const square = noise + (SUFFER_UNLIKE * old) ** 2;
  if (!(square > 0)) return 0;
  return Math.min(0, 0.5 * Math.log(2 * Math.PI * square)) + Math.max(0, more) ** 2 / (2 * square);
}

/** The shares that both versions failed, over the same moments: each sample weighs as much as both together tell of it. */
export function standardised(pairs: readonly Pick<CountedPair, "fresh" | "old">[]): {
  readonly fresh: number;
  readonly old: number;
  readonly weight: number;
} {
  const weight = pairs.reduce((sum, pair) => sum + weightOf(pair), 0);
  const mean = (of: "fresh" | "old") =>
    pairs.reduce((sum, pair) => sum + (weightOf(pair) > 0 ? weightOf(pair) * shareOf(pair[of]) : 0), 0) / weight;
  return { fresh: mean("fresh"), old: mean("old"), weight };
}

type Pair = Pick<CountedPair, "fresh" | "old">;
const shareOf = ({ k, n }: Counts): number => k / n;
const worst = (all: readonly Counts[]): Counts =>
  all.reduce((most, one) => (shareOf(one) > shareOf(most) ? one : most));
/** The inverse of 1/n + 1/m, which the variance of a difference of shares goes with. */
const weightOf = ({ fresh, old }: Pair): number => (fresh.n > 0 ? (fresh.n * old.n) / (fresh.n + old.n) : 0);

/** p(1 − p) of both together, never nothing. */
function spreadOf({ fresh, old }: Pair): number {
  const both = (fresh.k + old.k + 0.5) / (fresh.n + old.n + 1);
  return both * (1 - both);
}
