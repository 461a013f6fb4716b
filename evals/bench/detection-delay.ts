import { ALPHA, MATERIAL_ERROR_RATIO } from "../../core/detection/evidence.ts";
import { createRateNormal, learnRate } from "../../core/detection/normal-rate.ts";
import { createGrid, put } from "../../core/detection/sample-grid.ts";
import { createSignalWatch, follow, type SignalWatch } from "../../core/detection/signal-watch.ts";
import { type Competitor, repeatedTwoProportion, thresholdWithDuration, tunedCusum } from "./competitors.ts";
import { bootstrapLimits, drawnAgain, type Limits, limitsText, medianOf } from "./intervals.ts";
import { createRandom, type Random } from "./random.ts";

const STEP_MS = 15_000;
const START = Date.parse("2026-03-02T00:00:00Z");
/** Steps before the shift from which an estimated baseline is learned: the six hours that a watch reads at its start. */
const HISTORY = 1440;
const HOUR = 240;
/** A shift that is not found within this many steps (ten hours) counts as never found. */
const MOST_STEPS = 2400;
const TRAFFIC = [1, 3, 10, 30] as const;
const USUAL = [0.001, 0.01, 0.05] as const;
const RISES = [0.01, 0.03, 0.1, 0.3] as const;

interface Cell {
  /** Requests a second. */
  readonly rate: number;
  readonly before: number;
  readonly after: number;
  /** log(1/α)/KL in steps, rounded up. */
  readonly bound: number;
  /** Median delays in steps by who detects. */
  readonly delays: Readonly<Record<string, number>>;
}

/** A cell with what each of its trials gave. */
interface Measured extends Cell {
  readonly trials: Readonly<Record<string, readonly number[]>>;
}

export interface DelayReport {
  readonly benchmark: "detection-delay";
  readonly trials: number;
  readonly seed: number;
  readonly alpha: number;
  readonly cells: readonly Cell[];
  /** By detector: the median over cells of median delay / bound, the worst cell, and null hours with an alarm. */
  readonly summary: readonly {
    readonly name: string;
    readonly ratio: number;
    readonly worst: number;
    /** The same median over the cells whose bound is more than one sample. */
    readonly beyondOne: number;
    /** 95 % limits of both, over trials drawn anew in each cell. */
    readonly ratioLimits: Limits | null;
    readonly beyondOneLimits: Limits | null;
    readonly nullAlarms: number;
    readonly nullHours: number;
  }[];
  readonly met: boolean;
}

const KNOWN = "unship, baseline known";
const ESTIMATED = "unship, baseline estimated";
const TARGET = 1.5;
/** One-sided normal quantile of 10⁻³, the level at which such tests are commonly run. */
const Z_ONE_IN_A_THOUSAND = 3.09;

/** Delays of the running test of errors over traffic × shift, beside what others would need on the same samples. */
export function measureDelays(trials: number, seed: number): DelayReport {
  const competitors: readonly Competitor[] = [
    thresholdWithDuration(ALPHA),
    repeatedTwoProportion(Z_ONE_IN_A_THOUSAND, HISTORY),
    tunedCusum("CUSUM for the least shift that matters", ALPHA, (usual) => usual + MATERIAL_ERROR_RATIO),
  ];
  const measured: Measured[] = [];
  for (const rate of TRAFFIC)
    for (const before of USUAL)
      for (const rise of RISES) measured.push(measureCell(rate, before, before + rise, competitors, trials, seed));
  const names = [KNOWN, ESTIMATED, ...competitors.map(({ name }) => name)];
  const nullHours = TRAFFIC.length * USUAL.length * trials;
  const summary = names.map((name) => {
    const ratios = measured.map(({ delays, bound }) => (delays[name] ?? Number.NaN) / bound);
    const few = measured.filter(({ bound }) => bound > 1);
    const beyondOne = medianOf(ratios.filter((_, i) => (measured[i]?.bound ?? 0) > 1));
    const limits = { ratioLimits: ratioLimits(measured, name, seed), beyondOneLimits: ratioLimits(few, name, seed) };
    return {
      name,
      ratio: medianOf(ratios),
      worst: Math.max(...ratios),
      beyondOne,
      ...limits,
      nullAlarms: 0,
      nullHours,
    };
  });
  const cells = measured.map(({ trials: _, ...cell }) => cell);
  const quiet = measureNull(competitors, trials, seed);
  const full = summary.map((one) => ({ ...one, nullAlarms: quiet[one.name] ?? 0 }));
  const met = full.every(({ name, ratio }) => ![KNOWN, ESTIMATED].includes(name) || ratio <= TARGET);
  return { benchmark: "detection-delay", trials, seed, alpha: ALPHA, cells, summary: full, met };
}

