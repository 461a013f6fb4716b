import type { Reading, Tick } from "./reading.ts";
import { Track } from "./track.ts";

export interface WindowOptions {
  /** The scheduler's interval: one step each. */
  readonly intervalMs: number;
  /** How far back steps are kept, at least. */
  readonly windowMs: number;
  /** Services × versions that are kept at once; more are dropped and counted. */
  readonly maxTracks: number;
  /** The CPU limit where a target exports none. */
  readonly defaultCores: number;
}

/**
 * The bounded past. Taking in a tick costs in proportion to its readings; nothing is worked out again from older ones.
 *
 * A tick belongs to the step that ends nearest to it: with ticks at the grid's points, jitter of less than half an interval
 * cannot push two ticks into one step or leave a step empty. After a missed answer the next increment covers two steps;
 * it counts, as a mean over both, for the later one alone, since a step that was told unknown stays so.
 */
export class SlidingWindow {
  readonly #options: WindowOptions;
  readonly #tracks = new Map<string, Track>();
  #last = Number.NEGATIVE_INFINITY;
  #dropped = 0;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** End of the newest step that a tick has completed, Unix ms; -Infinity before the first tick. */
  get completeUntil(): number {
    return this.#last * this.#options.intervalMs;
  }

  /** Readings not kept because there were more services and versions than `maxTracks`. */
  get dropped(): number {
    return this.#dropped;
  }

  get tracks(): Iterable<Track> {
    return this.#tracks.values();
  }

  add(tick: Tick): void {
    const { intervalMs, windowMs, defaultCores } = this.#options;
    const step = Math.ceil(tick.at / intervalMs - 0.5);
    for (const reading of tick.readings) this.#track(reading)?.add(step, tick.at, reading, defaultCores);
    for (const gone of tick.missing)
      this.#track(gone)?.addMissing(step, gone.targets, gone.requests === true ? "requestless" : "missing");
    if (step <= this.#last) return;
    this.#last = step;
    for (const [key, track] of this.#tracks) {
      track.forgetBefore(step - windowMs / intervalMs);
      if (track.empty) this.#tracks.delete(key);
    }
  }

  #track({ service, version }: Pick<Reading, "service" | "version">): Track | undefined {
    const key = JSON.stringify([service, version]);
    const known = this.#tracks.get(key);
    if (known !== undefined) return known;
    if (this.#tracks.size >= this.#options.maxTracks) {
      this.#dropped += 1;
      return undefined;
    }
    const track = new Track(service, version);
    this.#tracks.set(key, track);
    return track;
  }
}
