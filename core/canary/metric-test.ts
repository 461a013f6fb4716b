import { MATERIAL_ERROR_RATIO, MATERIAL_LEVEL } from "../detection/evidence.ts";
import { formOf } from "../detection/meaning.ts";
import { logSumExp, median, robustScale } from "../detection/robust.ts";
import { type Count, createExcessErrors, createFewErrors } from "./error-counts.ts";
import type { Pair } from "./model.ts";
import { createShiftTest, createWanderEvidence } from "./shift-test.ts";

/** The running test of one metric of both versions. */
export interface MetricTest {
  /** Reads sample `i` of the pair; called once for each, in order. */
  take(i: number): void;
  /** Log evidence that the canary is worse, nats; may be read after every sample. */
  worse(): number;
  /** Whether the shift, as it is estimated, is large enough to matter. */
  matters(): boolean;
  /** Log evidence that it is not worse by what matters; −∞ from the first missing sample on. */
  noWorse(): number;
  /** Samples in which both were measured. */
  readonly compared: () => number;
  /** Why "no worse" is out of reach by the nature of the data, or null. */
  obstacle(): string | null;
}

/**
 * Parts of the analysis from which on a shift is sought, with their share of the evidence: from the start, or from a
 * quarter or a half of the time allowed, for what only shows under load or with time.
 */
const STARTS = [
  { part: 0, weight: 0.5 },
  { part: 0.25, weight: 0.25 },
  { part: 0.5, weight: 0.25 },
];
/** Fewer past samples than this say nothing of the usual level and its scatter. */
const LEAST_PAST = 8;
/** A value that fell to nothing is taken for a hundredth of the usual one, where ratios are compared. */
const NOTHING = Math.log(100);

export function createMetricTest(pair: Pair, mostSamples: number): MetricTest {
  const signs = pair.worse === "either" ? [1, -1] : pair.worse === "down" ? [-1] : [1];
  const errors = formOf(pair.metric) === "errors";
  const counted = errors && pair.requests !== null;
  const scale = scaleOf(pair);
  const usual = usualOf(pair, scale.to);
  const material = errors ? Math.max(MATERIAL_ERROR_RATIO, usual.rate) : scale.material;
  const deviation = firstGuess(pair, usual, material);
  const wander = createWanderEvidence();
  for (const [i, value] of pair.past.entries()) wander.take(scale.to(value), noiseOf(pair.pastRequests?.[i], usual.n));
  const starts = STARTS.map(({ part, weight }) => ({
    from: Math.floor(part * mostSamples),
    logWeight: Math.log(weight),
    test: createShiftTest(deviation),
    excess: createExcessErrors(),
    sum: 0,
    count: 0,
  }));
  const few = createFewErrors(Math.min(0.9, usual.lowRate + material));
  let taken = 0;
  let compared = 0;
  let missing = false;
  let requests = 0;
  let firstNoise = 0;

  const shiftNats = (sign: number, { test }: (typeof starts)[number], against: readonly number[]): number =>
    sign > 0 ? test.againstAtMost(0, against) : test.againstAtLeast(0, against);
  const evidenceOf = (one: (typeof starts)[number]): number => {
    const against = wander.against();
    const [only, other] = signs.map((sign) => shiftNats(sign, one, against));
    const shift = other === undefined ? (only ?? 0) : logSumExp([only ?? 0, other]) - Math.LN2;
    return counted ? Math.min(shift, one.excess.nats()) : shift;
  };
  const weighed = () => starts.map((one) => ({ one, nats: one.logWeight + (one.from < taken ? evidenceOf(one) : 0) }));

  const obstacle = () => {
    if (errors && pair.requests === null)
      return "without request_rate of both versions the number of requests behind it is unknown";
    if (material === 0) return "its baseline is 0, of which no share says what would matter";
    const needed = requestsForQuantile(pair.metric);
    const each = requests / compared;
    if (needed === null || pair.requests === null || each >= needed) return null;
    return `a step of the canary has ${each.toFixed(1)} requests; its ${pair.metric} takes ${needed}`;
  };

  return {
    take(i) {
      taken = i + 1;
      const b = pair.baseline[i] ?? Number.NaN;
      const c = pair.canary[i] ?? Number.NaN;
      const counts = countsAt(pair, i);
      const difference = scale.to(c) - scale.to(b);
      wander.take(scale.to(b), noiseOf(counts?.baseline.n, usual.n));
      const unmeasured = Number.isNaN(difference) || (pair.requests !== null && counts === null);
      if (unmeasured) missing = true;
      else compared += 1;
      if (counts !== null && !unmeasured) requests += counts.canary.n;
      const spread = counts === null ? 1 : 1 / counts.canary.n + 1 / counts.baseline.n;
      if (firstNoise === 0 && counts !== null) firstNoise = spread;
      const noise = errors && counts !== null ? spread / firstNoise : 1;
      for (const one of starts) {
        if (i < one.from) continue;
        one.test.take(unmeasured ? Number.NaN : difference, noise);
        if (unmeasured) continue;
        one.sum += difference;
        one.count += 1;
        if (counts !== null && errors) one.excess.take(counts.canary, counts.baseline);
      }
      if (errors && counts !== null && !unmeasured) few.take(counts.canary);
    },
    worse: () => logSumExp(weighed().map(({ nats }) => nats)),
    matters() {
      const surest = weighed().reduce((a, b) => (b.nats > a.nats ? b : a)).one;
      const shift = surest.sum / surest.count;
      return signs.some((sign) => sign * shift >= material);
    },
    noWorse() {
      const whole = starts[0];
      if (missing || whole === undefined || compared === 0 || obstacle() !== null) return Number.NEGATIVE_INFINITY;
      const against = wander.against();
      const each = signs.map((sign) =>
        sign > 0 ? whole.test.againstAtLeast(material, against) : whole.test.againstAtMost(-material, against),
      );
      return Math.min(...each, ...(errors ? [few.nats()] : []));
    },
    compared: () => compared,
    obstacle,
  };
}

