import { MATERIAL_LEVEL } from "../detection/evidence.ts";
import { isLatency } from "../detection/meaning.ts";
import { logAdd, median, robustScale } from "../detection/robust.ts";
import type { Change } from "../model/change.ts";
import type { Onset } from "../model/finding.ts";
import { beyondOld, type CountedPair, type Counts, countedPairs, DISPERSION, standardised } from "./beyond-old.ts";
import { BAD_CHANGE } from "./prior.ts";
import { ratioSplit } from "./ratio-split.ts";
import { countsBetween, type SampleIndex, samplesBetween } from "./samples.ts";

/** What two versions side by side say: log likelihood ratio of "the new one is to blame" against "it is not". */
export interface VersionSplit {
  readonly nats: number;
  readonly sentence: string;
  /** Samples since the onset in which both served. */
  readonly samples: number;
  /** Whether the old version alone fails, more surely than that both fail alike. */
  readonly oldAlone: boolean;
  /**
   * Of an old version that fails alone: log likelihood ratio of "its pods drop what they serve as they end" against "neither
   * that nor the new version"; 0 of any other.
   */
  readonly ending: number;
}

const MOST_NATS = 6;
/** Fewer requests than this on either side prove nothing. (The field's usual floor, twenty a window.) */
const LEAST_REQUESTS = 20;
const BEFORE_MS = 1_800_000;
/**
 * How often trouble of a mixed fleet shows at the old version alone, while the new one is well. A new version that writes
 * what the one before it cannot read hurts that one: incompatible data is the leading cause of failed upgrades, and a
 * fifth of the incidents that software bugs caused in a large cloud; a quarter of these is taken to show at the older of
 * the two. Without the change, an own trouble of the old pods is as rare as any unrelated one. Pods that end drop what they
 * still serve: where replacing pods is what costs requests, it is the old version that fails them as often as not.
 * @see Zhang et al. (2021), "Understanding and Detecting Software Upgrade Failures in Distributed Systems", SOSP, §4
 *   Liu, Lu, Musuvathi & Nath (2019), "What Bugs Cause Production Cloud Incidents?", HotOS, §3
 */
const OLD_ALONE = { guilty: 0.05, otherwise: 0.01, ending: 0.5 } as const;

/**
 * Compares the version that a change brought with the one it replaced, over the samples since the onset in which both
 * served. Errors decide where errors rose; latency where it alone did. Null where nothing can be compared.
 * @see Lindon & Malek (2022), "Anytime-Valid Inference for Multinomial Count Data", NeurIPS, for the two-sample counts
 */
export function versionSplit(
  index: SampleIndex,
  change: Change,
  onset: Onset,
  at: number,
  worse: ReadonlySet<string>,
): VersionSplit | null {
  if (worse.has("error_rate")) {
    const split = errorSplit(index, change, onset, at) ?? uncountedSplit(index, change, onset, at);
    if (split !== null) return split;
  }
  const latencies = [...worse].filter(isLatency);
  const splits = latencies
    .map((metric) => latencySplit(index, change, metric, onset, at))
    .filter((one) => one !== null);
  return splits.sort((a, b) => Math.abs(b.nats) - Math.abs(a.nats))[0] ?? null;
}

