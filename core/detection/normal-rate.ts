import { type Bursts, burstLimit, createBursts, LARGEST_BURST, learnBursts } from "./bursts.ts";
import {
  burstsIn,
  createSpread,
  dispersionIn,
  learnSpread,
  PRIOR_BLOCKS,
  type Spread,
  USUAL_PRIOR,
} from "./dispersion.ts";
import {
  bounded,
  burstEvidence,
  countEvidence,
  errorsEvidence,
  MATERIAL_ERROR_RATIO,
  MATERIAL_LEVEL,
  MOST_RATE,
  unsureOfVariance,
  worseRates,
} from "./evidence.ts";
import { logSumExp } from "./robust.ts";

/**
 * What is normal for errors among requests, or for a count a step: learned with exponential forgetting.
 * `errors` of `requests` (for counts: of steps).
 */
export interface RateNormal {
  readonly kind: "rate";
  readonly bounded: boolean;
  /** How many times the usual rate is the least that matters. */
  readonly leastRatio: number;
  /** Of counts: how many a step are the least that matters; absent: one. */
  readonly leastCount?: number;
  learned: number;
  errors: number;
  requests: number;
  /** The same, forgotten more slowly: it counts for as long as the newer past agrees with it. */
  readonly long: { errors: number; requests: number };
  readonly spread: Spread;
  readonly bursts: Bursts;
}

/**
 * The longer past is forgotten so many times as slowly: six hours, what a watch reads at its start. How errors come in
 * bursts is remembered so long in any case: it is a habit of clients and their retries, not of the hour.
 */
const LONGER = 6;
/**
 * Failed probes a minute of one pod that fails every other one, at the default of ten seconds between them: fewer in a
 * step of whatever length say nothing lasting.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/probes/ (`periodSeconds`)
 */
const LEAST_A_MINUTE = 3;

/** Of failed probes, how many in a step of `stepMs` are the least that matters. */
export const leastProbes = (stepMs: number): number => Math.min(1, LEAST_A_MINUTE * (stepMs / 60_000));

/** `leastCount`: of counts, how many a step are the least that matters. */
export function createRateNormal(isRatio: boolean, leastRatio = 1 + MATERIAL_LEVEL, leastCount = 1): RateNormal {
  return {
    kind: "rate",
    bounded: isRatio,
    leastRatio,
    leastCount,
    learned: 0,
    errors: 0,
    requests: 0,
    long: { errors: 0, requests: 0 },
    spread: createSpread(),
    bursts: createBursts(),
  };
}

/** Takes one normal sample in; `keep` is the share of the past that is kept (0–1). */
export function learnRate(normal: RateNormal, k: number, n: number, keep: number): void {
  const dispersion = dispersionOf(normal);
  const usual = centerOf(pastOf(normal, dispersion));
  const scale = Math.sqrt(Math.max(n * usual, 0.25) * dispersion);
  const taken = normal.learned < 8 ? k : Math.min(k, n * usual + 4 * scale); // one wild sample must not become normal
  const keepLong = keep ** (1 / LONGER);
  if (normal.learned >= 4 && n > 0) {
    learnSpread(normal.spread, k - n * usual, n * usual, keepLong);
    learnBursts(normal.bursts, taken, n * usual, keepLong);
  }
  normal.errors = normal.errors * keep + taken;
  normal.requests = normal.requests * keep + n;
  normal.long.errors = normal.long.errors * keepLong + taken;
  normal.long.requests = normal.long.requests * keepLong + n;
  normal.learned += 1;
}

/** The usual rate: errors a request, or counts a step. Half an event is added, so that it is never zero (Jeffreys). */
export const centerRate = (normal: RateNormal): number => centerOf(pastOf(normal, dispersionOf(normal)));

const centerOf = ({ errors, requests }: Counts): number => (errors + 0.5) / (requests + 1);

/** The newer past agrees with the longer one within so many deviations: 95 in a hundred do where nothing has moved. */
const AGREES = 2;

/**
 * The longest past that is still one with the newest: more of it makes the usual rate surer, a rate that has moved makes
 * it wrong.
 * @see Bifet & Gavaldà (2007), "Learning from Time-Changing Data with Adaptive Windowing", SDM, for the idea
 */
function pastOf(normal: RateNormal, dispersion: number): Counts {
  const { long } = normal;
  const expected = ((long.errors + 0.5) / (long.requests + 1)) * normal.requests;
  const off = normal.errors - expected;
  return off ** 2 <= AGREES ** 2 * (expected + 0.5) * dispersion ? long : normal;
}

interface Counts {
  readonly errors: number;
  readonly requests: number;
}

/** Variance of sums of samples over that of independent events, at least 1. */
export const dispersionOf = ({ spread }: RateNormal): number => dispersionIn(spread);

/** What is under suspicion: requests (for counts: steps), and the samples that they came in. */
export interface Stretch {
  readonly requests: number;
  readonly samples: number;
}

/**
 * The dispersion of the sum over a stretch as it was to be expected: that within one sample, as much larger as sums over
 * so many samples vary more. A usual rate that is known from so many requests makes the predictive variance 1 + requests
 * now / requests learned times as large (gamma–Poisson).
 */
function predictiveDispersion(normal: RateNormal, past: Counts, { requests, samples }: Stretch): number {
  return credibleBursts(normal) * lastingOver(normal, samples) * (1 + requests / (past.requests + 1));
}

/** By how much sums over so many samples vary more than single ones, at least 1. */
const lastingOver = ({ spread }: RateNormal, samples: number): number =>
  Math.max(1, dispersionIn(spread, USUAL_PRIOR, samples) / burstsIn(spread));

