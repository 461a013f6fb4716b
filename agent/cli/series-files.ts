import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import { LARGEST_VALUE, MOST_SAMPLES } from "../../core/model/believable.ts";
import { type Series, WELL_KNOWN_METRICS, Worse } from "../../core/model/signal.ts";

/** Nobody samples a production system faster; a shorter step is a slip of the unit. Seconds. */
const SHORTEST_STEP = 0.1;

/** A line of `series.jsonl`: `docs/incident-bundle.md`. */
const Line = z.strictObject({
  service: z.string(),
  metric: z.string().min(1),
  unit: z.string(),
  labels: z.record(z.string(), z.string()).default({}),
  worse: Worse.optional(),
  start: z.number().nonnegative(),
  step: z.number().min(SHORTEST_STEP, { error: `must be at least ${SHORTEST_STEP} s` }),
  values: z.array(z.number().min(-LARGEST_VALUE).max(LARGEST_VALUE).nullable()).max(MOST_SAMPLES),
});

/**
 * Reads series from one file (`.gz` too): `series.jsonl` of a bundle, or CSV.
 *
 * CSV has a header: `timestamp`, then a metric a column. A column that is called `value` is named by the file:
 * `p99_latency.csv`, `canary-p99_latency.csv` and `p99_latency.baseline.csv` are p99_latency. A timestamp is RFC 3339,
 * `2026-05-16 18:59:21` (UTC), or Unix time in seconds or ms; rows stand in order of time and snap to the grid of
 * their usual distance. An empty value or NaN is a missing sample.
 *
 * Throws `bundle.invalid` with file and line for the first thing that does not fit.
 */
export function readSeriesFile(path: string): readonly Series[] {
  const text = readText(path);
  const first = text.trimStart()[0];
  const series = first === "{" ? fromJsonLines(text, path) : fromCsv(text, path);
  if (series.length === 0) throw invalid(path, 1, "holds no series");
  return series;
}

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  } catch (cause) {
    throw new UnshipError("input.invalid", { what: path, reason: "it cannot be read" }, { cause });
  }
}

const invalid = (file: string, line: number, reason: string, cause?: unknown): UnshipError =>
  new UnshipError("bundle.invalid", { file, line, reason }, { cause });

function fromJsonLines(text: string, path: string): readonly Series[] {
  return text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [fromJson(line, path, index + 1)]));
}

function fromJson(line: string, path: string, number: number): Series {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw invalid(path, number, "is no JSON", cause);
  }
  const read = Line.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw invalid(
      path,
      number,
      `${issue?.path.join(".") ?? ""} ${issue?.message ?? "does not fit"}`.trim(),
      read.error,
    );
  }
  const { start, step, worse, ...rest } = read.data;
  return {
    ...rest,
    worse: worse ?? meaning(rest.metric).worse,
    startAt: Math.round(start * 1000),
    stepMs: Math.round(step * 1000),
  };
}

const known: Readonly<Record<string, { readonly unit: string; readonly worse: Worse }>> = WELL_KNOWN_METRICS;
const meaning = (metric: string) => known[metric] ?? ({ unit: "", worse: "either" } as const);

interface Row {
  readonly at: number;
  readonly values: readonly number[];
}

function fromCsv(text: string, path: string): readonly Series[] {
  const lines = text.split(/\r?\n/);
  const header = (lines[0] ?? "").split(",").map((cell) => cell.trim());
  if (header[0]?.toLowerCase() !== "timestamp" || header.length < 2)
    throw invalid(path, 1, 'is neither a series in JSON nor the header of a CSV file, such as "timestamp,value"');
  const metrics = header.slice(1).map((cell) => (cell === "value" ? metricOfFile(path) : cell));
  if (metrics.some((metric) => metric === "") || new Set(metrics).size < metrics.length)
    throw invalid(path, 1, "names a column twice, or not at all");
  const rows: Row[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === "") continue;
    const row = rowOf(line, header.length, path, index + 1);
    if (row.at < (rows.at(-1)?.at ?? 0))
      throw invalid(path, index + 1, "is earlier than the line before it; sort the file by time");
    rows.push(row);
  }
  const [first] = rows;
  if (first === undefined) throw invalid(path, 1, "has no line below its header");
  const stepMs = usualStep(rows, path);
  return metrics.map((metric, column) => ({
    service: "",
    metric,
    ...meaning(metric),
    labels: {},
    startAt: first.at,
    stepMs,
    values: onGrid(rows, column, first.at, stepMs),
  }));
}

/** The metric that a file is named after, the words for the two sides left out; "value" where nothing is left. */
function metricOfFile(path: string): string {
  const name = basename(path)
    .replace(/\.gz$/, "")
    .replace(/\.[^.]*$/, "");
  return (
    name
      .replaceAll(/(^|[-._ ])(baseline|canary|control|experiment|stable)(?=$|[-._ ])/gi, "")
      .replace(/^[-._ ]+/, "") || "value"
  );
}

function rowOf(line: string, columns: number, path: string, number: number): Row {
  const cells = line.split(",").map((cell) => cell.trim());
  if (cells.length !== columns) throw invalid(path, number, `has ${cells.length} columns, the header has ${columns}`);
  const at = timeOf(cells[0] ?? "");
  if (at === null)
    throw invalid(path, number, `"${cells[0] ?? ""}" is no time, such as 2026-05-16T18:59:21Z or 1778957961`);
  const values = cells.slice(1).map((cell) => {
    if (cell === "" || /^(nan|null)$/i.test(cell)) return Number.NaN;
    const value = Number(cell);
    if (!Number.isFinite(value) || Math.abs(value) > LARGEST_VALUE)
      throw invalid(path, number, `"${cell}" is no number`);
    return value;
  });
  return { at, values };
}

/** Unix time above this is in ms: in seconds it would lie beyond the year 5000. */
const MILLISECONDS_FROM = 1e11;

function timeOf(text: string): number | null {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    return Math.round(number < MILLISECONDS_FROM ? number * 1000 : number);
  }
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/.test(text)) return null;
  const at = Date.parse(text.replace(" ", "T").replace(/(?<!Z|[+-]\d\d:\d\d)$/, "Z"));
  return Number.isNaN(at) ? null : at;
}

/** The median distance of two rows that differ in time. */
function usualStep(rows: readonly Row[], path: string): number {
  const gaps = rows.slice(1).map(({ at }, i) => at - (rows[i]?.at ?? at));
  const apart = gaps.filter((gap) => gap > 0).sort((a, b) => a - b);
  const step = apart[Math.floor(apart.length / 2)];
  if (step === undefined) throw invalid(path, 2, "two samples at different times are the least that makes a series");
  if (step < SHORTEST_STEP * 1000)
    throw invalid(path, 2, `samples are ${step} ms apart; the least is ${SHORTEST_STEP} s`);
  const slots = ((rows.at(-1)?.at ?? 0) - (rows[0]?.at ?? 0)) / step;
  if (slots > MOST_SAMPLES)
    throw invalid(path, rows.length + 1, "lies too far from the first line for so short a step");
  return step;
}

function onGrid(rows: readonly Row[], column: number, startAt: number, stepMs: number): readonly (number | null)[] {
  const last = rows.at(-1)?.at ?? startAt;
  const values = new Array<number | null>(Math.round((last - startAt) / stepMs) + 1).fill(null);
  for (const { at, values: cells } of rows) {
    const slot = Math.round((at - startAt) / stepMs);
    const value = cells[column] ?? Number.NaN;
    if (!Number.isNaN(value)) values[slot] ??= value;
  }
  return values;
}
