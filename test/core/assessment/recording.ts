import type { Change } from "../../../core/model/change.ts";
import type { LogLine, Topology } from "../../../core/model/evidence.ts";
import type { Series } from "../../../core/model/signal.ts";
import type { Sources } from "../../../core/ports.ts";
import { type Bundle, readBundle, readTruth } from "../../../evals/replay/bundle.ts";
import { bundleSources } from "../../../evals/replay/bundle-sources.ts";

/** A recording behind the ports: it never shows anything later than its virtual now. */
export interface Recording {
  readonly sources: Sources;
  readonly startAt: number;
  readonly endAt: number;
  now: number;
}

export interface RecordingOptions {
  readonly logs?: boolean;
  readonly versions?: boolean;
  /** Keep every n-th sample of the fine series, averaged: a coarser scrape. */
  readonly every?: number;
}

/** A recorded incident with parts of it left out, and what was true of it. */
export function openRecording(directory: string, { logs, versions, every = 1 }: RecordingOptions = {}) {
  const whole = readBundle(directory);
  const truth = readTruth(directory);
  if (truth === null) throw new Error(`${directory} has no truth`);
  const bundle: Bundle = {
    ...whole,
    logs: logs === false ? [] : whole.logs,
    series: whole.series
      .filter((one) => versions !== false || Object.keys(one.labels).length === 0)
      .map((one) => thinned(one, every)),
  };
  return Object.assign(play(bundle), { truth });
}

/** What a made world consists of. */
export interface WorldData {
  readonly startAt: number;
  readonly endAt: number;
  readonly series: readonly Series[];
  readonly changes: readonly Change[];
  readonly logs: readonly LogLine[];
  readonly topology: Topology | null;
}

/** A made world as a recording: it lists no services of its own, so that it has no cluster and no flags either. */
export function recordingOf({ startAt, endAt, ...data }: WorldData): Recording {
  const incident = { schema: 1, id: "world", title: "world", watch: { start: startAt, end: endAt }, services: [] };
  const recording = play({
    directory: "",
    incident: incident as Bundle["incident"],
    spans: [],
    alerts: [],
    gaps: [],
    ...data,
  });
  return Object.assign(recording, { sources: { ...recording.sources, flags: [] } });
}

function play(bundle: Bundle): Recording {
  const { start, end } = bundle.incident.watch;
  const recording = { startAt: start, endAt: end, now: start, sources: {} as Sources };
  recording.sources = bundleSources(bundle, { now: () => recording.now }, new Map());
  return recording;
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
