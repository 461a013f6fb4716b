import type { CustomReading, Reading } from "./reading.ts";

/** What is counted of a target. */
export type Counted = "requests" | "durationCount" | "bucket" | "cpu";

/** Sums of one answer for one track. */
export interface Sums {
  /** Of what a sample could be no measurement; and which counts are unknown for it, in this answer or since the one before. */
  readonly absurd: Set<Counted | "memory">;
  readonly unknown: Set<Counted>;
  requests: number | null;
  errors: number;
  durations: number | null;
  durationErrors: number;
  /** Whether the histogram's own count says how its requests ended: without a status none of them is known to have failed. */
  durationsByStatus: boolean;
  readonly buckets: Map<number, number>;
  cpuSeconds: number | null;
  cpuLimitCores: number | null;
  memoryBytes: number | null;
  memoryLimitBytes: number | null;
  readonly custom: Map<string, CustomReading>;
}

export function emptySums(): Sums {
  return {
    absurd: new Set(),
    unknown: new Set(),
    requests: null,
    errors: 0,
    durations: null,
    durationErrors: 0,
    durationsByStatus: false,
    buckets: new Map(),
    cpuSeconds: null,
    cpuLimitCores: null,
    memoryBytes: null,
    memoryLimitBytes: null,
    custom: new Map(),
  };
}

/** What a target says of itself without naming a service belongs to the one service that it names elsewhere. */
export function merged(named: Sums, unnamed: Sums): Sums {
  return {
    absurd: new Set([...named.absurd, ...unnamed.absurd]),
    unknown: new Set([...named.unknown, ...unnamed.unknown]),
    requests: named.requests ?? unnamed.requests,
    errors: named.requests === null ? unnamed.errors : named.errors,
    durations: named.durations ?? unnamed.durations,
    durationErrors: named.durations === null ? unnamed.durationErrors : named.durationErrors,
    durationsByStatus: named.durations === null ? unnamed.durationsByStatus : named.durationsByStatus,
    buckets: named.buckets.size > 0 ? named.buckets : unnamed.buckets,
    cpuSeconds: named.cpuSeconds ?? unnamed.cpuSeconds,
    cpuLimitCores: named.cpuLimitCores ?? unnamed.cpuLimitCores,
    memoryBytes: named.memoryBytes ?? unnamed.memoryBytes,
    memoryLimitBytes: named.memoryLimitBytes ?? unnamed.memoryLimitBytes,
    custom: new Map([...unnamed.custom, ...named.custom]),
  };
}

/** The same sums without the counts of which a part is unknown: the rest of them would pass for all. */
function known(sums: Sums): Sums {
  const of = (kind: Counted, sum: number | null): number | null => (sums.unknown.has(kind) ? null : sum);
  return {
    ...sums,
    requests: of("requests", sums.requests),
    durations: of("durationCount", sums.durations),
    cpuSeconds: of("cpu", sums.cpuSeconds),
    buckets: sums.unknown.has("bucket") ? new Map() : sums.buckets,
  };
}

/**
 * Requests come from the counter of requests or, where there is none, from the histogram's own count. That stands in for a counter
 * that is unknown only where it tells failures apart itself: an unknown count of failures is not zero (S9).
 */
export function readingOf(
  { service, version }: Pick<Reading, "service" | "version">,
  all: Sums,
  elapsedMs: number | null,
): Reading {
  const sums = known(all);
  const standsIn = !all.unknown.has("requests") || sums.durationsByStatus;
  const requests = sums.requests ?? (standsIn ? sums.durations : null);
  const bounds = [...sums.buckets.keys()].sort((a, b) => a - b);
  return {
    service,
    version,
    elapsedMs,
    ...(elapsedMs === null || requests === null
      ? {}
      : { requests, errors: sums.requests === null ? sums.durationErrors : sums.errors }),
    ...(elapsedMs === null || bounds.length === 0
      ? {}
      : { duration: { bounds, counts: bounds.map((bound) => sums.buckets.get(bound) ?? 0) } }),
    ...(elapsedMs === null || sums.cpuSeconds === null ? {} : { cpuSeconds: sums.cpuSeconds }),
    ...(sums.cpuLimitCores === null ? {} : { cpuLimitCores: sums.cpuLimitCores }),
    ...(sums.memoryBytes === null ? {} : { memoryBytes: sums.memoryBytes }),
    ...(sums.memoryLimitBytes === null ? {} : { memoryLimitBytes: sums.memoryLimitBytes }),
    ...(sums.custom.size === 0 ? {} : { custom: Object.fromEntries(sums.custom) }),
  };
}

/** A custom reading with one more series in it. */
export function withValue(before: CustomReading | undefined, value: number): CustomReading {
  if (before === undefined) return { sum: value, count: 1, min: value, max: value };
  const { sum, count, min, max } = before;
  return { sum: sum + value, count: count + 1, min: Math.min(min, value), max: Math.max(max, value) };
}
