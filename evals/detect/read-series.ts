import { median } from "../../core/detection/robust.ts";
import type { Series } from "../../core/model/signal.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { readSeriesFile } from "../replay/bundle.ts";
import { invalid, readFile, type Warn } from "../replay/bundle-text.ts";

/** One series of a file, sample by sample, with what the file says of it. */
export interface FileSeries {
  readonly file: string;
  /** Null for a CSV, which says nothing of its one series. */
  readonly named: Pick<Series, "service" | "metric" | "labels"> | null;
  readonly unit: string;
  readonly worse: Series["worse"];
  /** Between two samples, ms; of a CSV the median. */
  readonly stepMs: number;
  /** In order of time, Unix ms. */
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
  /** Where the file is not in order of time: the place in it of each sample here. */
  readonly places?: readonly number[];
}

/**
 * Reads `series.jsonl` (plain or .gz) or a CSV with the columns `timestamp` and `value`. Throws "bundle.invalid" with
 * file and line for what is neither.
 */
export function readSeriesOf(file: string, warn: Warn = () => undefined): readonly FileSeries[] {
  return isJsonLines(file)
    ? readSeriesFile(file, warn).map((series) => fromSeries(file, series))
    : [readCsv(file, warn)];
}

const isJsonLines = (file: string): boolean =>
  /\.(jsonl|ndjson)(\.gz)?$/.test(file) || (!/\.csv(\.gz)?$/.test(file) && readFile(file).trimStart().startsWith("{"));

function fromSeries(file: string, series: Series): FileSeries {
  const { service, metric, labels, unit, worse, startAt, stepMs, values } = series;
  const times = values.map((_, index) => startAt + index * stepMs);
  return { file, named: { service, metric, labels }, unit, worse, stepMs, times, values };
}

/** Used where a file has one sample, and so no step. */
const SOME_STEP_MS = 60_000;

/** More steps than that between the first and the last sample are a slip of a timestamp, not a series. */
const MOST_STEPS = 1_000_000;

function readCsv(file: string, warn: Warn): FileSeries {
  const rows = readFile(file)
    .split(/\r?\n/)
    .map((text, index) => ({ cells: cellsOf(text), line: index + 1, isEmpty: text.trim() === "" }))
    .filter(({ isEmpty }) => !isEmpty);
  const header = rows[0]?.cells.map((cell) => cell.toLowerCase()) ?? [];
  const isNamed = header.includes("timestamp") && header.includes("value");
  const [at, value] = isNamed ? [header.indexOf("timestamp"), header.indexOf("value")] : [0, 1];
  const width = isNamed ? header.length : 2;
  const samples: Sample[] = [];
  for (const { cells, line } of rows.slice(isNamed ? 1 : 0)) {
    if (cells.length !== width) throw invalid(file, line, `has ${cells.length} columns; timestamp,value has ${width}`);
    const time = timeOf(cells[at] ?? "");
    if (time === null)
      throw invalid(file, line, `"${shown(cells[at])}" is no time; write Unix seconds or 2026-05-16T18:59:21Z`);
    const number = sampleOf(cells[value] ?? "");
    if (number === undefined) throw invalid(file, line, `"${shown(cells[value])}" is no number`);
    samples.push({ time, value: number, line, place: samples.length });
  }
  if (samples.length === 0) throw invalid(file, 1, "holds no sample; each line is timestamp,value");
  const back = samples.findIndex(({ time }, index) => time < (samples[index - 1]?.time ?? time));
  const sorted = back < 0 ? samples : samples.toSorted((a, b) => a.time - b.time || a.place - b.place);
  const times = sorted.map(({ time }) => time);
  const steps = times
    .slice(1)
    .flatMap((time, index) => (time > (times[index] ?? time) ? [time - (times[index] ?? 0)] : []));
  const stepMs = steps.length === 0 ? SOME_STEP_MS : Math.max(1, Math.round(median(steps)));
  if (((times.at(-1) ?? 0) - (times[0] ?? 0)) / stepMs > MOST_STEPS) {
    const { line, time } = farthest(sorted);
    const reason = `${rfc3339(time)} lies too far from the other times; correct the line or leave it out`;
    throw invalid(file, line, reason);
  }
  if (back >= 0)
    warn(`${file}:${samples[back]?.line}: is earlier than the line before it; the file is read in order of time`);
  const values = sorted.map(({ value }) => value);
  const places = back < 0 ? {} : { places: sorted.map(({ place }) => place) };
  return { file, named: null, unit: "", worse: "either", stepMs, times, values, ...places };
}

interface Sample {
  readonly time: number;
  readonly value: number | null;
  readonly line: number;
  readonly place: number;
}

/** Next to the widest gap, on its side with fewer samples. `sorted`: two samples or more. */
function farthest(sorted: readonly Sample[]): Sample {
  const gap = (index: number) => (sorted[index]?.time ?? 0) - (sorted[index - 1]?.time ?? 0);
  let after = 1;
  for (let index = 2; index < sorted.length; index += 1) if (gap(index) > gap(after)) after = index;
  const found = sorted[after > sorted.length / 2 ? after : after - 1];
  if (found === undefined) throw new RangeError("there is no gap");
  return found;
}

const cellsOf = (text: string): readonly string[] =>
  text.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
const shown = (cell: string | undefined): string => (cell ?? "").slice(0, 40);

/** Below it a bare number is Unix seconds, above it ms: 10¹¹ s is the year 5138, 10¹¹ ms is 1973. */
const SECONDS_END = 1e11;

function timeOf(text: string): number | null {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    return Math.round(number < SECONDS_END ? number * 1000 : number);
  }
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?$/.exec(text);
  if (match === null) return null;
  const at = Date.parse(`${match[1]}T${match[2]}${match[3] ?? "Z"}`);
  return Number.isNaN(at) || at < 0 ? null : at;
}

/** A missing sample is null; undefined is no number. */
function sampleOf(text: string): number | null | undefined {
  if (text === "" || /^(nan|null|none)$/i.test(text)) return null;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}
