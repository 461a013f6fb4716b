import type { CustomReading, Reading } from "./reading.ts";

/** Sums of one answer for one track. */
export interface Sums {
  requests: number | null;
  errors: number;
  durations: number | null;
  durationErrors: number;
  readonly buckets: Map<number, number>;
  cpuSeconds: number | null;
  cpuLimitCores: number | null;
  memoryBytes: number | null;
  memoryLimitBytes: number | null;
  readonly custom: Map<string, CustomReading>;
}

export function emptySums(): Sums {
  return {
    requests: null,
    errors: 0,
    durations: null,
    durationErrors: 0,
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
    requests: named.requests ?? unnamed.requests,
    errors: named.requests === null ? unnamed.errors : named.errors,
    durations: named.durations ?? unnamed.durations,
    durationErrors: named.durations === null ? unnamed.durationErrors : named.durationErrors,
    buckets: named.buckets.size > 0 ? named.buckets : unnamed.buckets,
    cpuSeconds: named.cpuSeconds ?? unnamed.cpuSeconds,
    cpuLimitCores: named.cpuLimitCores ?? unnamed.cpuLimitCores,
    memoryBytes: named.memoryBytes ?? unnamed.memoryBytes,
    memoryLimitBytes: named.memoryLimitBytes ?? unnamed.memoryLimitBytes,
    custom: new Map([...unnamed.custom, ...named.custom]),
  };
}

/** Requests come from the counter of requests or, where there is none, from the histogram's own count. */
export function readingOf(
  { service, version }: Pick<Reading, "service" | "version">,
  sums: Sums,
  elapsedMs: number | null,
): Reading {
  const requests = sums.requests ?? sums.durations;
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