function errorSplit(index: SampleIndex, change: Change, onset: Onset, at: number): VersionSplit | null {
  const whole = countsBetween(
    index.whole(change.service, "error_rate"),
    index.whole(change.service, "request_rate"),
    onset.earliest - BEFORE_MS,
    onset.earliest,
  );
  // Step by step: errors and the share of the new version rise together during a rollout, and sums would mix the two.
  const pairs = countedPairs(index, change, onset.earliest, at);
  if (!areEnough(pairs)) return null;
  const before = whole === null ? 0.01 : (whole.k + 0.5) / (whole.n + 1);
  const carried = sumOver(pairs, ({ fresh, old }) => carriedAlone(fresh, old, before));
  const alone = clamp(sumOver(pairs, ({ fresh, old }) => carriedAlone(old, fresh, before)) / DISPERSION);
  const oldAlone = alone > 0;
  const guilty = logAdd(clamp(carried / DISPERSION), Math.log(OLD_ALONE.guilty) + alone);
  const told = splitWords(change.to, standardised(pairs));
  return {
    nats: oldAlone
      ? guilty - logAdd(0, Math.log(OLD_ALONE.otherwise) + alone)
      : withTroubleOfBoth(clamp(carried / DISPERSION), beyondOld(pairs, stepOf(index, change))?.nats ?? null),
    sentence: oldAlone ? `${told}, as where the new one leaves what the old one cannot read` : told,
    samples: pairs.length,
    oldAlone,
    ending: oldAlone
      ? logAdd(0, Math.log(OLD_ALONE.ending) + alone) - logAdd(0, Math.log(OLD_ALONE.otherwise) + alone)
      : 0,
  };
}

/**
 * What both versions suffer from acquits no new one that fails more beside it: the old one is then not as it was before,
 * whoever is to blame. Log likelihood ratio of "the new version carries what is new, or fails beyond what ails both" against
 * "both are alike". The second needs a bad change and a trouble beside it: of the two it is weighed as often as a change is
 * bad whatever happens elsewhere. `beyond`: what tells of it; null where nothing does.
 */
const withTroubleOfBoth = (carried: number, beyond: number | null): number =>
  beyond === null ? carried : clamp(logAdd(Math.log(1 - BAD_CHANGE) + carried, Math.log(BAD_CHANGE) + clamp(beyond)));

const stepOf = (index: SampleIndex, { service, to }: Change): number =>
  index.byVersion(service, "error_rate").get(to)?.stepMs ?? 0;

const sumOver = (pairs: readonly CountedPair[], of: (pair: CountedPair) => number): number =>
  pairs.reduce((sum, pair) => sum + of(pair), 0);

const areEnough = (pairs: readonly CountedPair[]): boolean =>
  (["fresh", "old"] as const).every((version) => sumOver(pairs, (pair) => pair[version].n) >= LEAST_REQUESTS);

/** The same where nobody counts the requests. */
function uncountedSplit(index: SampleIndex, change: Change, onset: Onset, at: number): VersionSplit | null {
  const { service, to } = change;
  if (index.byVersion(service, "request_rate").size > 0) return null; // too few were counted to say anything
  const split = ratioSplit(index, service, to, { from: onset.earliest, to: at, beforeMs: BEFORE_MS });
  if (split === null) return null;
  return {
    nats: withTroubleOfBoth(clamp(split.nats), split.beyond),
    sentence: splitWords(to, split),
    samples: split.samples,
    oldAlone: false,
    ending: 0,
  };
}

/** Shares of failed requests of the same moments, 0 to 1. */
interface Shares {
  readonly fresh: number;
  readonly old: number;
}

function splitWords(version: string, { fresh, old }: Shares): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  return `while both served, ${version} failed ${percent(fresh)} of its requests and the version before it ${percent(old)}`;
}

/**
 * What two versions side by side say of the new one's own share in a trouble that both suffer from: log Bayes factor
 * of its failing more often than the old one, whatever that fails, against both being alike, over the samples since the
 * onset in which both served. Null where that cannot be compared.
 */
export function failsMoreThanOld(index: SampleIndex, change: Change, onset: Onset, at: number): VersionSplit | null {
  const pairs = countedPairs(index, change, onset.earliest, at);
  const beyond = areEnough(pairs) ? beyondOld(pairs, stepOf(index, change)) : null;
  if (beyond === null) return null;
  const { nats, samples } = beyond;
  return { nats: clamp(nats), sentence: splitWords(change.to, beyond), samples, oldAlone: false, ending: 0 };
}

