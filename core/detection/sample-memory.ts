/** Where samples stand: in memory, and of many signals the older ones on a shelf. */
export interface SampleMemory {
  /** Room for so many numbers, all NaN. */
  room(length: number): Float64Array;
  /** Samples of a signal with a shelf that stay in memory. */
  readonly recent: number;
  /** A shelf for one more signal; null: all of its samples stay in memory. */
  shelf(): SampleShelf | null;
}

/** The older samples of one signal, outside of the memory of the process. */
export interface SampleShelf {
  /** Which of the signals this is, as a number of no other meaning: they take turns by it. */
  readonly turn: number;
  /** Puts the values of neighbouring slots down; NaN is missing. */
  put(slot: number, values: readonly number[]): void;
  /** The value of a slot that was put; NaN where it was missing, or could not be kept. */
  at(slot: number): number;
  /** Gives the place back. */
  close(): void;
}

/** Opens the shelf of one signal, of which at most `capacity` neighbouring slots are wanted at a time. */
export type OpenShelf = (capacity: number) => SampleShelf;

/**
 * Samples that stay in memory of each of many signals. A look at fresh trouble reads half an hour and the hour before
 * it, and an onset is sought an hour back: 360 and 240 samples at 15 s. What lies further back is read where a use rises
 * slowly, or trouble has lasted.
 */
const RECENT = 392;
/** So many signals keep all of their samples in memory: 12 MB with 1,440 samples each. */
const WHOLE_SIGNALS = 1024;

/** Each array by itself, and nothing beside memory. */
export const IN_MEMORY: SampleMemory = {
  room: (length) => new Float64Array(length).fill(Number.NaN),
  recent: Number.POSITIVE_INFINITY,
  shelf: () => null,
};

/** Numbers a page: 128 KB. */
const PAGE = 16_384;

/**
 * Memory for the samples of many signals: parts of pages, since an array of its own costs a signal some 300 bytes and
 * the garbage collector a visit. A page goes when the last array in it does. Without `open` all samples stay in memory.
 */
export function createSampleMemory(capacity: number, open: OpenShelf | null = null): SampleMemory {
  let page = new Float64Array(0);
  let used = 0;
  let signals = 0;
  return {
    recent: RECENT,
    room(length) {
      if (used + length > page.length) {
        page = new Float64Array(Math.max(PAGE, length));
        used = 0;
      }
      const room = page.subarray(used, used + length).fill(Number.NaN);
      used += length;
      return room;
    },
    shelf() {
      signals += 1;
      return open === null || signals <= WHOLE_SIGNALS || capacity <= RECENT ? null : open(capacity);
    },
  };
}