/** Limits of the median over cells of median delay ÷ bound: the trials of each cell are drawn anew. */
function ratioLimits(cells: readonly Measured[], name: string, seed: number): Limits | null {
  const again = (random: Random) =>
    medianOf(cells.map(({ trials, bound }) => medianOf(drawnAgain(trials[name] ?? [], random)) / bound));
  return cells.length === 0 ? null : bootstrapLimits(again, seed, RESAMPLES);
}
/** A tenth of the usual number: 48 cells of hundreds of trials steady the figure already. */
const RESAMPLES = 100;

const divergence = (p: number, q: number): number => p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));

function measureCell(
  rate: number,
  before: number,
  after: number,
  competitors: readonly Competitor[],
  trials: number,
  seed: number,
): Measured {
  const requests = (rate * STEP_MS) / 1000;
  const found: Record<string, number[]> = {};
  for (let trial = 0; trial < trials; trial++) {
    const random = createRandom((seed * 0x9e3779b1 + trial * 0x85ebca6b + Math.round(rate * 1e6 * after)) >>> 0);
    const history = draw(random, requests, before, HISTORY);
    const later = draw(random, requests, after, 64);
    const more = (i: number): number => {
      while (later.length <= i) later.push(random.binomial(requests, after));
      return later[i] ?? 0;
    };
    for (const [name, delay] of delaysOf(competitors, { requests, before, history, more }, MOST_STEPS)) {
      found[name] ??= [];
      found[name].push(delay);
    }
  }
  const bound = Math.ceil(Math.log(1 / ALPHA) / divergence(after, before) / requests);
  const delays = Object.fromEntries(Object.entries(found).map(([name, all]) => [name, medianOf(all)]));
  return { rate, before, after, bound, delays, trials: found };
}

const draw = (random: Random, requests: number, ratio: number, steps: number): number[] =>
  Array.from({ length: steps }, () => random.binomial(requests, ratio));

interface Trial {
  readonly requests: number;
  readonly before: number;
  readonly history: readonly number[];
  /** Errors in the i-th step after the shift. */
  readonly more: (i: number) => number;
}

/** Steps from the shift to the alarm, by detector; infinite where there was none within `most` steps. */
function delaysOf(
  competitors: readonly Competitor[],
  trial: Trial,
  most: number,
): readonly (readonly [string, number])[] {
  const { requests, history, more, before } = trial;
  const estimate = history.reduce((sum, errors) => sum + errors, 0.5) / (requests * history.length + 1);
  const learned = createSignalWatch("error_rate", "up", 0);
  return [
    [KNOWN, ownDelay(knowing(before, requests), [], trial, most)],
    [ESTIMATED, ownDelay(learned, history, trial, most)],
    ...competitors.map(({ name, start }) => {
      const alarms = start(estimate, requests);
      let step = 0;
      while (step < most && !alarms({ errors: more(step), requests })) step += 1;
      return [name, step === most ? Infinity : step + 1] as const;
    }),
  ];
}

/** Delay of the running test that `watch` uses; an alarm before the shift counts as a delay of zero. */
function ownDelay(watch: SignalWatch, history: readonly number[], { requests, more }: Trial, most: number): number {
  const grid = createGrid(START, STEP_MS);
  const take = (errors: number) => {
    put(grid, START + grid.next * STEP_MS, errors / requests, 1440);
    follow(watch, grid, () => requests);
  };
  for (const errors of history) take(errors);
  for (let step = 0; step < most; step++) {
    if (watch.alarm !== null) return step;
    take(more(step));
  }
  return watch.alarm === null ? Infinity : most;
}

