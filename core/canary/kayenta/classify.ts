import { mannWhitneyShift, type Shift } from "./mann-whitney.ts";
import { cles, mean, meanRatio } from "./statistics.ts";

/** Kayenta's classes of one metric. `NodataFailMetric`: data was required and is missing. `Error`: nothing could be computed. */
export type Classification = "Pass" | "High" | "Low" | "Nodata" | "NodataFailMetric" | "Error";

/** Two thresholds of an effect: at most the first is a decrease that counts, at least the second an increase. */
export type Thresholds = readonly [decrease: number, increase: number];

export interface ClassifyOptions {
  /** Which way hurts. */
  readonly direction: "increase" | "decrease" | "either";
  /** What a missing sample was taken for, before it came here: left out, or zero. Decides what no data at all means. */
  readonly nanStrategy: "remove" | "replace";
  readonly critical: boolean;
  readonly mustHaveData: boolean;
  /** Share of the estimated shift that the interval must clear; 0.25 in Kayenta's judge. */
  readonly tolerance: number;
  /** 0.98 in Kayenta's judge. */
  readonly confidence: number;
  readonly measure: "meanRatio" | "cles";
  readonly effect: Thresholds;
  readonly criticalEffect: Thresholds;
}

/** As Kayenta's judge (NetflixACAJudge) sets them where a metric's configuration says nothing. */
export const KAYENTA_DEFAULTS: ClassifyOptions = {
  direction: "either",
  nanStrategy: "remove",
  critical: false,
  mustHaveData: false,
  tolerance: 0.25,
  confidence: 0.98,
  measure: "meanRatio",
  effect: [1, 1],
  criticalEffect: [1, 1],
};

export interface Classified {
  readonly classification: Classification;
  /** Mean ratio of experiment to control; 1 where nothing was compared, NaN where a mean is 0. */
  readonly deviation: number;
  /** Whether this alone fails the whole analysis (unless it passed). */
  readonly critical: boolean;
  readonly reason: string;
}

/**
 * Kayenta's Mann–Whitney classifier. `control` and `experiment`: finite values, missing ones already left out or
 * replaced. High where the interval of the shift lies above `tolerance` times its estimate and the effect reaches its
 * threshold (an effect that cannot be computed is ignored); Low mirrored.
 *
 * Two samples that are each constant have no interval of their own. Kayenta adds noise of a hundred-thousandth to
 * them; the limit of that, as the noise goes to zero, is an interval of one point: their difference.
 *
 * @see https://github.com/spinnaker/kayenta, MannWhitneyClassifier.scala
 */
export function classifyByRanks(
  control: readonly number[],
  experiment: readonly number[],
  options: ClassifyOptions = KAYENTA_DEFAULTS,
): Classified {
  const missing = withoutData(control, experiment, options, 1);
  if (missing !== null) return missing;
  if (sameValues(control, experiment))
    return { classification: "Pass", deviation: 1, critical: false, reason: "both hold the same values" };
  if (new Set([...control, ...experiment]).size === 1)
    return { classification: "Pass", deviation: 1, critical: false, reason: "both hold one and the same value" };
  const shift = shiftOf(control, experiment, options.confidence);
  const deviation = meanRatio(control, experiment);
  if (shift === null)
    return { classification: "Error", deviation, critical: false, reason: "all values are tied: there is no interval" };
  const effect = options.measure === "cles" ? cles(control, experiment) : deviation;
  const classification = direction(shift, effect, options);
  const critical = options.critical && isCritical(classification, effect, options.criticalEffect);
  return { classification, deviation, critical, reason: reasonText(classification, shift, deviation) };
}

/** Kayenta's classifier by means alone, which it keeps for comparison: any difference of the means counts. */
export function classifyByMeans(
  control: readonly number[],
  experiment: readonly number[],
  options: Pick<ClassifyOptions, "direction" | "nanStrategy" | "critical" | "mustHaveData"> = KAYENTA_DEFAULTS,
): Classified {
  const missing = withoutData(control, experiment, options, 0);
  if (missing !== null) return missing;
  const difference = mean(experiment) - mean(control);
  const deviation = mean(experiment) / mean(control);
  const { critical } = options;
  if (options.direction !== "decrease" && difference > 0)
    return { classification: "High", deviation, critical, reason: "the canary's mean is the greater one" };
  if (options.direction !== "increase" && difference < 0)
    return { classification: "Low", deviation, critical, reason: "the canary's mean is the smaller one" };
  return { classification: "Pass", deviation: 1, critical: false, reason: "no difference that counts" };
}

/** What Kayenta says where one side has no values at all; null where both have some. */
function withoutData(
  control: readonly number[],
  experiment: readonly number[],
  { nanStrategy, critical, mustHaveData }: Pick<ClassifyOptions, "nanStrategy" | "critical" | "mustHaveData">,
  deviation: number,
): Classified | null {
  if (control.length > 0 && experiment.length > 0) return null;
  const side = [...(control.length === 0 ? ["baseline"] : []), ...(experiment.length === 0 ? ["canary"] : [])];
  const reason = `no data of the ${side.join(" and the ")}`;
  if (nanStrategy === "replace") return { classification: "Pass", deviation: 1, critical: false, reason };
  if (mustHaveData && !critical) return { classification: "NodataFailMetric", deviation: 1, critical: false, reason };
  return { classification: "Nodata", deviation, critical, reason };
}

function sameValues(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  const sorted = Float64Array.from(b).sort();
  return Float64Array.from(a)
    .sort()
    .every((value, index) => value === sorted[index]);
}

function shiftOf(control: readonly number[], experiment: readonly number[], confidence: number): Shift | null {
  const [b] = control;
  const [c] = experiment;
  if (b !== undefined && c !== undefined && new Set(control).size === 1 && new Set(experiment).size === 1) {
    if (control.length + experiment.length === 2) return null; // one against one: tied at the only shift there is
    return { lower: c - b, upper: c - b, estimate: c - b };
  }
  return mannWhitneyShift(experiment, control, confidence);
}

function direction(shift: Shift, effect: number, options: ClassifyOptions): "High" | "Low" | "Pass" {
  const bound = options.tolerance * Math.abs(shift.estimate);
  const [decrease, increase] = options.effect;
  const reaches = { up: Number.isNaN(effect) || effect >= increase, down: Number.isNaN(effect) || effect <= decrease };
  if (options.direction !== "decrease" && shift.lower > bound && reaches.up) return "High";
  return options.direction !== "increase" && shift.upper < -bound && reaches.down ? "Low" : "Pass";
}

function isCritical(
  classification: "High" | "Low" | "Pass",
  effect: number,
  [decrease, increase]: Thresholds,
): boolean {
  if (classification === "Pass") return false;
  return Number.isNaN(effect) || (classification === "High" ? effect >= increase : effect <= decrease);
}

function reasonText(classification: "High" | "Low" | "Pass", shift: Shift, deviation: number): string {
  const [lower, upper, estimate] = [shift.lower, shift.upper, shift.estimate].map((value) => value.toPrecision(3));
  const ratio = !Number.isFinite(deviation) ? "" : `; its mean is ${deviation.toPrecision(3)} times the baseline's`;
  const said = { High: "higher", Low: "lower", Pass: "no different by more than the tolerance" }[classification];
  return `${said}: shift ${estimate}, interval ${lower} to ${upper}${ratio}`;
}
