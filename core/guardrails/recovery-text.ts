import type { Baseline } from "../model/incident.ts";
import type { Worse } from "../model/signal.ts";

/** The end of the baseline that counts, with its unit. */
const limitText = (baseline: Baseline, worse: Worse): string =>
  worse === "down" ? `lower limit ${amount(baseline.lower, baseline)}` : `limit ${amount(baseline.upper, baseline)}`;

/** Samples in a row that are inside the baseline: the newest, the limit, how many. `value` and baseline in its unit. */
export const insideText = (value: number, samples: number, baseline: Baseline, worse: Worse = "up"): string =>
  `newest sample ${amount(value, baseline)}, ${limitText(baseline, worse)}, ${samples} samples in a row within it`;

/** The newest sample that is outside the baseline, and the limit. `value` and baseline in its unit. */
export const outsideText = (value: number, baseline: Baseline, worse: Worse): string =>
  `newest sample ${amount(value, baseline)}, outside its baseline (${limitText(baseline, worse)})`;

/** As people say it: a ratio in percent. */
const amount = (value: number, { unit }: Baseline): string =>
  unit === "ratio" ? percent(value) : `${figure(value)} ${unit}`.trimEnd();

/** A number of requests: "30,396". */
export const count = (requests: number): string => Math.round(requests).toLocaleString("en-US");
/** Three significant digits. */
export const figure = (value: number): string => String(Number(value.toPrecision(3)));
/** A ratio, 0 to 1, as percent. */
export const percent = (rate: number): string => `${figure(rate * 100)} %`;