/** A test to which the usual rate is known: it has learned from as many requests as could ever be wanted. */
function knowing(rate: number, requests: number): SignalWatch {
  const watch = createSignalWatch("error_rate", "up", 0);
  const normal = createRateNormal(true);
  const steps = 1_000_000;
  for (let i = 0; i < steps; i += steps / 100) learnRate(normal, rate * requests, requests, 1);
  for (const past of [normal, normal.long]) {
    past.errors = rate * requests * steps;
    past.requests = requests * steps;
  }
  for (const block of normal.spread) {
    block.sum = steps;
    block.weight = steps;
  }
  // Of that many errors, none came together with another one more often than independent ones do.
  Object.assign(normal.bursts, { events: rate * requests * steps, expected: rate * requests * steps });
  return { ...watch, normal };
}

/** Alarms in an hour without a shift, over all traffic and usual rates. */
function measureNull(competitors: readonly Competitor[], trials: number, seed: number): Record<string, number> {
  const alarms: Record<string, number> = {};
  for (const rate of TRAFFIC)
    for (const before of USUAL)
      for (let trial = 0; trial < trials; trial++) {
        const random = createRandom((seed * 0x9e3779b1 + trial * 0x85ebca6b + Math.round(rate * 1e7 * before)) >>> 0);
        const requests = (rate * STEP_MS) / 1000;
        const history = draw(random, requests, before, HISTORY);
        const later = draw(random, requests, before, HOUR);
        const one = { requests, before, history, more: (i: number) => later[i] ?? 0 };
        for (const [name, delay] of delaysOf(competitors, one, HOUR))
          if (Number.isFinite(delay)) alarms[name] = (alarms[name] ?? 0) + 1;
      }
  return alarms;
}

export function delayLines({ trials, seed, alpha, cells, summary, met }: DelayReport): readonly string[] {
  const names = summary.map(({ name }) => name);
  const figure = (value: number) => (Number.isFinite(value) ? value.toFixed(value < 10 ? 2 : 0) : "never");
  return [
    `delay until a shift in the error rate is found, in samples of 15 s: median of ${trials} trials a cell, seed ${seed}`,
    `bound: log(1/α)/KL(p₁‖p₀) requests, α = ${alpha.toExponential(1)} a sample, rounded up to whole samples`,
    `requests/s  from    to      bound  ${names.map((_, i) => `(${i + 1})`.padStart(7)).join("")}`,
    ...cells.map(
      ({ rate, before, after, bound, delays }) =>
        `${String(rate).padEnd(12)}${String(before).padEnd(8)}${after.toFixed(3).padEnd(8)}${String(bound).padStart(5)}  ` +
        names.map((name) => figureOf(delays[name]).padStart(7)).join(""),
    ),
    `median over the ${cells.length} cells of delay ÷ bound; the same over the ${cells.filter(({ bound }) => bound > 1).length} cells whose bound is more than one sample`,
    "(unship never alarms on a single sample, whatever it holds); 95 % limits by a bootstrap over trials; the worst cell; hours without a shift with an alarm:",
    ...summary.map(
      ({ name, ratio, ratioLimits: all, beyondOne, beyondOneLimits: few, worst, nullAlarms, nullHours }, i) =>
        `  (${i + 1}) ${name.padEnd(42)} ${`${figure(ratio)}${limitsText(all, figure)}`.padStart(18)}  ${`${figure(beyondOne)}${limitsText(few, figure)}`.padStart(18)}  worst ${figure(worst).padStart(6)}  false ${nullAlarms} of ${nullHours}`,
    ),
    `wanted: at most ${TARGET} for both of unship's: ${met ? "met" : "NOT met"}`,
  ];
}

const figureOf = (delay: number | undefined): string =>
  delay === undefined || !Number.isFinite(delay) ? "never" : String(delay);
