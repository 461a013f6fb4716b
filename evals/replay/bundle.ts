import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import type { Gap } from "../../core/model/assessment.ts";
import type { Change, InfrastructureChange } from "../../core/model/change.ts";
import type { Commit } from "../../core/model/commit.ts";
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
import { checkChanges, checkSeries } from "./bundle-sense.ts";
import { invalid, linesOf, quoted, readFile, readJson, readLines, unreadable, type Warn } from "./bundle-text.ts";

/** A recorded incident in our own types, without its truth. Lists are sorted by time. */
export interface Bundle {
  readonly directory: string;
  readonly incident: IncidentFile;
  readonly series: readonly Series[];
  readonly changes: readonly Change[];
  /** Changes of kind "infrastructure": of no service. Absent: there were none. */
  readonly infrastructure?: readonly InfrastructureChange[];
  /** The commits of changes, by the change's id. Absent: there were none. */
  readonly commits?: ReadonlyMap<string, readonly Commit[]>;
  readonly topology: Topology | null;
  readonly logs: readonly LogLine[];
  readonly spans: readonly Span[];
  readonly alerts: readonly Alert[];
  /** What sources did not say when it was recorded: unknown, not empty. */
  readonly gaps: readonly Gap[];
}

/**
 * Reads one bundle folder. A file that is missing means that there is nothing of that kind; `incident.json` must stand.
 * Keys that the format does not know are left out and told to `warn`, once a file. Throws `bundle.invalid` with file and
 * line for the first thing that does not fit the format.
 */
export function readBundle(directory: string, warn: Warn = () => undefined): Bundle {
  const incident = readJson(directory, "incident.json", IncidentFile, warn);
  const file = join(directory, "incident.json");
  if (incident === null) throw invalid(file, 1, "is missing or empty; a bundle needs it");
  if (incident.watch.end < incident.watch.start)
    throw invalid(file, 1, "watch.end is before watch.start; the agent watches from start to end");
  const topology = readJson(directory, "topology.json", TopologyFile, warn);
  const lines = <T extends z.ZodType>(name: string, schema: T): z.output<T>[] =>
    readLines(directory, name, schema, warn).map(({ value }) => value);
  const series = checkSeries(readLines(directory, "series.jsonl", SeriesLine, warn), warn).map(toSeries);
  const changes = checkChanges(readLines(directory, "changes.jsonl", ChangeLine, warn), warn);
  const infrastructure = changes.flatMap((line) => toInfrastructure(line) ?? []);
  const commits = new Map(
    changes.flatMap(({ id, commits = [] }) =>
      commits.length === 0 ? [] : [[id, commits.map(defined<Commit>)] as const],
    ),
  );
  return {
    directory,
    incident,
    series,
    changes: changes.flatMap((line) => toChange(line) ?? []).sort(byTime(({ startedAt }) => startedAt)),
    ...(infrastructure.length === 0
      ? {}
      : { infrastructure: infrastructure.sort(byTime(({ startedAt }) => startedAt)) }),
    ...(commits.size === 0 ? {} : { commits }),
    topology: topology === null ? null : toTopology(topology),
    logs: lines("logs.jsonl", LogFileLine)
      .map(defined<LogLine>)
      .sort(byTime(({ at }) => at)),
    spans: lines("spans.jsonl", SpanLine)
      .map(toSpan)
      .sort(byTime(({ startUs }) => startUs)),
    alerts: lines("alerts.jsonl", AlertLine)
      .map(defined<Alert>)
      .sort(byTime(({ startsAt }) => startsAt)),
    gaps: lines("gaps.jsonl", GapLine),
  };
}

/** The series of one `series.jsonl` (or `.gz`) by itself, in its order. Throws `bundle.invalid` with file and line. */
export function readSeriesFile(file: string, warn: Warn = () => undefined): readonly Series[] {
  return linesOf(readFile(file), file, SeriesLine, warn).map(({ value }) => toSeries(value));
}

/**
 * The truth of a bundle, for the scorer alone; null where there is none. Throws `bundle.invalid` for one that does not fit
 * the format, or names a change that the bundle does not have: nobody could find that.
 */
export function readTruth(directory: string): TruthFile | null {
  const silent = () => undefined;
  const truth = readJson(directory, "truth.json", TruthFile, silent);
  if (truth === null) return null;
  const ids = new Set(readLines(directory, "changes.jsonl", ChangeLine, silent).map(({ value }) => value.id));
  const named = [...(truth.culprit === null ? [] : [truth.culprit]), ...truth.targets];
  const unknown = named.find((id) => !ids.has(id));
  if (unknown !== undefined)
    throw invalid(join(directory, "truth.json"), 1, `names ${quoted(unknown)}, which is no id in changes.jsonl`);
  return truth;
}

/** A folder that holds one of them is meant as a bundle: one that lacks its incident.json is reported, not passed over. */
const OF_A_BUNDLE = ["incident.json", "series.jsonl", "series.jsonl.gz", "changes.jsonl", "truth.json"];

/** Bundle folders among the given paths: each path is a bundle or a folder of bundles. Sorted by name. */
export function findBundles(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isDirectory())
      throw unreadable(path, "it is no folder; name a bundle or a folder of bundles");
    if (statSync(join(path, "incident.json"), { throwIfNoEntry: false }) !== undefined) return [path];
    const found = readdirSync(path)
      .sort()
      .map((name) => join(path, name))
      .filter((child) =>
        OF_A_BUNDLE.some((file) => statSync(join(child, file), { throwIfNoEntry: false }) !== undefined),
      );
    if (found.length === 0) throw unreadable(path, "it holds no bundle: no incident.json here or one folder below");
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

function toChange(line: z.infer<typeof ChangeLine>): Change | null {
  const { kind, started_at, finished_at, own_rollback, released_by, commits: _, ...rest } = line;
  if (kind === "infrastructure") return null;
  return defined<Change>({
    ...rest,
    kind,
    releasedBy: released_by,
    startedAt: started_at,
    finishedAt: finished_at ?? null,
    ownRollback: own_rollback,
  });
}

function toInfrastructure(line: z.infer<typeof ChangeLine>): InfrastructureChange | null {
  const { id, kind, service, from, to, started_at, finished_at, source, author, message } = line;
  if (kind !== "infrastructure") return null;
  return defined<InfrastructureChange>({
    id,
    kind,
    place: service,
    from,
    to,
    startedAt: started_at,
    finishedAt: finished_at ?? null,
    source,
    author,
    message,
  });
}

function toTopology({ edges, external, details, reporting }: z.infer<typeof TopologyFile>): Topology {
  const known = details?.map(({ traffic, ...edge }) => ({
    ...edge,
    ...(traffic === undefined ? {} : { traffic: { perSecond: traffic.per_second, at: traffic.at } }),
  }));
  return defined<Topology>({ edges, external: external ?? [], details: known, reporting });
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
