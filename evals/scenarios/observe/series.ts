import type { Draw } from "../draw.ts";
import type { Gap, Scenario, Unread } from "../world/model.ts";
import type { Course } from "../world/node.ts";
import type { Run } from "../world/simulate.ts";
import { versionName } from "../world/versions.ts";
import { PROBE_SECONDS, quantileVariance } from "../world/visibility.ts";
import type { Wander } from "../world/wander.ts";
import { mixtureQuantile, spreadOf } from "./quantiles.ts";

/** One line of `series.jsonl`. */
export interface SeriesLine {
  readonly service: string;
  readonly metric: string;
  readonly unit: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly worse?: "up" | "down" | "either";
  readonly start: number;
  readonly step: number;
  readonly values: readonly (number | null)[];
}

export interface Wishes {
  /** Only what a long-term store keeps: request rate, error rate, 99th percentile. */
  readonly coarse: boolean;
  readonly pods: boolean;
  /** Share of samples that are missing here and there. */
  readonly missing: number;
  readonly gaps: readonly Gap[];
  readonly unread?: readonly Unread[];
  readonly lateStart: Scenario["lateStart"];
}

const UNITS: Readonly<Record<string, string>> = {
  request_rate: "req/s",
  error_rate: "ratio",
  p50_latency: "ms",
  p99_latency: "ms",
  cpu_usage: "ratio",
  memory_usage: "ratio",
  health_check_failures: "count",
  queue_depth: "messages",
  cache_hit_ratio: "ratio",
  orders_per_minute: "1/min",
  open_connections: "connections",
};
const WORSE: Readonly<Record<string, "up" | "down" | "either">> = {
  queue_depth: "up",
  cache_hit_ratio: "down",
  orders_per_minute: "down",
  open_connections: "either",
};
const OF_VERSIONS = ["request_rate", "error_rate", "p50_latency", "p99_latency"];
const OF_CANARIES = [...OF_VERSIONS, "cpu_usage", "memory_usage"];

type Row = Record<string, (number | null)[]>;

/** What the monitoring records of a run: counts with their own noise, quantiles of finite samples, gaps. */
export function observe(run: Run, wander: Wander, draw: Draw, wishes: Wishes): readonly SeriesLine[] {
  const lines: SeriesLine[] = [];
  for (const [name, course] of run.courses) {
    if (course.service.tier === "external") continue;
    const own = draw.stream(name);
    const unread = (wishes.unread ?? []).filter(({ service }) => service === name);
    const { whole, older, newer } = sample(course, run, wander, own, wishes.coarse, unread);
    for (const [metric, values] of Object.entries(whole))
      lines.push(line(run, name, metric, values, 0, wishes, own.stream(`gaps/${metric}`)));
    if (wishes.coarse) continue;
    lines.push(...versionLines(run, course, older, newer, wishes, own.stream("versions")));
    if (wishes.pods)
      lines.push(...podLines(run, course, whole.health_check_failures ?? [], wishes, own.stream("pods")));
  }
  return lines;
}