/** Log likelihood of one step if one version carries the whole excess, less that of both being alike. */
function carriedAlone(one: Counts, other: Counts, before: number): number {
  const both = (one.k + other.k + 0.5) / (one.n + other.n + 1);
  const excess = Math.max(0, one.k + other.k - before * (one.n + other.n));
  const guilty = Math.min(0.99, before + excess / one.n);
  return loglik(one, guilty) + loglik(other, before) - loglik(one, both) - loglik(other, both);
}

const loglik = ({ k, n }: Counts, p: number): number =>
  k * Math.log(Math.max(p, 1e-9)) + (n - k) * Math.log(Math.max(1 - p, 1e-9));
const clamp = (nats: number): number => Math.max(-MOST_NATS, Math.min(MOST_NATS, nats));

/**
 * Two versions are never alike for good: other code, fresh pods, another mix of requests. Their times differ by a tenth, as a
 * standard deviation of logarithms, with nobody to blame; so they do in the null traffic of `unship bench false-alarms`.
 */
const VERSIONS_DIFFER = 0.1;

function latencySplit(
  index: SampleIndex,
  change: Change,
  metric: string,
  onset: Onset,
  at: number,
): VersionSplit | null {
  const versions = index.byVersion(change.service, metric);
  const fresh = logsByTime(versions.get(change.to), onset.earliest, at);
  const differences: number[] = [];
  const olds: number[] = [];
  let lastBoth = onset.earliest;
  for (const [version, series] of versions) {
    if (version === change.to) continue;
    for (const [time, value] of logsByTime(series, onset.earliest, at)) {
      const other = fresh.get(time);
      if (other === undefined) continue;
      differences.push(other - value);
      olds.push(value);
      lastBoth = Math.max(lastBoth, time);
    }
  }
  if (differences.length < 2) return null;
  const before = logsByTime(index.whole(change.service, metric), onset.earliest - BEFORE_MS, onset.earliest);
  // What came once only one of them served, neither was seen in: it may be slow for another reason by then.
  const after = logsByTime(index.whole(change.service, metric), onset.at, lastBoth);
  const least = Math.log(1 + MATERIAL_LEVEL);
  const shift = Math.max(least, median([...after.values()]) - median([...before.values()]) || least);
  const mean = median(differences);
  const noise = Math.max(robustScale(differences, mean), robustScale([...before.values()]) || 0, least / 3);
  const alike = 0.5 * noise ** 2 * (1 / differences.length + 0.1) * 2 + VERSIONS_DIFFER ** 2;
  const guilty = alike + (shift / 2) ** 2;
  const nats = gauss(mean, shift, guilty) - gauss(mean, 0, alike);
  const apart = mean >= 2 * shift ? MOST_NATS : nats;
  return {
    nats: clamp(
      before.size === 0
        ? apart
        : Math.min(apart, oldAsUsual(median(olds) - median([...before.values()]), shift, noise)),
    ),
    sentence: `while both served, ${metric} of ${change.to} was ${Math.exp(mean).toFixed(2)} times that of the version before it`,
    samples: differences.length,
    oldAlone: false,
    ending: 0,
  };
}

/**
 * A cold start makes the new version slower than the old one as well, whatever ails both: so the old one is asked too.
 * Log likelihood ratio of its being as usual against its being off by anything up to what the service is off by; no
 * limit where it is as usual, since the difference of the two then says it better.
 */
function oldAsUsual(off: number, shift: number, noise: number): number {
  const nats = gauss(off, 0, noise ** 2) - 0.5 * Math.log(2 * Math.PI) + Math.log(shift);
  return nats >= 0 ? MOST_NATS : nats;
}

const gauss = (x: number, mean: number, variance: number): number =>
  -((x - mean) ** 2) / (2 * variance) - 0.5 * Math.log(variance);

function logsByTime(series: Parameters<typeof samplesBetween>[0], from: number, to: number): Map<number, number> {
  return new Map(
    samplesBetween(series, from, to)
      .filter(({ value }) => value > 0)
      .map(({ at, value }) => [at, Math.log(value)]),
  );
}
