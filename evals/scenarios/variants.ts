import type { BundleFiles } from "./observe/bundle.ts";
import type { SeriesLine } from "./observe/series.ts";

/** The same bundle with no log, as where no log store is connected. */
export function withoutLogs({ "logs.jsonl": _, ...files }: BundleFiles): BundleFiles {
  return files;
}

/** The same bundle without the series of single versions, and without versions in logs and spans. */
export function withoutVersionSplit(files: BundleFiles): BundleFiles {
  return {
    ...files,
    ...mapped(files, "series.jsonl", (line) => (hasLabel(line, "version") ? null : line)),
    ...mapped(files, "logs.jsonl", unversioned),
    ...mapped(files, "spans.jsonl", unversioned),
  };
}

/**
 * The same bundle with samples `seconds` apart instead of the finest step, a multiple of it. Rates are means, error
 * rates means weighted by requests where the request rate stands beside them, counts sums; quantiles are means of the
 * finer quantiles, weighted alike, as a recording rule would keep them. A window without any sample stays missing.
 * Coarser series stay as they are.
 */
export function atStep(files: BundleFiles, seconds: number): BundleFiles {
  const text = files["series.jsonl"];
  if (text === undefined) return files;
  const series = text
    .trim()
    .split("\n")
    .map((line): SeriesLine => JSON.parse(line));
  const rates = new Map(series.filter(({ metric }) => metric === "request_rate").map((line) => [keyOf(line), line]));
  const coarser = series.map((line) => {
    const factor = seconds / line.step;
    if (factor <= 1 || !Number.isInteger(factor)) return line;
    const { line: aligned, cut } = align(line, seconds);
    const weights = ["error_rate", "p50_latency", "p99_latency", "cache_hit_ratio"].includes(line.metric)
      ? rates.get(keyOf(line))
      : undefined;
    return { ...aligned, step: seconds, values: windows(line, weights, cut, factor) };
  });
  return { ...files, "series.jsonl": coarser.map((line) => `${JSON.stringify(line)}\n`).join("") };
}

/** How much came before the onset in the recordings of real staged rollouts that others publish. */
const SHORT_HISTORY_MINUTES = 14;

/**
 * The same bundle as a sparse monitoring would have recorded it: samples 60 s apart, no request rate, no coarse history,
 * and `SHORT_HISTORY_MINUTES` before the onset (where nothing is faulty, before the watch) as all that came before.
 */
export function sparse(files: BundleFiles): BundleFiles {
  const coarser = atStep(files, 60);
  const incident: { watch: { start: string; end: string } } = JSON.parse(files["incident.json"] ?? "{}");
  const truth: { onset: string | null } = JSON.parse(files["truth.json"] ?? "{}");
  const first = Date.parse(truth.onset ?? incident.watch.start) / 1000 - SHORT_HISTORY_MINUTES * 60;
  const start = Math.max(Date.parse(incident.watch.start), first * 1000);
  const watch = { ...incident.watch, start: new Date(start).toISOString() };
  return {
    ...coarser,
    "incident.json": `${JSON.stringify({ ...incident, watch }, null, 2)}\n`,
    ...mapped(coarser, "series.jsonl", (line) => {
      const series: SeriesLine = JSON.parse(JSON.stringify(line));
      return series.step > 60 || series.metric === "request_rate" ? null : since(series, first);
    }),
    ...mapped(coarser, "logs.jsonl", (line) => (isBefore(line, first * 1000) ? null : line)),
    ...mapped(coarser, "spans.jsonl", (line) => ("start" in line && Number(line.start) < first * 1e6 ? null : line)),
  };
}

function since(line: SeriesLine, first: number): SeriesLine {
  const cut = Math.max(0, Math.ceil((first - line.start) / line.step));
  return { ...line, start: line.start + cut * line.step, values: line.values.slice(cut) };
}

const isBefore = (line: object, ms: number): boolean => "at" in line && Date.parse(String(line.at)) < ms;

const keyOf = ({ service, labels, step }: SeriesLine) => JSON.stringify([service, labels ?? {}, step]);

/** Windows end on whole multiples of the step, so that series of one bundle stay on one grid. A sample stands for the time before it. */
function align(line: SeriesLine, seconds: number): { readonly line: SeriesLine; readonly cut: number } {
  const first = Math.ceil(line.start / seconds) * seconds;
  return { line: { ...line, start: first }, cut: Math.round((first - line.start) / line.step) };
}

function windows(line: SeriesLine, weights: SeriesLine | undefined, cut: number, factor: number): (number | null)[] {
  const values: (number | null)[] = [];
  for (let last = cut; last < line.values.length; last += factor) {
    let [sum, weight] = [0, 0];
    for (let index = Math.max(0, last - factor + 1); index <= last; index++) {
      const value = line.values[index];
      if (value === null || value === undefined) continue;
      const share =
        weights === undefined ? 1 : (weights.values[index + Math.round((line.start - weights.start) / line.step)] ?? 0);
      sum += value * share;
      weight += share;
    }
    const value = weight === 0 ? null : line.metric === "health_check_failures" ? sum : sum / weight;
    values.push(value === null ? null : Number(value.toPrecision(5)));
  }
  return values;
}

function mapped(files: BundleFiles, name: string, change: (line: object) => object | null): BundleFiles {
  const text = files[name];
  if (text === undefined) return {};
  const lines = text
    .trim()
    .split("\n")
    .flatMap((line) => {
      const parsed: object = JSON.parse(line);
      const changed = change(parsed);
      return changed === null ? [] : [changed === parsed ? line : JSON.stringify(changed)];
    });
  return { [name]: lines.map((line) => `${line}\n`).join("") };
}

function hasLabel(line: object, name: string): boolean {
  return "labels" in line && typeof line.labels === "object" && line.labels !== null && name in line.labels;
}

function unversioned(line: object): object {
  return Object.fromEntries(Object.entries(line).filter(([key]) => key !== "version"));
}