/** Two errors may have come together by chance or not; fewer than so many say nothing of whether they do. */
const FEW_EVENTS = 3;

/**
 * The dispersion within one sample, with what the past leaves open: by likelihood; by variance where bursts are larger
 * than likelihood weighs, or where there are hardly any events, of which a past without any has been a steady one.
 */
function credibleBursts({ spread, bursts }: RateNormal): number {
  const samples = PRIOR_BLOCKS + (spread[0]?.weight ?? 0);
  const byVariance = burstsIn(spread) * unsureOfVariance(samples);
  if (bursts.events < FEW_EVENTS) return byVariance;
  return burstLimit(bursts) ?? Math.max(LARGEST_BURST, byVariance);
}

/** Highest rate still credible as "not worse": the one-sided 99 % limit of the usual rate (normal approximation). */
export function highestRate(normal: RateNormal): number {
  const dispersion = dispersionOf(normal);
  const { errors, requests } = pastOf(normal, dispersion);
  const events = errors + 0.5;
  const upper = (events + 2.33 * Math.sqrt(events * dispersion) + 1.8) / (requests + 1);
  return normal.bounded ? Math.min(upper, 0.95) : upper;
}

/** Counts a step are bet on at the least that matters and at twice the usual, and at multiples. */
function ratesToBetOn(normal: RateNormal, usual: number): readonly number[] {
  if (normal.bounded) return worseRates(usual, normal.leastRatio);
  return [1, 2.5, 8, 30].map((multiple) => Math.max(leastCountOf(normal), 2 * usual) * multiple);
}

const leastCountOf = ({ leastCount }: RateNormal): number => leastCount ?? 1;

/** Shares of the steps that may have an event, as multiples of the least that matters. */
const OFTEN = [1, 2.5];
/** Nearly every step has one. */
const MOST_STEPS = 0.95;

/**
 * Evidence that more steps have an event than usual, however many each has, into `nats`. Events that come one at a time,
 * again and again, are what a size of bursts never explains: whatever that is, no larger share of the steps has an event
 * than there are events a step (Markov's inequality), so that E e^evidence ≤ 1 where steps are independent. `lasting`: by
 * how much sums over the stretch vary more than they do within one step.
 */
function occurrenceTrials(normal: RateNormal, k: number, lasting: number, nats: number[]): void {
  const share = highestRate(normal);
  for (const multiple of OFTEN) {
    const often = Math.min(MOST_STEPS, Math.max(leastCountOf(normal), 2 * share) * multiple);
    const ratio = k > 0 ? often / share : (1 - often) / (1 - share);
    nats.push(often > share ? bounded(Math.log(ratio) / lasting) : 0);
  }
}

/** Deviations from an alternative's mean beyond which a sample does not come from it. */
const BELIEVABLE = 3;

/**
 * Evidence against each alternative, for the running test, into `nats`: no list is made for each sample. `suspect`: what
 * is under suspicion, this sample included.
 */
export function rateTrials(normal: RateNormal, k: number, n: number, suspect: Stretch, nats: number[]): void {
  const past = pastOf(normal, dispersionOf(normal));
  const usual = centerOf(past);
  const dispersion = predictiveDispersion(normal, past, suspect);
  nats.length = 0;
  const rates = ratesToBetOn(normal, usual);
  for (let i = 0; i < rates.length; i++) {
    const rate = rates[i] ?? usual;
    // What even the worse rate would not give says nothing for it: a wild sample speaks for wild rates alone.
    const most = n * rate + BELIEVABLE * Math.sqrt(n * rate * dispersion);
    nats.push(bounded(burstEvidence(Math.min(k, most), n, rate, usual, dispersion)));
  }
  if (!normal.bounded) occurrenceTrials(normal, k, lastingOver(normal, suspect.samples), nats);
}

/**
 * Evidence of single samples (`k` of `n`) that they are no longer normal, whatever the new rate: for the place of the
 * onset. Holds for `normal` as it is now, whose rates are worked out once for all samples.
 */
export function rateSurprises(normal: RateNormal): (k: number, n: number) => number {
  const dispersion = dispersionOf(normal);
  const high = Math.min(highestRate(normal), Math.max(centerRate(normal) * 1.2, 1e-6));
  const least = Math.max(2 * high, normal.bounded ? high + MATERIAL_ERROR_RATIO : leastCountOf(normal));
  // Few alternatives: every one costs each sample its share, since each sample may be as bad as it likes.
  const rates = [(high + least) / 2, ...[1, 2.5, 8, 30].map((multiple) => least * multiple)];
  const all: number[] = rates.map(() => 0);
  return (k, n) => {
    for (let i = 0; i < rates.length; i++) all[i] = bounded(evidence(normal, k, n, rates[i] ?? 0, high, dispersion));
    return logSumExp(all) - Math.log(all.length);
  };
}

/** Evidence that the rate is normal again rather than half as bad as it was. */
export function rateRecovery(normal: RateNormal, k: number, n: number, current: number): number {
  const high = highestRate(normal);
  return -evidence(normal, k, n, Math.max(high * 1.5, (high + current) / 2), high, dispersionOf(normal));
}

function evidence(normal: RateNormal, k: number, n: number, worse: number, usual: number, dispersion: number): number {
  if (!normal.bounded) return countEvidence(k, worse, usual, dispersion);
  return errorsEvidence(k, n, Math.min(worse, MOST_RATE), usual, dispersion);
}
