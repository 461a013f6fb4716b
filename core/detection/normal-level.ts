import type { Worse } from "../model/signal.ts";
import { bounded, levelEvidence, MATERIAL_ERROR_RATIO, MATERIAL_LEVEL, unsureOfVariance } from "./evidence.ts";
import { logSumExp } from "./robust.ts";

/**
 * What is normal for a level (latency, use, a custom gauge): a first-order autoregression around a slowly moving
 * mean, learned robustly (residuals beyond three deviations count as three). Positive signals are tested in logs, so
 * that a shift is a ratio. `drift` says by how much means of 16 samples vary more than that model expects.
 */
export interface LevelNormal {
  readonly kind: "level";
  readonly log: boolean;
  /** Smallest shift that matters, in the scale tested. */
  readonly material: number;
  readonly signs: readonly (1 | -1)[];
  learned: number;
  mean: number;
  variance: number;
  covariance: number;
  blockSum: number;
  blockFilled: number;
  driftSum: number;
  driftWeight: number;
}

/** A prior worth four samples: a tenth of the level, and half of a step's deviation carried into the next. */
const PRIOR_SAMPLES = 4;
/** Forgetting by half in 120 samples or more leaves the weight of at least so many. */
const EFFECTIVE_SAMPLES = 2 * 120 * Math.LOG2E;

export function createLevelNormal(first: readonly number[], worse: Worse, metric: string): LevelNormal {
  const log = metric !== "error_rate" && first.every((value) => value > 0);
  const start = first.map((value) => (log ? Math.log(value) : value)).sort((a, b) => a - b);
  const mean = start[Math.floor(start.length / 2)] ?? 0;
  const isRatio = metric === "error_rate";
  const scale = isRatio ? MATERIAL_ERROR_RATIO / 2 : log ? 0.1 : Math.max(0.1 * Math.abs(mean), 1e-9);
  const material = isRatio ? MATERIAL_ERROR_RATIO : log ? Math.log(1 + MATERIAL_LEVEL) : 2.5 * scale;
  const signs = worse === "either" ? ([1, -1] as const) : worse === "down" ? ([-1] as const) : ([1] as const);
  const variance = scale ** 2;
  return {
    kind: "level",
    log,
    material,
    signs,
    learned: 0,
    mean,
    variance,
    covariance: variance / 2,
    blockSum: 0,
    blockFilled: 0,
    driftSum: 0,
    driftWeight: 0,
  };
}

/** What is left of a level that fell to nothing, in logs: a hundredth of the usual one. */
const NOTHING_LEFT = -Math.log(100);

/** The value in the scale tested; less than a hundredth of the usual level counts as that. */
export function scaled(normal: LevelNormal, value: number): number {
  if (!normal.log) return value;
  return value > 0 ? Math.max(Math.log(value), normal.mean + NOTHING_LEFT) : normal.mean + NOTHING_LEFT;
}

/** The value of what was tested, in the signal's own unit: 0 where all that is known is that next to nothing was left. */
export function unscaled(normal: LevelNormal, x: number): number {
  if (!normal.log) return x;
  return x <= normal.mean + NOTHING_LEFT ? 0 : Math.exp(x);
}

const deviation = (normal: LevelNormal): number => Math.sqrt(normal.variance);
const carry = (normal: LevelNormal): number => Math.max(0, Math.min(0.95, normal.covariance / normal.variance));

/** How much more means of 16 samples vary than the autoregression says; at least 1. */
function driftOf(normal: LevelNormal): number {
  return Math.max(1, (4 + normal.driftSum) / (4 + normal.driftWeight));
}

/** Takes one normal sample in; `before` is the sample one step earlier (NaN: missing), `keep` the share of the past kept. */
export function learnLevel(normal: LevelNormal, x: number, before: number, keep: number): void {
  const limit = 3 * deviation(normal);
  const clip = (value: number) => Math.max(-limit, Math.min(limit, value - normal.mean));
  const residual = clip(x);
  const previous = Number.isNaN(before) ? Number.NaN : clip(before);
  const weight = Math.max(1 / (normal.learned + 1), 1 - keep);
  const scaleWeight = Math.max(1 / (normal.learned + 1 + PRIOR_SAMPLES), 1 - keep);
  learnDrift(normal, residual, keep);
  normal.mean += weight * residual;
  normal.variance += scaleWeight * (residual ** 2 - normal.variance);
  normal.variance = Math.max(normal.variance, floorVariance(normal));
  if (!Number.isNaN(previous)) normal.covariance += scaleWeight * (residual * previous - normal.covariance);
  normal.learned += 1;
}

/** No signal is taken to be steadier than a fifth of the smallest shift that matters: guards series that hardly move. */
const floorVariance = (normal: LevelNormal): number => (normal.material / 5) ** 2;

function learnDrift(normal: LevelNormal, residual: number, keep: number): void {
  normal.blockSum += residual;
  normal.blockFilled += 1;
  if (normal.blockFilled < 16) return;
  const rho = carry(normal);
  const expected = Math.min(normal.variance, (normal.variance / 16) * ((1 + rho) / (1 - rho)));
  normal.driftSum = normal.driftSum * keep ** 16 + Math.min(25, (normal.blockSum / 16) ** 2 / expected);
  normal.driftWeight = normal.driftWeight * keep ** 16 + 1;
  normal.blockSum = 0;
  normal.blockFilled = 0;
}

