import type { CustomReading, Reading } from "./reading.ts";

/** What is counted of a target. */
export type Counted = "requests" | "durationCount" | "bucket" | "cpu";

/** What is read of a target under the conventional names. */
export type Kind = Counted | "cpuLimit" | "memory" | "memoryLimit";

/** Sums of one answer for one track. */
export interface Sums {
  /** Of what a sample could be no measurement; and which counts are unknown for it, in this answer or since the one before. */
  readonly absurd: Set<Counted | "memory">;
  readonly unknown: Set<Counted>;
  /** Which counts are seen for the first time: what they grew by is not known yet. */
  readonly begins: Set<Counted>;
  requests: number | null;
  errors: number;
  durations: number | null;
  /** Null where no series of the histogram has a status. */
  durationErrors: number | null;
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
    begins: new Set(),
    requests: null,
    errors: 0,
    durations: null,
    durationErrors: null,
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
    begins: new Set([...named.begins, ...unnamed.begins]),
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

/** A sum, but null where a part of it is unknown: the rest would pass for all of it (S9). */
const whole = (sums: Sums, kind: Counted, sum: number | null): number | null =>
  sums.unknown.has(kind) || sums.begins.has(kind) ? null : sum;

/**
 * What a track's requests are counted by: its counter of requests or, where it has none, its histogram's own count.
 * The two count different things, so that the one never stands in for the other while that one is unknown: the histogram says
 * nothing of failures, and 0 of them would be a guess.
 */
const requestKind = (sums: Sums, shown: ReadonlySet<string>): "requests" | "durationCount" =>
  sums.requests === null && !shown.has("requests") ? "durationCount" : "requests";

/** Whether what its target counted of requests is left out of this answer's reading; `hasGap`: the answer comes after a gap. */
export const lacksRequests = (sums: Sums, shown: ReadonlySet<string>, hasGap: boolean): boolean => {
  const kind = requestKind(sums, shown);
  return sums.unknown.has(kind) || (hasGap && shown.has(kind));
};

function requestsOf(sums: Sums, shown: ReadonlySet<string>): Pick<Reading, "requests" | "errors"> {
  const kind = requestKind(sums, shown);
  const requests = whole(sums, kind, kind === "requests" ? sums.requests : sums.durations);
  if (requests === null) return {};
  const errors = kind === "requests" ? sums.errors : sums.durationErrors;
  return errors === null ? { requests } : { requests, errors };
}

/** `shown`: which kinds of series this track has had since its process is known to have begun, in this answer or an earlier one. */
export function readingOf(
  { service, version }: Pick<Reading, "service" | "version">,
  sums: Sums,
  elapsedMs: number | null,
  shown: ReadonlySet<string>,
): Reading {
  const bounds = whole(sums, "bucket", 0) === null ? [] : [...sums.buckets.keys()].sort((a, b) => a - b);
  // Against another limit than its own, a share would be wrong.
  const hasLostLimit = sums.cpuLimitCores === null && shown.has("cpuLimit");
  const cpuSeconds = hasLostLimit ? null : whole(sums, "cpu", sums.cpuSeconds);
  return {
    service,
    version,
    elapsedMs,
    ...(elapsedMs === null ? {} : requestsOf(sums, shown)),
    ...(elapsedMs === null || bounds.length === 0
      ? {}
      : { duration: { bounds, counts: bounds.map((bound) => sums.buckets.get(bound) ?? 0) } }),
    ...(elapsedMs === null || cpuSeconds === null ? {} : { cpuSeconds }),
    ...(sums.cpuLimitCores === null ? {} : { cpuLimitCores: sums.cpuLimitCores }),
    ...(sums.memoryBytes === null ? {} : { memoryBytes: sums.memoryBytes }),
    ...(sums.memoryLimitBytes === null ? {} : { memoryLimitBytes: sums.memoryLimitBytes }),
    ...(sums.custom.size === 0 ? {} : { custom: Object.fromEntries(sums.custom) }),
  };
}

/** No series of a custom metric. */
const NONE: CustomReading = { sum: 0, count: 0, min: Infinity, max: -Infinity };

/** A custom reading with one more series in it; null: one whose sample is missing. */
export function withValue(before: CustomReading = NONE, value: number | null): CustomReading {
  const { sum, count, min, max, lacking = 0 } = before;
  if (value === null) return { ...before, lacking: lacking + 1 };
  return { ...before, sum: sum + value, count: count + 1, min: Math.min(min, value), max: Math.max(max, value) };
}
