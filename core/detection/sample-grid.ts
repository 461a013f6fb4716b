/**
 * The last samples of one signal on a regular grid of time, in bounded memory.
 *
 * What each irregularity means: the first finite value of a slot stands (a duplicate or a second sample of the same
 * slot is ignored, so reading the same span again changes nothing); a late or out-of-order sample fills its own slot;
 * NaN, null and ±∞ are missing; an irregular time snaps to the nearest slot; what is older than the memory is dropped.
 */
export interface SampleGrid {
  readonly stepMs: number;
  /** Time of slot 0; slot i ends at `originMs + i·stepMs`. */
  readonly originMs: number;
  /** Slots held: first ≤ i < next. */
  first: number;
  next: number;
  /** Slots at i mod length; NaN is missing. */
  ring: Float64Array;
}

const START_SLOTS = 32;
/** A ring that is full grows by so much: copying stays O(1) a sample, and at most a fifth stands empty. */
const GROWTH = 1.25;

export function createGrid(originMs: number, stepMs: number): SampleGrid {
  return { originMs, stepMs, first: 0, next: 0, ring: new Float64Array(START_SLOTS).fill(Number.NaN) };
}

export const slotOf = (grid: SampleGrid, at: number): number => Math.round((at - grid.originMs) / grid.stepMs);
export const timeOf = (grid: SampleGrid, slot: number): number => grid.originMs + slot * grid.stepMs;

/** The value of a slot; NaN where it is missing or not held. */
export function valueAt(grid: SampleGrid, slot: number): number {
  if (slot < grid.first || slot >= grid.next) return Number.NaN;
  return grid.ring[slot % grid.ring.length] ?? Number.NaN;
}

/** Stores one sample; `capacity` is the most slots ever held. Returns whether it was new. */
export function put(grid: SampleGrid, at: number, value: number | null, capacity: number): boolean {
  const slot = slotOf(grid, at);
  if (slot < grid.first || slot < 0) return false;
  if (slot >= grid.next) advance(grid, slot + 1, capacity);
  if (value === null || !Number.isFinite(value)) return false;
  const place = slot % grid.ring.length;
  if (!Number.isNaN(grid.ring[place] ?? Number.NaN)) return false;
  grid.ring[place] = value;
  return true;
}

/** Makes room for so many more slots at once, `capacity` at most: growing step by step copies and wastes. */
export function reserve(grid: SampleGrid, slots: number, capacity: number): void {
  const wanted = grid.next - grid.first + slots;
  if (slots > START_SLOTS && wanted > grid.ring.length) grow(grid, lengthFor(wanted, capacity));
}

function advance(grid: SampleGrid, next: number, capacity: number): void {
  const wanted = Math.min(capacity, next - grid.first);
  if (wanted > grid.ring.length) grow(grid, lengthFor(Math.max(wanted, grid.ring.length * GROWTH), capacity));
  const from = Math.max(grid.next, next - grid.ring.length);
  for (let slot = from; slot < next; slot++) grid.ring[slot % grid.ring.length] = Number.NaN;
  grid.next = next;
  grid.first = Math.max(grid.first, next - grid.ring.length);
}

/** Whole multiples of what a grid starts with, so that rings of signals that are read together are of one size. */
const lengthFor = (slots: number, capacity: number): number =>
  Math.min(capacity, Math.ceil(slots / START_SLOTS) * START_SLOTS);

function grow(grid: SampleGrid, length: number): void {
  const ring = new Float64Array(length).fill(Number.NaN);
  for (let slot = grid.first; slot < grid.next; slot++)
    ring[slot % length] = grid.ring[slot % grid.ring.length] ?? Number.NaN;
  grid.ring = ring;
}

/** Time of the newest finite sample, or null. Looks back at most `slots`. */
export function newestAt(grid: SampleGrid, slots = grid.ring.length): number | null {
  for (let slot = grid.next - 1; slot >= Math.max(grid.first, grid.next - slots); slot--)
    if (!Number.isNaN(valueAt(grid, slot))) return timeOf(grid, slot);
  return null;
}

/** Finite values between two times, both included, oldest first. */
export function valuesBetween(grid: SampleGrid, from: number, to: number): readonly number[] {
  const values: number[] = [];
  const last = Math.min(grid.next - 1, Math.floor((to - grid.originMs) / grid.stepMs));
  for (let slot = Math.max(grid.first, Math.ceil((from - grid.originMs) / grid.stepMs)); slot <= last; slot++) {
    const value = valueAt(grid, slot);
    if (!Number.isNaN(value)) values.push(value);
  }
  return values;
}
