import type { CustomReading, Reading } from "./reading.ts";

/** Steps in one chunk: big enough that its arrays outweigh their headers, small enough that a short life wastes little. */
const CHUNK_STEPS = 256;

/** The numbers kept of each step. Sums over the readings of the step, but where it says otherwise. */
export const COLUMNS = [
  /** Ticks whose increments, and ticks whose gauges, fell into the step: nearly always one. */
  "ticks",
  "gaugeTicks",
  /** Readings with increments, the time that they cover (ms), and known targets that gave no answer. */
  "readings",
  "elapsedMs",
  "missing",
  /** Targets that answered, and of which it is not known how many requests they had: nobody will count them later. */
  "requestless",
  /** Readings that counted requests: 0 means that nothing is known of requests. */
  "requestReadings",
  "requests",
  /** Requests of which it is known how many failed, and how many did. */
  "judged",
  "errors",
  "cpuSeconds",
  /** Elapsed seconds × cores of the limit; 0: no CPU was reported. */
  "cpuBudgetSeconds",
  /** The worst target's share of its memory limit; NaN: none said both. */
  "memory",
] as const;
export type Column = (typeof COLUMNS)[number];

/** Histogram increments of one layout of buckets: `bounds.length` numbers a step, cumulative. */
interface Layout {
  readonly bounds: readonly number[];
  readonly counts: Float32Array;
  readonly readings: Uint16Array;
}

interface Chunk {
  readonly columns: Readonly<Record<Column, Float64Array>>;
  /** The last tick that brought a gauge, and an increment, to each step. */
  readonly gaugedAt: Float64Array;
  readonly countedAt: Float64Array;
  readonly layouts: Map<string, Layout>;
  readonly custom: Map<string, (CustomReading | undefined)[]>;
}

/** One service and version over time, in columns; steps are numbered from the epoch. */
export class Track {
  readonly service: string;
  readonly version: string;
  readonly #chunks = new Map<number, Chunk>();

  constructor(service: string, version: string) {
    this.service = service;
    this.version = version;
  }

  get empty(): boolean {
    return this.#chunks.size === 0;
  }

  /** Adds what grew and what stands, measured by the tick at `at`, to a step. `defaultCores`: where none is exported. */
  add(step: number, at: number, reading: Reading, defaultCores: number): void {
    const { chunk, slot } = this.#at(step);
    const { columns } = chunk;
    if (chunk.gaugedAt[slot] !== at) bump(columns.gaugeTicks, slot, 1);
    chunk.gaugedAt[slot] = at;
    const { memoryBytes, memoryLimitBytes } = reading;
    if (memoryBytes !== undefined && memoryLimitBytes !== undefined && memoryLimitBytes > 0) {
      // One pod runs out of memory alone, so the worst one counts, not the mean.
      const before = columns.memory[slot] ?? Number.NaN;
      const share = memoryBytes / memoryLimitBytes;
      columns.memory[slot] = before > share ? before : share;
    }
    for (const [metric, value] of Object.entries(reading.custom ?? {})) {
      const values = chunk.custom.get(metric) ?? [];
      chunk.custom.set(metric, values);
      values[slot] = addCustom(values[slot], value);
    }
    if (reading.elapsedMs === null) return;
    if (chunk.countedAt[slot] !== at) bump(columns.ticks, slot, 1);
    chunk.countedAt[slot] = at;
    bump(columns.readings, slot, 1);
    bump(columns.elapsedMs, slot, reading.elapsedMs);
    if (reading.requests !== undefined) {
      bump(columns.requestReadings, slot, 1);
      bump(columns.requests, slot, reading.requests);
      if (reading.errors !== undefined) {
        bump(columns.judged, slot, reading.requests);
        bump(columns.errors, slot, reading.errors);
      }
    }
    if (reading.cpuSeconds !== undefined) {
      const cores =
        reading.cpuLimitCores !== undefined && reading.cpuLimitCores > 0 ? reading.cpuLimitCores : defaultCores;
      bump(columns.cpuSeconds, slot, reading.cpuSeconds);
      bump(columns.cpuBudgetSeconds, slot, (reading.elapsedMs / 1000) * cores);
    }
    if (reading.duration !== undefined) addDuration(chunk, slot, reading.duration.bounds, reading.duration.counts);
  }

  addMissing(step: number, targets: number, column: "missing" | "requestless"): void {
    const { chunk, slot } = this.#at(step);
    bump(chunk.columns[column], slot, targets);
  }

  /** Forgets chunks that lie wholly before a step. */
  forgetBefore(step: number): void {
    for (const key of this.#chunks.keys()) if ((key + 1) * CHUNK_STEPS <= step) this.#chunks.delete(key);
  }

  /** Calls `visit` for the steps from `first` to `last` that lie in chunks of which anything is known. */
  visit(first: number, last: number, visit: (step: number, chunk: Chunk, slot: number) => void): void {
    for (let key = Math.floor(first / CHUNK_STEPS); key <= Math.floor(last / CHUNK_STEPS); key += 1) {
      const chunk = this.#chunks.get(key);
      if (chunk === undefined) continue;
      const from = Math.max(first, key * CHUNK_STEPS);
      const to = Math.min(last, (key + 1) * CHUNK_STEPS - 1);
      for (let step = from; step <= to; step += 1) visit(step, chunk, step - key * CHUNK_STEPS);
    }
  }

  #at(step: number): { readonly chunk: Chunk; readonly slot: number } {
    const key = Math.floor(step / CHUNK_STEPS);
    const chunk = this.#chunks.get(key) ?? newChunk();
    this.#chunks.set(key, chunk);
    return { chunk, slot: step - key * CHUNK_STEPS };
  }
}

function newChunk(): Chunk {
  const column = () => new Float64Array(CHUNK_STEPS);
  return {
    columns: {
      ticks: column(),
      gaugeTicks: column(),
      readings: column(),
      elapsedMs: column(),
      missing: column(),
      requestless: column(),
      requestReadings: column(),
      requests: column(),
      judged: column(),
      errors: column(),
      cpuSeconds: column(),
      cpuBudgetSeconds: column(),
      memory: column().fill(Number.NaN),
    },
    gaugedAt: column(),
    countedAt: column(),
    layouts: new Map(),
    custom: new Map(),
  };
}

function addDuration(chunk: Chunk, slot: number, bounds: readonly number[], counts: readonly number[]): void {
  const key = bounds.join();
  let layout = chunk.layouts.get(key);
  if (layout === undefined) {
    layout = { bounds, counts: new Float32Array(CHUNK_STEPS * bounds.length), readings: new Uint16Array(CHUNK_STEPS) };
    chunk.layouts.set(key, layout);
  }
  bump(layout.readings, slot, 1);
  for (let i = 0; i < bounds.length; i += 1) bump(layout.counts, slot * bounds.length + i, counts[i] ?? 0);
}

export function addCustom(before: CustomReading | undefined, more: CustomReading): CustomReading {
  if (before === undefined) return more;
  const lacking = (before.lacking ?? 0) + (more.lacking ?? 0);
  return {
    sum: before.sum + more.sum,
    count: before.count + more.count,
    min: Math.min(before.min, more.min),
    max: Math.max(before.max, more.max),
    ...(lacking === 0 ? {} : { lacking }),
  };
}

function bump(array: Float64Array | Float32Array | Uint16Array, at: number, by: number): void {
  array[at] = (array[at] ?? 0) + by;
}