function sample(course: Course, run: Run, wander: Wander, draw: Draw, coarse: boolean, unread: readonly Unread[]) {
  const { service, versions } = course;
  const seconds = run.grid.stepMs / 1000;
  const [whole, older, newer]: [Row, Row, Row] = [{}, {}, {}];
  const put = (row: Row, metric: string, cell: number, value: number | null) => {
    const values = row[metric] ?? [];
    row[metric] = values;
    values[cell] = value === null ? null : digits(value);
  };
  for (let cell = 0; cell < run.grid.length; cell++) {
    const share = versions.share[cell] ?? 1;
    const served = draw.negativeBinomial((course.rate[cell] ?? 0) * seconds, service.dispersion);
    const at = run.grid.start + cell * run.grid.stepMs;
    const partly = unread.find(({ from, to }) => at >= from && at < to);
    const count = partly === undefined ? served : draw.binomial(served, partly.share);
    const ofNewer = share >= 1 ? count : share <= 0 ? 0 : draw.binomial(count, share);
    const slots = [
      { row: newer, track: course.newer, count: ofNewer },
      { row: older, track: course.older, count: count - ofNewer },
    ].map((slot) => ({ ...slot, failed: draw.binomial(slot.count, slot.track.errors[cell] ?? 0) }));
    const failed = slots.reduce((sum, slot) => sum + slot.failed, 0);
    put(whole, "request_rate", cell, count / seconds);
    put(whole, "error_rate", cell, count === 0 ? null : failed / count);
    const parts = slots.map(({ track, count }) => ({
      share: count,
      median: track.median[cell] ?? 0,
      p99: track.p99[cell] ?? 0,
    }));
    const sum = Math.max(1, count);
    quantiles(
      whole,
      cell,
      parts.map((part) => ({ ...part, share: part.share / sum })),
      count,
      draw,
      put,
      coarse,
    );
    if (coarse) continue;
    const busy = Math.min(1, course.load[cell] ?? 0);
    const cpu = (work: number) =>
      Math.min(
        1,
        (service.idleCpu + (1 - service.idleCpu) * work) *
          Math.exp((wander.cpu.get(service.name)?.[cell] ?? 0) + 0.01 * draw.normal()),
      );
    const memory = Math.min(1, (course.memory[cell] ?? 0) * Math.exp(0.004 * draw.normal()));
    put(whole, "cpu_usage", cell, cpu(Math.min(1, busy + 0.1 * share * (versions.fresh[cell] ?? 0))));
    put(whole, "memory_usage", cell, memory);
    put(whole, "health_check_failures", cell, failedProbes(course, cell, seconds, draw));
    custom(whole, course, cell, count, failed, seconds, draw, put);
    if (share > 0 && share < 1)
      for (const { row, track, count, failed } of slots) {
        put(row, "request_rate", cell, count / seconds);
        put(row, "error_rate", cell, count === 0 ? null : failed / count);
        quantiles(
          row,
          cell,
          [{ share: 1, median: track.median[cell] ?? 0, p99: track.p99[cell] ?? 0 }],
          count,
          draw,
          put,
          false,
        );
        put(row, "cpu_usage", cell, cpu(busy * (row === newer ? 1 + 0.02 * draw.normal() : 1)));
        put(row, "memory_usage", cell, Math.min(1, memory * (1 + 0.01 * draw.normal())));
      }
  }
  return { whole, older, newer };
}

type Put = (row: Row, metric: string, cell: number, value: number | null) => void;

function quantiles(
  row: Row,
  cell: number,
  parts: readonly { readonly share: number; readonly median: number; readonly p99: number }[],
  count: number,
  draw: Draw,
  put: Put,
  coarse: boolean,
): void {
  const median = count === 0 ? null : mixtureQuantile(parts, 0.5);
  const slowest = count === 0 ? null : mixtureQuantile(parts, 0.99);
  if (median === null || slowest === null) {
    if (!coarse) put(row, "p50_latency", cell, null);
    put(row, "p99_latency", cell, null);
    return;
  }
  const spread = spreadOf({ median, p99: slowest });
  // Sampling error of an empirical median of lognormal times: π/2 · σ²/n in the logarithm.
  const typical = median * Math.exp(Math.min(0.6, spread * Math.sqrt(Math.PI / 2 / count)) * draw.normal());
  const worst = slowest * Math.exp(Math.min(0.8, Math.sqrt(quantileVariance(spread, count))) * draw.normal());
  if (!coarse) put(row, "p50_latency", cell, typical);
  put(row, "p99_latency", cell, Math.max(worst, typical));
}

/** Now and then a probe fails for no reason; a pod that starts may fail its first. */
function failedProbes({ service, unready, versions }: Course, cell: number, seconds: number, draw: Draw): number {
  const probes = Math.round(service.pods * (seconds / PROBE_SECONDS));
  const stray = draw.poisson((0.002 * seconds) / 15);
  const starting = service.warmUp.resets > 0.004 && (versions.replaced[cell] ?? 0) > 0 && draw.chance(0.3) ? 1 : 0;
  return draw.binomial(probes, unready[cell] ?? 0) + stray + starting;
}

