import { UnshipError } from "../errors.ts";
import { WELL_KNOWN_METRICS, type Worse } from "../model/signal.ts";
import type { QueryConfig } from "./config.ts";
import { promqlCode } from "./promql-code.ts";

/** What a unit measures, and how many of the dimension's base unit it is. */
interface Unit {
  readonly dimension: "time" | "ratio" | "count" | "rate" | "size";
  readonly factor: number;
}

/** Bases: ms, ratio 0–1, count, requests a second, bytes. The first spelling of each is the one that we print. */
const UNITS: Readonly<Record<string, Unit>> = {
  ms: { dimension: "time", factor: 1 },
  s: { dimension: "time", factor: 1000 },
  us: { dimension: "time", factor: 1e-3 },
  ns: { dimension: "time", factor: 1e-6 },
  min: { dimension: "time", factor: 60_000 },
  milliseconds: { dimension: "time", factor: 1 },
  seconds: { dimension: "time", factor: 1000 },
  microseconds: { dimension: "time", factor: 1e-3 },
  nanoseconds: { dimension: "time", factor: 1e-6 },
  minutes: { dimension: "time", factor: 60_000 },
  ratio: { dimension: "ratio", factor: 1 },
  percent: { dimension: "ratio", factor: 0.01 },
  "%": { dimension: "ratio", factor: 0.01 },
  count: { dimension: "count", factor: 1 },
  "req/s": { dimension: "rate", factor: 1 },
  "req/min": { dimension: "rate", factor: 1 / 60 },
  bytes: { dimension: "size", factor: 1 },
  KiB: { dimension: "size", factor: 1024 },
  MiB: { dimension: "size", factor: 1_048_576 },
  GiB: { dimension: "size", factor: 1_073_741_824 },
};

/** Every unit that a file may name. */
export const KNOWN_UNITS: readonly string[] = Object.keys(UNITS);

function unitNamed(name: string): Unit | undefined {
  return Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
}

/** The unit that the rest of unship expects of a metric: a well-known one's own; null for a custom one (any). */
export function unitOfMetric(metric: string): string | null {
  return wellKnownMetric(metric)?.unit ?? null;
}

/** Unit and direction of a well-known metric; undefined for any other name. */
export function wellKnownMetric(metric: string): { readonly unit: string; readonly worse: Worse } | undefined {
  return Object.entries(WELL_KNOWN_METRICS).find(([name]) => name === metric)?.[1];
}

/**
 * Whether a value in `unit` can be turned into the metric's unit. A custom metric takes any unit that is known.
 */
export function unitFits(unit: string, metric: string): boolean {
  const from = unitNamed(unit);
  const own = unitOfMetric(metric);
  return from !== undefined && (own === null || from.dimension === unitNamed(own)?.dimension);
}

/**
 * A value in `unit` → the same value in the metric's unit: `(2, "s", "p99_latency")` → 2000 (ms). A custom metric has
 * no unit of its own and keeps its value.
 *
 * @throws UnshipError input.invalid where the two measure different things; a loaded configuration never does.
 */
export function convertToMetricUnit(value: number, unit: string, metric: string): number {
  const own = unitOfMetric(metric);
  if (own === null || own === unit) return value;
  const from = unitNamed(unit);
  const to = unitNamed(own);
  if (from === undefined || to === undefined || from.dimension !== to.dimension) {
    throw new UnshipError("input.invalid", { what: metric, reason: `${unit} cannot be turned into ${own}` });
  }
  return (value * from.factor) / to.factor;
}

/**
 * The unit of what a configured query yields: as the file says, else as the names in the query say, else the metric's
 * own; null for a custom metric of which nobody says anything.
 */
export function unitOfConfigured(metric: string, { query, unit }: QueryConfig): string | null {
  return unit ?? unitOfQuery(query) ?? unitOfMetric(metric);
}

/** The factor from what a configured query yields to the metric's unit: 1000 for the seed's p99 (seconds → ms). */
export function scaleOfConfigured(metric: string, query: QueryConfig): number {
  const unit = unitOfConfigured(metric, query);
  return unit === null ? 1 : convertToMetricUnit(1, unit, metric);
}

/** The direction in which a configured metric hurts: a well-known one's own; as the file says; else either. */
export function worseOfConfigured(metric: string, { worse }: QueryConfig): Worse {
  return wellKnownMetric(metric)?.worse ?? worse ?? "either";
}

/** Prometheus' suffixes of base units, and the two that people use against its advice. */
const SUFFIXES: readonly (readonly [RegExp, string])[] = [
  [/_(?:milliseconds|millis|ms)(?:_bucket|_sum)?$/, "ms"],
  [/_(?:microseconds|micros)(?:_bucket|_sum)?$|_us(?:_bucket|_sum)$/, "us"],
  [/_(?:nanoseconds|nanos)(?:_bucket|_sum)?$|_ns(?:_bucket|_sum)$/, "ns"],
  [/_seconds(?:_bucket|_sum)?$/, "s"],
  [/_bytes$/, "bytes"],
];

/**
 * The unit that a PromQL query yields, as far as the names in it tell; null where they do not.
 *
 * By Prometheus' naming rules a metric's name ends in its unit. A duration divided by a duration, and the rate of a
 * counter of seconds (`*_seconds_total`), have none. A factor of 1000 beside a query over seconds makes it ms; 100
 * beside a share (a division, or 1 less something) makes it percent; with any other arithmetic factor the unit is not claimed.
 *
 * @see https://prometheus.io/docs/practices/naming/#base-units
 */
export function unitOfQuery(query: string): string | null {
  const code = promqlCode(query)
    .replaceAll(/\{[^{}]*\}/g, "")
    .replaceAll(/\[[^\]]*\]/g, "")
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, "");
  const names = code.match(/[A-Za-z_:][\w:]*/g) ?? [];
  const units = new Set(
    names.flatMap((name) => SUFFIXES.filter(([suffix]) => suffix.test(name)).map(([, unit]) => unit)),
  );
  const factors = [
    ...code.matchAll(/([*/])\s*(\d[\d.]*(?:e[+-]?\d+)?)(?![\w.])|(?<![\w.])(\d[\d.]*(?:e[+-]?\d+)?)\s*\*/gi),
  ]
    .map(([, sign, right, left]) => (sign === "/" ? 1 / Number(right) : Number(right ?? left)))
    .filter((factor) => factor !== 1);
  if (units.size > 1 || factors.length > 1) return null;
  const [unit] = units;
  const [factor] = factors;
  if (unit === undefined) return factor === 100 && /\/|\b1\s*-/.test(code) ? "percent" : null;
  if (isRatioOfSameUnit(code, unit)) return null;
  if (factor === undefined) return unit;
  if (unit === "s" && factor === 1000) return "ms";
  if (unit === "ms" && factor === 0.001) return "s";
  return null;
}

/** `a_seconds_sum / b_seconds_sum` is a plain number; `a_seconds_sum / a_seconds_count` is a mean, and keeps its unit. */
function isRatioOfSameUnit(code: string, unit: string): boolean {
  const sides = code.split("/");
  const measured = sides.filter((side) =>
    (side.match(/[A-Za-z_:][\w:]*/g) ?? []).some((name) =>
      SUFFIXES.some(([suffix, named]) => named === unit && suffix.test(name)),
    ),
  );
  return sides.length > 1 && measured.length > 1;
}
