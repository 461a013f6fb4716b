import { addBuckets, type Buckets } from "./quantile.ts";
import type { CustomReading, Reading } from "./reading.ts";

/** What one service and version did in one step of the base grid, over all its targets. */
export interface Cell {
  /** Ticks whose increments fell into this step (nearly always one), and readings with increments in them. */
  readonly ticks: number[];
  readings: number;
  elapsedMs: number;
  /** Known targets that gave no answer. */
  missing: number;
  requests: number | null;
  errors: number;
  /** By the text of their bounds: usually one entry. */
  readonly durations: Map<string, { readonly bounds: readonly number[]; readonly counts: number[] }>;
  cpuSeconds: number;
  /** Σ over readings of elapsed seconds × cores of the limit; 0: no CPU was reported. */
  cpuBudgetSeconds: number;
  /** The worst target's share of its memory limit; null: none said both. */
  memory: number | null;
  /** Ticks whose gauges fell into this step. */
  readonly gaugeTicks: number[];
  readonly custom: Map<string, CustomReading>;
}

export function emptyCell(): Cell {
  return {
    ticks: [],
    readings: 0,
    elapsedMs: 0,
    missing: 0,
    requests: null,
    errors: 0,
    durations: new Map(),
    cpuSeconds: 0,
    cpuBudgetSeconds: 0,
    memory: null,
    gaugeTicks: [],
    custom: new Map(),
  };
}

/** Adds what grew. `defaultCores`: the CPU limit where the target exports none. */
export function addIncrements(cell: Cell, at: number, reading: Reading, defaultCores: number): void {
  if (reading.elapsedMs === null) return;
  addTick(cell.ticks, at);
  cell.readings += 1;
  cell.elapsedMs += reading.elapsedMs;
  if (reading.requests !== undefined) {
    cell.requests = (cell.requests ?? 0) + reading.requests;
    cell.errors += reading.errors ?? 0;
  }
  if (reading.duration !== undefined) addDuration(cell.durations, reading.duration);
  if (reading.cpuSeconds !== undefined) {
    cell.cpuSeconds += reading.cpuSeconds;
    cell.cpuBudgetSeconds += (reading.elapsedMs / 1000) * positive(reading.cpuLimitCores, defaultCores);
  }
}

/** Adds what stands at the moment. One pod runs out of memory alone, so the worst one counts, not the mean. */
export function addGauges(cell: Cell, at: number, reading: Reading): void {
  addTick(cell.gaugeTicks, at);
  const { memoryBytes, memoryLimitBytes } = reading;
  if (memoryBytes !== undefined && memoryLimitBytes !== undefined && memoryLimitBytes > 0) {
    cell.memory = Math.max(cell.memory ?? 0, memoryBytes / memoryLimitBytes);
  }
  for (const [metric, value] of Object.entries(reading.custom ?? {})) {
    cell.custom.set(metric, addCustom(cell.custom.get(metric), value));
  }
}

/** Adds another cell's content: for several versions of a service, or several base steps of one output step. */
export function addCell(into: Cell, from: Cell): void {
  for (const at of from.ticks) addTick(into.ticks, at);
  for (const at of from.gaugeTicks) addTick(into.gaugeTicks, at);
  into.readings += from.readings;
  into.elapsedMs += from.elapsedMs;
  into.missing += from.missing;
  if (from.requests !== null) into.requests = (into.requests ?? 0) + from.requests;
  into.errors += from.errors;
  for (const duration of from.durations.values()) addDuration(into.durations, duration);
  into.cpuSeconds += from.cpuSeconds;
  into.cpuBudgetSeconds += from.cpuBudgetSeconds;
  if (from.memory !== null) into.memory = Math.max(into.memory ?? 0, from.memory);
  for (const [metric, value] of from.custom) into.custom.set(metric, addCustom(into.custom.get(metric), value));
}

/** The histogram of a cell over all its layouts; null where there is none. */
export function histogramOf(cell: Cell): Buckets | null {
  return addBuckets([...cell.durations.values()]);
}

function addTick(ticks: number[], at: number): void {
  if (!ticks.includes(at)) ticks.push(at);
}

function addDuration(all: Cell["durations"], { bounds, counts }: Buckets): void {
  const key = bounds.join();
  const before = all.get(key);
  if (before === undefined) all.set(key, { bounds, counts: Array.from(counts) });
  else for (let i = 0; i < bounds.length; i += 1) before.counts[i] = (before.counts[i] ?? 0) + (counts[i] ?? 0);
}

function addCustom(before: CustomReading | undefined, more: CustomReading): CustomReading {
  if (before === undefined) return more;
  return {
    sum: before.sum + more.sum,
    count: before.count + more.count,
    min: Math.min(before.min, more.min),
    max: Math.max(before.max, more.max),
  };
}

function positive(value: number | undefined, otherwise: number): number {
  return value !== undefined && value > 0 ? value : otherwise;
}
