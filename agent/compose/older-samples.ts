import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../../core/config/config.ts";
import type { OpenShelf, SampleShelf } from "../../core/detection/sample-memory.ts";
import type { Gap } from "../../core/model/assessment.ts";

/** The file in which older samples stand. */
export interface SampleFile {
  readonly openShelf: OpenShelf;
  /** What is missing since the file failed. */
  gaps(): readonly Gap[];
  close(): void;
}

const BYTES = 8;
/** So many neighbouring samples are read at once, and so many such stretches are kept at hand. */
const STRETCH = 256;
const AT_HAND = 256;

/**
 * Keeps the older samples of many signals in a file of the folder: each signal has a ring of its own in it. It is made when
 * it is first needed, and nameless from then on: it goes with the process. Its size is 8 bytes a sample, 12 KB a signal
 * with six hours at 15 s. Where it cannot be made, written or read, older samples are missing from then on: unknown, not
 * zero (S9).
 */
export function createSampleFile(folder: string): SampleFile {
  let file: number | null = null;
  let broken: string | null = null;
  let used = 0;
  /** Places that were given back, by their length in samples. */
  const free = new Map<number, number[]>();
  /** Stretches at hand by their place, the one that was read last at the end. */
  const atHand = new Map<number, Float64Array>();

  /** Null: it failed, now or before. */
  function trying<T>(act: (file: number) => T): T | null {
    if (broken !== null) return null;
    try {
      file ??= opened(folder);
      return act(file);
    } catch (error) {
      broken = `their file in ${folder} failed: ${codeOf(error)}`;
      atHand.clear();
      return null;
    }
  }

  function stretchAt(place: number): Float64Array | null {
    const known = atHand.get(place);
    if (known !== undefined) {
      atHand.delete(place);
      atHand.set(place, known);
      return known;
    }
    const stretch = new Float64Array(STRETCH).fill(Number.NaN);
    if (trying((file) => readSync(file, stretch, 0, stretch.byteLength, place * BYTES)) === null) return null;
    for (const [oldest] of atHand) {
      if (atHand.size < AT_HAND) break;
      atHand.delete(oldest);
    }
    atHand.set(place, stretch);
    return stretch;
  }

  function write(place: number, values: readonly number[]): void {
    trying((file) => {
      const bytes = values.length * BYTES;
      if (writeSync(file, Float64Array.from(values), 0, bytes, place * BYTES) < bytes) throw new Error("no room");
    });
    for (let at = place - (place % STRETCH); at < place + values.length; at += STRETCH) atHand.delete(at);
  }

  const places: Places = {
    write,
    read: (place) => stretchAt(place - (place % STRETCH))?.[place % STRETCH] ?? Number.NaN,
    giveBack(begin, length) {
      const others = free.get(length);
      if (others === undefined) free.set(length, [begin]);
      else others.push(begin);
    },
  };
  return {
    openShelf(capacity): SampleShelf {
      const length = Math.ceil(capacity / STRETCH) * STRETCH;
      const begin = free.get(length)?.pop() ?? used;
      if (begin === used) used += length;
      return new Shelf(places, begin, length);
    },
    gaps: () =>
      broken === null
        ? []
        : [{ of: "history", how: "partial", source: "watch", what: "samples of the last hours", because: broken }],
    close() {
      broken = "it is closed";
      atHand.clear();
      if (file !== null) closeSync(file);
      file = null;
    },
  };
}

/** The file, by the places of samples in it. */
interface Places {
  write(place: number, values: readonly number[]): void;
  read(place: number): number;
  giveBack(begin: number, length: number): void;
}

/** A class, since there are tens of thousands: three closures for each would be more than all that it knows. */
class Shelf implements SampleShelf {
  readonly #places: Places;
  readonly #begin: number;
  readonly #length: number;

  constructor(places: Places, begin: number, length: number) {
    this.#places = places;
    this.#begin = begin;
    this.#length = length;
  }

  get turn(): number {
    return this.#begin / this.#length;
  }

  put(slot: number, values: readonly number[]): void {
    const at = slot % this.#length;
    const before = Math.min(values.length, this.#length - at);
    this.#places.write(this.#begin + at, values.slice(0, before));
    if (before < values.length) this.#places.write(this.#begin, values.slice(before));
  }

  at(slot: number): number {
    return this.#places.read(this.#begin + (slot % this.#length));
  }

  close(): void {
    this.#places.giveBack(this.#begin, this.#length);
  }
}

/** Beside the record where that is a file of this process's, otherwise beside what is remembered of incidents. */
export function sampleFolder({ ledger, gate, knowledge }: Config, of: "agent" | "gate" = "agent"): string {
  const holdsRecord = of === "gate" || gate === undefined;
  return dirname(ledger.type === "sqlite" && ledger.path !== ":memory:" && holdsRecord ? ledger.path : knowledge.path);
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : error instanceof Error ? error.message : "unknown";

function opened(folder: string): number {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `older-samples-${process.pid}`);
  const file = openSync(path, "w+", 0o600);
  try {
    rmSync(path);
  } catch {
    // A system that removes no open files: it stands there until the next process of this number.
  }
  return file;
}
