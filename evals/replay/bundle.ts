import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import type { Gap } from "../../core/model/assessment.ts";
import type { Change } from "../../core/model/change.ts";
import type { Alert, LogLine, Span, Topology } from "../../core/model/evidence.ts";
import { type Series, WELL_KNOWN_METRICS, type WellKnownMetric } from "../../core/model/signal.ts";
import {
  AlertLine,
  ChangeLine,
  GapLine,
  IncidentFile,
  LogFileLine,
  SeriesLine,
  SpanLine,
  TopologyFile,
  TruthFile,
} from "./bundle-schema.ts";

/** A recorded incident in our own types, without its truth. Lists are sorted by time. */
export interface Bundle {
  readonly directory: string;
  readonly incident: IncidentFile;
  readonly series: readonly Series[];
  readonly changes: readonly Change[];
  readonly topology: Topology | null;
  readonly logs: readonly LogLine[];
  readonly spans: readonly Span[];
  readonly alerts: readonly Alert[];
  /** What sources did not say when it was recorded: unknown, not empty. */
  readonly gaps: readonly Gap[];
}

/**
 * Reads one bundle folder. A file that is missing means that there is nothing of that kind; `incident.json` must stand.
 * Throws `bundle.invalid` with file and line for the first thing that does not fit the format.
 */
export function readBundle(directory: string): Bundle {
  const incident = readJson(directory, "incident.json", IncidentFile);
  if (incident === null) throw invalid(join(directory, "incident.json"), 1, "is missing; a bundle needs it");
  if (incident.watch.end < incident.watch.start)
    throw invalid(join(directory, "incident.json"), 1, "watch.end is before watch.start");
  const topology = readJson(directory, "topology.json", TopologyFile);
  return {
    directory,
    incident,
    series: readLines(directory, "series.jsonl", SeriesLine).map(toSeries),
    changes: readLines(directory, "changes.jsonl", ChangeLine)
      .map(toChange)
      .sort(byTime(({ startedAt }) => startedAt)),
    topology: topology === null ? null : { edges: topology.edges, external: topology.external ?? [] },
    logs: readLines(directory, "logs.jsonl", LogFileLine)
      .map(defined<LogLine>)
      .sort(byTime(({ at }) => at)),
    spans: readLines(directory, "spans.jsonl", SpanLine)
      .map(toSpan)
      .sort(byTime(({ startUs }) => startUs)),
    alerts: readLines(directory, "alerts.jsonl", AlertLine)
      .map(defined<Alert>)
      .sort(byTime(({ startsAt }) => startsAt)),
    gaps: readLines(directory, "gaps.jsonl", GapLine),
  };
}

/** The series of one `series.jsonl` (or `.gz`) by itself, in its order. Throws `bundle.invalid` with file and line. */
export function readSeriesFile(file: string): readonly Series[] {
  return linesOf(readFile(file), file, SeriesLine).map(toSeries);
}

/** The truth of a bundle, for the scorer alone; null where there is none. */
export function readTruth(directory: string): TruthFile | null {
  return readJson(directory, "truth.json", TruthFile);
}

/** Bundle folders among the given paths: each path is a bundle or a folder of bundles. Sorted by name. */
export function findBundles(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isDirectory())
      throw invalid(path, 1, "is no folder; name a bundle or a folder of bundles");
    if (statSync(join(path, "incident.json"), { throwIfNoEntry: false }) !== undefined) return [path];
    const found = readdirSync(path)
      .sort()
      .map((name) => join(path, name))
      .filter((child) => statSync(join(child, "incident.json"), { throwIfNoEntry: false }) !== undefined);
    if (found.length === 0) throw invalid(path, 1, "holds no bundle: no incident.json here or one folder below");
    return found;
  });
}

function toSeries(line: z.infer<typeof SeriesLine>): Series {
  const known = isWellKnown(line.metric) ? WELL_KNOWN_METRICS[line.metric].worse : "either";
  return {
    service: line.service,
    metric: line.metric,
    unit: line.unit,
    worse: line.worse ?? known,
    labels: line.labels ?? {},
    startAt: Math.round(line.start * 1000),
    stepMs: Math.round(line.step * 1000),
    values: line.values,
  };
}

function isWellKnown(metric: string): metric is WellKnownMetric {
  return metric in WELL_KNOWN_METRICS;
}

function toChange({ started_at, finished_at, own_rollback, ...rest }: z.infer<typeof ChangeLine>): Change {
  return defined<Change>({
    ...rest,
    startedAt: started_at,
    finishedAt: finished_at ?? null,
    ownRollback: own_rollback,
  });
}

function toSpan({ trace_id, span_id, parent_id, start, duration, ...rest }: z.infer<typeof SpanLine>): Span {
  return defined<Span>({
    ...rest,
    traceId: trace_id,
    spanId: span_id,
    parentId: parent_id ?? undefined,
    startUs: start,
    durationUs: duration,
  });
}

/** Drops keys that hold `undefined`: an absent field is absent. */
function defined<T extends object>(value: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}

function byTime<T>(time: (item: T) => number): (a: T, b: T) => number {
  return (a, b) => time(a) - time(b);
}

function readJson<T extends z.ZodType>(directory: string, name: string, schema: T): z.output<T> | null {
  const text = readText(directory, name);
  if (text === null) return null;
  return check(parse(text, join(directory, name), 1), schema, join(directory, name), 1);
}

function readLines<T extends z.ZodType>(directory: string, name: string, schema: T): z.output<T>[] {
  const text = readText(directory, name);
  if (text === null) return [];
  return linesOf(text, join(directory, name), schema);
}

function linesOf<T extends z.ZodType>(text: string, file: string, schema: T): z.output<T>[] {
  return text
    .split("\n")
    .flatMap((line, index) =>
      line.trim() === "" ? [] : [check(parse(line, file, index + 1), schema, file, index + 1)],
    );
}

function readText(directory: string, name: string): string | null {
  for (const candidate of [name, `${name}.gz`]) {
    const path = join(directory, candidate);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) continue;
    return readFile(path);
  }
  return null;
}

/** The text of a file, unpacked where its name says so. Throws `bundle.invalid` where it cannot be read. */
export function readFile(path: string): string {
  const bytes = bytesOf(path);
  if (!path.endsWith(".gz")) return bytes.toString("utf8");
  try {
    return gunzipSync(bytes).toString("utf8");
  } catch (cause) {
    throw invalid(path, 1, gzipReason(bytes, cause), cause);
  }
}

/** Every gzip file begins with these two bytes (RFC 1952, §2.3.1). */
const GZIP = Buffer.from([0x1f, 0x8b]);

function gzipReason(bytes: Buffer, cause: unknown): string {
  if (!bytes.subarray(0, GZIP.length).equals(GZIP)) return "is no gzip file";
  const cut = cause instanceof Error && "code" in cause && cause.code === "Z_BUF_ERROR";
  return cut ? "the gzip file is cut off before its end; copy it again" : "the gzip file is damaged; copy it again";
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw invalid(path, 1, "cannot be read", cause);
  }
}

function parse(text: string, file: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(file, line, "is no JSON", cause);
  }
}

function check<T extends z.ZodType>(value: unknown, schema: T, file: string, line: number): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.join(".") ?? "";
  throw invalid(
    file,
    line,
    `${where === "" ? "" : `${where}: `}${issue?.message ?? "does not fit the format"}`,
    result.error,
  );
}

export function invalid(file: string, line: number, reason: string, cause?: unknown): UnshipError {
  return new UnshipError("bundle.invalid", { file, line, reason }, { cause });
}