interface Scale {
  readonly to: (value: number) => number;
  readonly material: number;
}

/** Positive levels are compared as ratios; errors and everything else as differences. */
function scaleOf(pair: Pair): Scale {
  const known = pair.past.filter((value) => !Number.isNaN(value));
  const first = pair.baseline.find((value) => !Number.isNaN(value));
  const usual = known.length >= LEAST_PAST ? known : first === undefined ? [] : [first];
  const same = (value: number) => value;
  if (formOf(pair.metric) !== "level") return { to: same, material: 1 };
  const center = median(usual);
  if (!(center > 0) || usual.some((value) => value <= 0))
    return { to: same, material: MATERIAL_LEVEL * Math.abs(center || 0) };
  const floor = Math.log(center) - NOTHING;
  const to = (value: number) => (value > 0 ? Math.max(floor, Math.log(value)) : Number.isNaN(value) ? value : floor);
  return { to, material: Math.log(1 + MATERIAL_LEVEL) };
}

interface Usual {
  /** Failed share of the baseline's past requests (half an error added), and the least that is credible; 0: no past. */
  readonly rate: number;
  readonly lowRate: number;
  /** Requests of the baseline in an ordinary step; NaN: not known. */
  readonly n: number;
  /** Scatter of the past in the scale tested; NaN: no past. */
  readonly deviation: number;
}

function usualOf(pair: Pair, to: Scale["to"]): Usual {
  const values = pair.past.filter((value) => !Number.isNaN(value));
  const enough = values.length >= LEAST_PAST;
  const deviation = enough ? robustScale(values.map(to)) : Number.NaN;
  const requests = (pair.pastRequests ?? []).filter((n) => n > 0);
  const n = requests.length > 0 ? median(requests) : Number.NaN;
  let k = 0;
  let total = 0;
  for (const [i, value] of pair.past.entries()) {
    const count = pair.pastRequests?.[i] ?? Number.NaN;
    if (Number.isNaN(value) || !(count > 0)) continue;
    k += value * count;
    total += count;
  }
  if (!enough || total === 0) return { rate: 0, lowRate: 0, n, deviation };
  const low = Math.max(0, k - NORMAL_95 * Math.sqrt(k + 0.5)) / total;
  return { rate: (k + 0.5) / (total + 1), lowRate: low, n, deviation };
}

/** The 95th percentile of the standard normal distribution. */
const NORMAL_95 = 1.645;

/** The deviation of a difference before any has been seen; a guess, corrected by the samples. */
function firstGuess(pair: Pair, usual: Usual, material: number): number {
  const least = material / 20 || 1e-9;
  if (formOf(pair.metric) === "errors" && pair.requests !== null) {
    const n = (side: readonly number[]) => side.find((count) => count > 0) ?? 1;
    const rate = Math.max(usual.rate, MATERIAL_ERROR_RATIO / 2);
    return Math.max(least, Math.sqrt(rate * (1 / n(pair.requests.canary) + 1 / n(pair.requests.baseline))));
  }
  return Number.isNaN(usual.deviation) ? material / 2 || 1e-9 : Math.max(least, Math.SQRT2 * usual.deviation);
}

/** Variance of a step's noise against that of a step with the usual traffic. */
const noiseOf = (n: number | undefined, usual: number): number =>
  n !== undefined && n > 0 && usual > 0 ? usual / n : 1;

function countsAt({ canary, baseline, requests }: Pair, i: number): { canary: Count; baseline: Count } | null {
  if (requests === null) return null;
  const count = (ratio: number | undefined, n: number | undefined): Count => ({
    k: Math.max(0, Math.min(1, ratio ?? Number.NaN)) * (n ?? Number.NaN),
    n: n ?? Number.NaN,
  });
  const both = { canary: count(canary[i], requests.canary[i]), baseline: count(baseline[i], requests.baseline[i]) };
  return both.canary.n > 0 && both.baseline.n > 0 ? both : null;
}

/** Requests below which a quantile is the largest of its sample: p99 takes a hundred. Null: no quantile. */
function requestsForQuantile(metric: string): number | null {
  const digits = /^p(\d{2,4})(?:_|$)/.exec(metric)?.[1];
  if (digits === undefined) return null;
  const tail = 1 - Number(digits) / 10 ** digits.length;
  return tail > 0 ? Math.ceil(1 / tail - 1e-9) : null;
}