interface Innovation {
  readonly u: number;
  readonly variance: number;
  readonly gain: number;
}

function innovation(normal: LevelNormal, x: number, before: number): Innovation {
  const rho = Number.isNaN(before) ? 0 : carry(normal);
  const u = x - normal.mean - (Number.isNaN(before) ? 0 : rho * (before - normal.mean));
  return { u, variance: credibleVariance(normal) * (1 - rho ** 2), gain: 1 - rho };
}

/** The learned variance with wander, and with what so few samples leave open; autocorrelated ones count for less. */
function credibleVariance(normal: LevelNormal): number {
  const rho = carry(normal);
  const learned = PRIOR_SAMPLES + Math.min(normal.learned, EFFECTIVE_SAMPLES);
  // Bartlett (1946), J. R. Stat. Soc. Suppl. 8(1):27–41
  return normal.variance * driftOf(normal) * unsureOfVariance((learned * (1 - rho ** 2)) / (1 + rho ** 2));
}

/** How far off the learned mean may be: two standard errors, autocorrelation and wander of the mean included. */
function margin(normal: LevelNormal): number {
  const rho = carry(normal);
  const independent = Math.max(2, (Math.min(normal.learned, EFFECTIVE_SAMPLES) * (1 - rho)) / (1 + rho));
  return 2 * Math.sqrt((normal.variance * driftOf(normal)) / independent);
}

/** Shifts to bet on, in each direction that hurts: the least of them, and multiples of it. */
const MULTIPLES = [1, 2, 4, 8] as const;

/** The least shift that matters; two deviations where those are more. */
function leastShift(normal: LevelNormal): number {
  const usual = normal.log ? 0 : Math.abs(normal.mean);
  return Math.max(normal.material, 2 * deviation(normal), normal.log ? 0 : MATERIAL_LEVEL * usual);
}

/** Deviations beyond the whole shift (which is what its first sample jumps by) where a sample does not come from it. */
const BELIEVABLE = 3;

/**
 * Evidence against each alternative, for the running test, into `nats`: no list is made for each sample. "Not worse" is
 * every mean up to what the learned one may be off by, and up to half of the smallest shift that matters: a steady signal
 * that moves a little is not worse.
 */
export function levelTrials(normal: LevelNormal, x: number, before: number, nats: number[]): void {
  const { u, variance, gain } = innovation(normal, x, before);
  const slack = Math.max(margin(normal), normal.material / 2);
  const believable = BELIEVABLE * Math.sqrt(variance);
  const least = leastShift(normal);
  nats.length = 0;
  const { signs } = normal;
  for (let i = 0; i < signs.length; i++) {
    const sign = signs[i] ?? 1;
    const moved = sign * (u - sign * slack * gain);
    for (let j = 0; j < MULTIPLES.length; j++) {
      const shift = sign * (MULTIPLES[j] ?? 1) * least;
      const one = levelEvidence(sign * Math.min(moved, sign * shift + believable), shift * gain, variance);
      nats.push(bounded(one));
    }
  }
}

/** Whether a mean in the scale tested lies at least the smallest shift that matters away, in a direction that hurts. */
export function isMaterial(normal: LevelNormal, x: number): boolean {
  return normal.signs.some((sign) => sign * (x - normal.mean) >= normal.material);
}

/**
 * Evidence of single samples that they are no longer normal: for the place of the onset; autocorrelation tempers it.
 * Holds for `normal` as it is now, whose limits are worked out once for all samples.
 */
export function levelSurprises(normal: LevelNormal): (x: number) => number {
  const rho = carry(normal);
  const variance = (normal.variance * driftOf(normal) * (1 + rho)) / (1 - rho);
  const least = leastShift(normal);
  const { mean } = normal;
  const shifts = normal.signs.flatMap((sign) =>
    MULTIPLES.flatMap((multiple) => [(sign * multiple * least) / 2, sign * multiple * least]),
  );
  const all: number[] = shifts.map(() => 0);
  return (x) => {
    for (let i = 0; i < shifts.length; i++) all[i] = bounded(levelEvidence(x - mean, shifts[i] ?? 0, variance));
    return logSumExp(all) - Math.log(all.length);
  };
}

/** Evidence that the level is normal again rather than half as far off as it was. */
export function levelRecovery(normal: LevelNormal, x: number, before: number, current: number): number {
  const { u, variance, gain } = innovation(normal, x, before);
  const half = (current - normal.mean) / 2;
  if (Math.abs(half) < 1e-12) return 0;
  return -levelEvidence(u, half * gain, variance);
}

/** The usual value and its limits (three deviations, drift of the mean included), in the signal's own unit. */
export function levelLimits(normal: LevelNormal): { center: number; lower: number; upper: number } {
  const reach = 3 * Math.sqrt(normal.variance * driftOf(normal));
  return {
    center: unscaled(normal, normal.mean),
    lower: unscaled(normal, normal.mean - reach),
    upper: unscaled(normal, normal.mean + reach),
  };
}
