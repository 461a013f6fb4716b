import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Change } from "../../../core/model/change.ts";
import type { LogLine, Span, Topology } from "../../../core/model/evidence.ts";
import { type Series, WELL_KNOWN_METRICS } from "../../../core/model/signal.ts";
import type { Sources } from "../../../core/ports.ts";

/** A recorded incident behind the ports: it never shows anything later than its virtual now. */
export interface BundleWorld {
  readonly sources: Sources;
  readonly startAt: number;
  readonly endAt: number;
  readonly services: readonly { readonly name: string; readonly criticality: string }[];
  readonly truth: Truth;
  now: number;
}

export interface Truth {
  readonly family?: string;
  readonly faulty: boolean;
  readonly action: string;
  readonly acceptable: readonly string[];
  readonly culprit: string | null;
  readonly targets: readonly string[];
  readonly onset: string | null;
}

type Json = Record<string, unknown>;

function text(dir: string, name: string): string {
  const plain = join(dir, name);
  if (existsSync(plain)) return readFileSync(plain, "utf8");
  return existsSync(`${plain}.gz`) ? gunzipSync(readFileSync(`${plain}.gz`)).toString("utf8") : "";
}

const lines = (dir: string, name: string): Json[] =>
  text(dir, name)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Json);

const moment = (value: unknown): number => Date.parse(String(value));

function seriesOf(row: Json): Series {
  const metric = String(row.metric);
  const known = Object.entries(WELL_KNOWN_METRICS).find(([name]) => name === metric)?.[1];
  return {
    service: String(row.service),
    metric,
    unit: String(row.unit),
    worse: (row.worse as Series["worse"] | undefined) ?? known?.worse ?? "either",
    labels: (row.labels as Record<string, string> | undefined) ?? {},
    startAt: Number(row.start) * 1000,
    stepMs: Number(row.step) * 1000,
    values: row.values as (number | null)[],
  };
}

function changeOf(row: Json): Change {
  const { started_at, finished_at, ...rest } = row;
  const finishedAt = finished_at === null || finished_at === undefined ? null : moment(finished_at);
  return Change.parse({ ...rest, startedAt: moment(started_at), finishedAt });
}

export interface BundleOptions {
  readonly logs?: boolean;
  readonly versions?: boolean;
  /** Keep every n-th sample of the fine series, averaged: a coarser scrape. */
  readonly every?: number;
}

function thinned(series: Series, every: number): Series {
  if (every === 1 || series.stepMs > 60_000) return series;
  const values: (number | null)[] = [];
  const offset = every - 1;
  for (let i = offset; i < series.values.length; i += every) {
    const part = series.values.slice(i - offset, i + 1).filter((value) => value !== null);
    values.push(part.length === 0 ? null : part.reduce((sum, value) => sum + value, 0) / part.length);
  }
  return { ...series, startAt: series.startAt + offset * series.stepMs, stepMs: series.stepMs * every, values };
}

export function openBundle(dir: string, options: BundleOptions = {}): BundleWorld {
  const incident = JSON.parse(text(dir, "incident.json")) as {
    watch: { start: string; end: string };
    services: BundleWorld["services"];
  };
  const series = lines(dir, "series.jsonl")
    .map(seriesOf)
    .filter((one) => options.versions !== false || Object.keys(one.labels).length === 0)
    .map((one) => thinned(one, options.every ?? 1));
  const changes = lines(dir, "changes.jsonl").map(changeOf);
  const logs: LogLine[] = (options.logs === false ? [] : lines(dir, "logs.jsonl")).map((row) => ({
    ...(row as unknown as LogLine),
    at: moment(row.at),
  }));
  const spans: Span[] = lines(dir, "spans.jsonl").map((row) => ({
    traceId: String(row.trace_id),
    spanId: String(row.span_id),
    ...(row.parent_id === undefined ? {} : { parentId: String(row.parent_id) }),
    service: String(row.service),
    name: String(row.name),
    startUs: Number(row.start),
    durationUs: Number(row.duration),
    error: row.error === true,
    ...(row.version === undefined ? {} : { version: String(row.version) }),
  }));
  const graph = text(dir, "topology.json");
  const topology = graph === "" ? null : (JSON.parse(graph) as { edges: [string, string][]; external?: string[] });
  const world: BundleWorld = {
    startAt: moment(incident.watch.start),
    endAt: moment(incident.watch.end),
    services: incident.services,
    truth: JSON.parse(text(dir, "truth.json")) as Truth,
    now: moment(incident.watch.start),
    sources: createSources({ series, changes, logs, spans, topology }, () => world.now),
  };
  return world;
}

export interface WorldData {
  readonly series: readonly Series[];
  readonly changes: readonly Change[];
  readonly logs: readonly LogLine[];
  readonly spans: readonly Span[];
  readonly topology: {
    readonly edges: readonly (readonly [string, string])[];
    readonly external?: readonly string[];
  } | null;
}

/** Ports over recorded data that never answer with anything later than `now()`. */
export function createSources(data: WorldData, now: () => number): Sources {
  const metrics = [...new Set(data.series.map(({ metric }) => metric))];
  return {
    metrics: [
      {
        name: "recording",
        metrics: () => metrics,
        range: async ({ metric, window, stepMs }) =>
          data.series
            .filter((one) => one.metric === metric && isAskedStep(one.stepMs, stepMs))
            .map((one) => cut(one, window.from, Math.min(window.to, now())))
            .filter(({ values }) => values.length > 0),
      },
    ],
    changes: [
      {
        name: "recording",
        changes: async ({ from, to }) =>
          data.changes
            .filter((change) => change.startedAt <= Math.min(to, now()) && (change.finishedAt ?? to) >= from)
            .map((change) => ({
              ...change,
              finishedAt: change.finishedAt !== null && change.finishedAt <= now() ? change.finishedAt : null,
            })),
      },
    ],
    logs: [
      {
        name: "recording",
        search: async ({ window, levels, limit }) => {
          const matching = data.logs.filter(
            ({ at, level }) =>
              at >= window.from && at <= Math.min(window.to, now()) && (levels === undefined || levels.includes(level)),
          );
          return { lines: matching.slice(-limit).reverse(), more: matching.length > limit };
        },
      },
    ],
    traces: [
      {
        name: "recording",
        spans: async ({ window, limit }) => {
          const ended = data.spans.filter(
            (span) => span.startUs >= window.from * 1000 && span.startUs + span.durationUs <= now() * 1000,
          );
          return { spans: ended.slice(-limit), more: ended.length > limit };
        },
      },
    ],
    topology:
      data.topology === null
        ? []
        : [
            {
              name: "recording",
              topology: async (): Promise<Topology> => ({
                edges: data.topology?.edges ?? [],
                external: data.topology?.external ?? [],
              }),
            },
          ],
    flags: [],
    rollouts: [],
    alerts: [],
  };
}

/** A coarse question is answered from the history, a fine one from the rest. */
const isAskedStep = (have: number, asked: number): boolean => (asked >= 300_000 ? have >= 300_000 : have < 300_000);

function cut(series: Series, from: number, to: number): Series {
  const first = Math.max(0, Math.ceil((from - series.startAt) / series.stepMs));
  const last = Math.floor((to - series.startAt) / series.stepMs);
  return {
    ...series,
    startAt: series.startAt + first * series.stepMs,
    values: series.values.slice(first, Math.max(first, last + 1)),
  };
}