function custom(
  row: Row,
  course: Course,
  cell: number,
  count: number,
  failed: number,
  seconds: number,
  draw: Draw,
  put: Put,
): void {
  const { service } = course;
  if (service.cached) {
    const hits = draw.binomial(count, course.cacheHits[cell] ?? 0);
    put(row, "cache_hit_ratio", cell, count === 0 ? null : hits / count);
  }
  if (service.tier === "entry" && service.revenuePerMinute !== null)
    put(row, "orders_per_minute", cell, (draw.binomial(count - failed, 0.04) * 60) / seconds);
  if (service.tier === "store") {
    const held = ((course.rate[cell] ?? 0) * (course.newer.median[cell] ?? 0)) / 1000;
    put(row, "open_connections", cell, 10 + draw.poisson(4 * held) + Math.round(course.leftOpen[cell] ?? 0));
  }
  if (course.readsQueue) put(row, "queue_depth", cell, draw.poisson(2 + (course.backlog[cell] ?? 0)));
}

function line(
  run: Run,
  service: string,
  metric: string,
  values: readonly (number | null)[],
  from: number,
  wishes: Wishes,
  draw: Draw,
  labels?: Readonly<Record<string, string>>,
): SeriesLine {
  const { stepMs } = run.grid;
  let start = run.grid.start + from * stepMs;
  let kept = values.map((value, index) => {
    const at = start + index * stepMs;
    const gone = wishes.gaps.some(
      (gap) =>
        (gap.service === null || gap.service === service) &&
        (gap.metric === null || gap.metric === metric) &&
        at >= gap.from &&
        at < gap.to,
    );
    return gone || value === undefined || draw.chance(wishes.missing) ? null : value;
  });
  const late = wishes.lateStart.find((one) => one.service === service);
  if (late !== undefined && late.at > start) {
    const skipped = Math.min(kept.length - 1, Math.ceil((late.at - start) / stepMs));
    kept = kept.slice(skipped);
    start += skipped * stepMs;
  }
  const worse = WORSE[metric];
  return {
    service,
    metric,
    unit: UNITS[metric] ?? "",
    ...(labels === undefined ? {} : { labels }),
    ...(worse === undefined ? {} : { worse }),
    start: start / 1000,
    step: stepMs / 1000,
    values: kept,
  };
}

/** The share of each version, for as long as two serve. */
function versionLines(
  run: Run,
  course: Course,
  older: Row,
  newer: Row,
  wishes: Wishes,
  draw: Draw,
): readonly SeriesLine[] {
  const { versions, service } = course;
  const lines: SeriesLine[] = [];
  for (const [position, deploy] of versions.deploys.entries()) {
    const cells = [...Array(run.grid.length).keys()].filter(
      (cell) => versions.newer[cell] === position && (versions.share[cell] ?? 1) > 0 && (versions.share[cell] ?? 1) < 1,
    );
    const [first, last] = [cells[0], cells.at(-1)];
    if (first === undefined || last === undefined) continue;
    for (const [row, at] of [
      [older, position - 1],
      [newer, position],
    ] as const)
      for (const metric of deploy.canary === undefined ? OF_VERSIONS : OF_CANARIES) {
        const values = (row[metric] ?? []).slice(first, last + 1);
        const labels = { version: versionName(versions, at, deploy.from) };
        lines.push(
          line(run, service.name, metric, values, first, wishes, draw.stream(`${deploy.id}/${at}/${metric}`), labels),
        );
      }
  }
  return lines;
}

/** Failed probes by pod, where the monitoring keeps pods apart: a few pods fail, the others do not. */
function podLines(
  run: Run,
  { service }: Course,
  failures: readonly (number | null)[],
  wishes: Wishes,
  draw: Draw,
): readonly SeriesLine[] {
  if (service.tier === "store" || !failures.some((count) => (count ?? 0) > 2)) return [];
  const probes = Math.max(1, Math.round(run.grid.stepMs / 1000 / PROBE_SECONDS));
  const pods = Array.from({ length: service.pods }, () => `${service.name}-${draw.hex(5)}`);
  return pods.map((pod, index) => {
    const values = failures.map((count) =>
      count === null ? null : Math.max(0, Math.min(probes, count - index * probes)),
    );
    return line(run, service.name, "health_check_failures", values, 0, { ...wishes, missing: 0 }, draw, { pod });
  });
}

/** Rounded to five significant digits, as a client library's text format would be read. */
function digits(value: number): number {
  return value === 0 ? 0 : Number(value.toPrecision(5));
}
