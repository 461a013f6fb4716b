import { seededRandom } from "../sandbox/traffic/arrivals.ts";

/** A seeded source of random quantities. `stream(name)` gives an independent source, so that one more draw here moves nothing there. */
export interface Draw {
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Uniform over the whole numbers low…high, both included. */
  integer(low: number, high: number): number;
  /** Uniform on the logarithm: every factor is equally likely. Both ends > 0. */
  logUniform(low: number, high: number): number;
  chance(probability: number): boolean;
  normal(): number;
  exponential(mean: number): number;
  gamma(shape: number): number;
  poisson(mean: number): number;
  /** Counts with variance `mean · dispersion`; dispersion 1 is Poisson. */
  negativeBinomial(mean: number, dispersion: number): number;
  binomial(trials: number, probability: number): number;
  pick<T>(items: readonly T[]): T;
  shuffle<T>(items: readonly T[]): T[];
  hex(digits: number): string;
  stream(name: string): Draw;
}

/** A source for a seed; equal seeds give equal quantities on every machine that runs the same engine. */
export function createDraw(seed: string): Draw {
  const random = seededRandom(hash(seed));
  const positive = () => 1 - random();
  const normal = () => Math.sqrt(-2 * Math.log(positive())) * Math.cos(2 * Math.PI * random());
  const draw: Draw = {
    uniform: (low, high) => low + (high - low) * random(),
    integer: (low, high) => low + Math.floor(random() * (high - low + 1)),
    logUniform: (low, high) => low * (high / low) ** random(),
    chance: (probability) => random() < probability,
    normal,
    exponential: (mean) => -mean * Math.log(positive()),
    gamma: (shape) => gamma(shape, normal, positive),
    poisson: (mean) => poisson(mean, normal, positive),
    negativeBinomial: (mean, dispersion) =>
      dispersion <= 1 || mean <= 0
        ? draw.poisson(mean)
        : draw.poisson(draw.gamma(mean / (dispersion - 1)) * (dispersion - 1)),
    binomial: (trials, probability) => binomial(trials, probability, normal, positive),
    pick: (items) => {
      const item = items[Math.floor(random() * items.length)];
      if (item === undefined) throw new RangeError("nothing to pick from");
      return item;
    },
    shuffle: (items) =>
      items
        .map((item) => ({ item, key: random() }))
        .sort((a, b) => a.key - b.key)
        .map(({ item }) => item),
    hex: (digits) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join(""),
    stream: (name) => createDraw(`${seed}/${name}`),
  };
  return draw;
}

/** 32-bit FNV-1a of a text, mixed once more so that seeds that differ in one digit start far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS 26(3), 2000; scale 1. */
function gamma(shape: number, normal: () => number, positive: () => number): number {
  if (shape < 1) return gamma(shape + 1, normal, positive) * positive() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(positive()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Above this mean a rounded normal differs from the exact law by less than its own sampling noise shows. */
const NORMAL_FROM = 40;

function poisson(mean: number, normal: () => number, positive: () => number): number {
  if (mean <= 0) return 0;
  if (mean >= NORMAL_FROM) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
  let count = -1;
  for (let sum = 0; sum < mean; count++) sum -= Math.log(positive());
  return count;
}

function binomial(trials: number, probability: number, normal: () => number, positive: () => number): number {
  if (trials <= 0 || probability <= 0) return 0;
  if (probability >= 1) return trials;
  if (probability > 0.5) return trials - binomial(trials, 1 - probability, normal, positive);
  const mean = trials * probability;
  if (mean >= NORMAL_FROM) {
    const drawn = Math.round(mean + Math.sqrt(mean * (1 - probability)) * normal());
    return Math.min(trials, Math.max(0, drawn));
  }
  // Gaps between successes are geometric: exact, and its work is the number of successes.
  const log = Math.log(1 - probability);
  let successes = 0;
  for (let at = Math.ceil(Math.log(positive()) / log); at <= trials; at += Math.ceil(Math.log(positive()) / log))
    successes++;
  return successes;
}
