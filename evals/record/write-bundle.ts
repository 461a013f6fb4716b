import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { UnshipError } from "../../core/errors.ts";
import type { Change, InfrastructureChange } from "../../core/model/change.ts";
import type { Commit } from "../../core/model/commit.ts";
import type { Alert, LogLine, Span, Topology } from "../../core/model/evidence.ts";
import type { Series } from "../../core/model/signal.ts";
import { rfc3339 } from "../../core/model/time.ts";
import type { Bundle } from "../replay/bundle.ts";

/**
 * Writes a bundle as a folder, in the format that `readBundle` reads: whole, or not at all. It is put together beside
 * its place and moved there in one step. Throws "input.invalid" where something stands there already.
 */
export function writeBundle(bundle: Bundle, directory: string): void {
  const place = resolve(directory);
  refuseTaken(directory);
  mkdirSync(dirname(place), { recursive: true });
  const half = mkdtempSync(join(dirname(place), `.${basename(place)}-`));
  try {
    for (const [name, text] of files(bundle)) {
      writeFileSync(join(half, name), name.endsWith(".gz") ? gzipSync(text) : text, { flush: true });
    }
    renameSync(half, place);
  } catch (error) {
    rmSync(half, { recursive: true, force: true });
    throw error;
  }
}

/** An empty folder may be taken; anything else belongs to somebody. Throws "input.invalid". */
export function refuseTaken(directory: string): void {
  if (!existsSync(directory)) return;
  if (statSync(directory).isDirectory() && readdirSync(directory).length === 0) return;
  throw new UnshipError("input.invalid", { what: directory, reason: "it exists already; name a new folder" });
}

function files(bundle: Bundle): readonly (readonly [name: string, text: string])[] {
  const { incident, topology } = bundle;
  const watch = { start: rfc3339(incident.watch.start), end: rfc3339(incident.watch.end) };
  return [
    ["incident.json", `${JSON.stringify({ ...incident, watch }, null, 1)}\n`],
    ["series.jsonl.gz", lines(bundle.series, seriesLine)],
    [
      "changes.jsonl",
      lines(bundle.changes, (change) => changeLine(change, bundle.commits?.get(change.id))) +
        lines(bundle.infrastructure ?? [], infrastructureLine),
    ],
    ...(topology === null ? [] : [["topology.json", `${JSON.stringify(topologyFile(topology))}\n`] as const]),
    ["logs.jsonl.gz", lines(bundle.logs, logLine)],
    ["spans.jsonl.gz", lines(bundle.spans, spanLine)],
    ["alerts.jsonl", lines(bundle.alerts, alertLine)],
    ["gaps.jsonl", lines(bundle.gaps, (gap) => gap)],
  ];
}

const lines = <T>(items: readonly T[], line: (item: T) => object): string =>
  items.map((item) => `${JSON.stringify(line(item))}\n`).join("");

const seriesLine = ({ service, metric, unit, labels, worse, startAt, stepMs, values }: Series) => ({
  service,
  metric,
  unit,
  ...(Object.keys(labels).length === 0 ? {} : { labels }),
  worse,
  start: startAt / 1000,
  step: stepMs / 1000,
  values: values.map((value) => (value === null || !Number.isFinite(value) ? null : value)),
});

const changeLine = (change: Change, commits: readonly Commit[] | undefined) => ({
  id: change.id,
  kind: change.kind,
  service: change.service,
  from: change.from,
  to: change.to,
  started_at: rfc3339(change.startedAt),
  finished_at: rfc3339(change.finishedAt),
  source: change.source,
  reversible: change.reversible,
  author: change.author,
  commit: change.commit,
  message: change.message,
  commits: commits?.map(({ at, ...commit }) => ({ ...commit, ...(at === undefined ? {} : { at: rfc3339(at) }) })),
  diff: change.diff && {
    files: change.diff.files,
    insertions: change.diff.insertions,
    deletions: change.diff.deletions,
  },
  flag: change.flag,
  environment: change.environment,
  canary: change.canary,
  provides: change.provides,
  requires: change.requires,
  own_rollback: change.ownRollback,
  released_by: change.releasedBy,
});

const infrastructureLine = ({ place, startedAt, finishedAt, ...rest }: InfrastructureChange) => ({
  ...rest,
  service: place,
  started_at: rfc3339(startedAt),
  finished_at: rfc3339(finishedAt),
  reversible: false,
});

const topologyFile = ({ edges, external, details, reporting }: Topology) => ({
  edges,
  external,
  details: details?.map(({ traffic, ...edge }) => ({
    ...edge,
    ...(traffic === undefined ? {} : { traffic: { per_second: traffic.perSecond, at: rfc3339(traffic.at) } }),
  })),
  reporting,
});

const logLine = ({ at, service, level, message, version }: LogLine) => ({
  at: rfc3339(at),
  service,
  level,
  message,
  version,
});

const spanLine = ({ traceId, spanId, parentId, service, name, startUs, durationUs, error, version, user }: Span) => ({
  trace_id: traceId,
  span_id: spanId,
  parent_id: parentId,
  service,
  name,
  start: startUs,
  duration: durationUs,
  error,
  version,
  user,
});

const alertLine = ({ startsAt, endsAt, ...rest }: Alert) => ({
  ...rest,
  startsAt: rfc3339(startsAt),
  endsAt: rfc3339(endsAt) ?? undefined,
});
