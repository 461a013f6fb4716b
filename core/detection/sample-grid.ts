import { IN_MEMORY, type SampleMemory, type SampleShelf } from "./sample-memory.ts";

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
  /** Those from here on stand in the ring, older ones on the shelf. */
  shelved: number;
  /** Slots at i mod length; NaN is missing. */
  ring: Float64Array;
  readonly shelf: SampleShelf | null;
  readonly memory: SampleMemory;
}

const START_SLOTS = 32;
/** The ring of a grid without samples: the first ones say how large it begins. */
const EMPTY = new Float64Array(0);
/** A ring that is full grows by so much: copying stays O(1) a sample, and at most a fifth stands empty. */
const GROWTH = 1.25;

/** Empty; slot 0 is at `originMs`. */
export function createGrid(originMs: number, stepMs: number, memory: SampleMemory = IN_MEMORY): SampleGrid {
  const shelf = memory.shelf();
  return { originMs, stepMs, first: 0, next: 0, shelved: 0, ring: EMPTY, shelf, memory };
}

/** Lets go of all that a grid holds; whoever still reads it finds nothing. */
export function closeGrid(grid: SampleGrid): void {
  grid.first = 0;
  grid.next = 0;
  grid.shelved = 0;
  grid.ring = EMPTY;
  grid.shelf?.close();
}

export const slotOf = (grid: SampleGrid, at: number): number => Math.round((at - grid.originMs) / grid.stepMs);
export const timeOf = (grid: SampleGrid, slot: number): number => grid.originMs + slot * grid.stepMs;

/** The value of a slot; NaN where it is missing or not held. */
export function valueAt(grid: SampleGrid, slot: number): number {
  if (slot >= grid.next) return Number.NaN;
  if (slot < grid.shelved) return slot < grid.first || grid.shelf === null ? Number.NaN : grid.shelf.at(slot);
  return grid.ring[slot % grid.ring.length] ?? Number.NaN;
}

/** Stores one sample; `capacity` is the most slots ever held. Returns whether it was new. */
export function put(grid: SampleGrid, at: number, value: number | null, capacity: number): boolean {
  const slot = slotOf(grid, at);
  if (slot < grid.first || slot < 0) return false;
  if (slot >= grid.next) advance(grid, slot + 1, capacity);
  if (value === null || !Number.isFinite(value)) return false;
  if (!Number.isNaN(valueAt(grid, slot))) return false;
  if (slot < grid.shelved) grid.shelf?.put(slot, [value]);
  else grid.ring[slot % grid.ring.length] = value;
  return true;
}

/** Makes room for so many more slots at once, `capacity` at most: growing step by step copies and wastes. */
export function reserve(grid: SampleGrid, slots: number, capacity: number): void {
  const wanted = grid.next - grid.shelved + slots;
  if (slots > START_SLOTS && wanted > grid.ring.length) grow(grid, lengthFor(wanted, mostInRing(grid, capacity)));
}

const mostInRing = ({ shelf, memory }: SampleGrid, capacity: number): number =>
  shelf === null ? capacity : Math.min(capacity, memory.recent);

function advance(grid: SampleGrid, next: number, capacity: number): void {
  const most = mostInRing(grid, capacity);
  const wanted = Math.min(most, next - grid.shelved);
  if (wanted > grid.ring.length) grow(grid, lengthFor(Math.max(wanted, grid.ring.length * GROWTH), most));
  const { length } = grid.ring;
  const first = Math.max(grid.first, next - (grid.shelf === null ? length : capacity));
  if (next - grid.shelved > length) putAway(grid, first, next);
  for (let slot = Math.max(grid.next, next - length); slot < next; slot++) grid.ring[slot % length] = Number.NaN;
  grid.next = next;
  grid.first = first;
}

/** Samples go to the shelf so many at once; signals take turns, so that not all of them do at one tick. */
const BATCH = 32;

/** Makes room in the ring for the slots before `next`: what is older goes to the shelf, as far as it is kept. */
function putAway(grid: SampleGrid, first: number, next: number): void {
  const { shelf, ring } = grid;
  if (shelf === null) {
    grid.shelved = Math.max(grid.shelved, next - ring.length);
    return;
  }
  grid.shelved = Math.max(grid.shelved, first);
  while (next - grid.shelved > ring.length) {
    const values: number[] = [];
    const to = grid.shelved + BATCH - ((grid.shelved + shelf.turn) % BATCH);
    for (let slot = grid.shelved; slot < to; slot++)
      values.push(slot < grid.next ? (ring[slot % ring.length] ?? Number.NaN) : Number.NaN);
    shelf.put(grid.shelved, values);
    grid.shelved = to;
  }
}

/** Whole multiples of what a grid starts with, so that rings of signals that are read together are of one size. */
const lengthFor = (slots: number, most: number): number => Math.min(most, Math.ceil(slots / START_SLOTS) * START_SLOTS);

function grow(grid: SampleGrid, length: number): void {
  if (length <= grid.ring.length) return;
  const ring = grid.memory.room(length);
  for (let slot = Math.max(0, grid.shelved); slot < grid.next; slot++)
    ring[slot % length] = grid.ring[slot % grid.ring.length] ?? Number.NaN;
  grid.ring = ring;
}

/** Time of the newest finite sample, or null. Looks back at most `slots`. */
export function newestAt(grid: SampleGrid, slots = grid.next - grid.first): number | null {
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

/** Everything in it as plain JSON, and back. */
export function plainGrid(grid: SampleGrid) {
  const { stepMs, originMs, first, next } = grid;
  const values: (number | null)[] = [];
  for (let slot = first; slot < next; slot++) {
    const value = valueAt(grid, slot);
    values.push(Number.isNaN(value) ? null : value);
  }
  return { stepMs, originMs, first, next, values };
}

export function liveGrid(plain: ReturnType<typeof plainGrid>, memory: SampleMemory, capacity: number): SampleGrid {
  const { stepMs, originMs, first, next, values } = plain;
  const grid = createGrid(originMs, stepMs, memory);
  Object.assign(grid, { first, next: first, shelved: first });
  reserve(grid, values.length, capacity);
  for (const [i, value] of values.entries()) put(grid, originMs + (first + i) * stepMs, value, capacity);
  return grid.next === next ? grid : { ...grid, next };
}
