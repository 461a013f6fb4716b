import { type Beyond, createJsonMeter, JSON_DEPTH } from "../../core/model/json-meter.ts";

/** How much of one peer is read before what it would say is unknown. */
export interface Bounds {
  readonly maxBytes: number;
  /** Values in parsed JSON: `JsonBounds`. */
  readonly maxValues: number;
  readonly maxDepth: number;
}

const MIB = 1024 * 1024;

/**
 * Of one answer, where nobody says otherwise. The largest that a fleet of 1,000 services gives is Argo CD's list of its
 * applications, at 30 to 60 KB each (status, resources, ten deployments of history). An answer of Zipkin's holds at most 500
 * traces (`MAX_TRACES`), series are asked for in pieces (`rangeInPieces`), and all others are smaller. Values: one in 16
 * bytes; such answers have one in 25 or more. Parsed, a value takes up to 70 bytes of memory (measured with empty objects
 * and with objects of one key each), so that the worst answer of 64 MiB takes some 300 MB and not the 3 GB of one that
 * consists of brackets.
 */
export const ANSWER: Bounds = { maxBytes: 64 * MIB, maxValues: 4 * MIB, maxDepth: JSON_DEPTH };

/** A peer went beyond a bound while it was read. `limit`: which one, for people: "64 MiB in one answer". */
export class BeyondBound extends Error {
  override readonly name = "BeyondBound";
  readonly limit: string;

  constructor(limit: string) {
    super(`more than ${limit}`);
    this.limit = limit;
  }
}

/** What answers together may hold; of several pages of one list, of several questions of one peer. */
export interface Allowance {
  /** Takes from it; throws `BeyondBound` where nothing is left. */
  take(bytes: number, values: number): void;
  give(bytes: number, values: number): void;
}

/** `of`: what they are together, for people: "in one list". */
export function createAllowance({ maxBytes, maxValues }: Omit<Bounds, "maxDepth">, of: string): Allowance {
  let [bytes, values] = [0, 0];
  return {
    take(moreBytes, moreValues) {
      bytes += moreBytes;
      values += moreValues;
      if (bytes > maxBytes) throw new BeyondBound(`${sizeText(maxBytes)} ${of}`);
      if (values > maxValues) throw new BeyondBound(`${countText(maxValues)} values ${of}`);
    },
    give(lessBytes, lessValues) {
      bytes -= lessBytes;
      values -= lessValues;
    },
  };
}

/** What one answer is read with: `take` counts its bytes as they come, `done` gives back what it took of the shared. */
export interface AnswerMeter {
  take(bytes: Uint8Array): void;
  done(): void;
}

/**
 * Counts one answer against its own bounds and against allowances that it has in common with others: `held` gets back what
 * it took when the answer is done with, `spent` does not. `take` throws `BeyondBound` at the first bytes beyond one of them.
 */
export function answerMeter(
  bounds: Bounds,
  { held, spent }: { readonly held: Allowance | null; readonly spent?: Allowance | undefined },
): AnswerMeter {
  const json = Number.isFinite(bounds.maxDepth)
    ? createJsonMeter({ depth: bounds.maxDepth, values: bounds.maxValues })
    : null;
  let bytes = 0;
  const taken = { bytes: 0, values: 0 };
  return {
    take(chunk) {
      bytes += chunk.length;
      if (bytes > bounds.maxBytes) throw new BeyondBound(`${sizeText(bounds.maxBytes)} in one answer`);
      const beyond = json?.take(chunk) ?? null;
      if (beyond !== null) throw new BeyondBound(beyondText(beyond, bounds));
      const more = (json?.values ?? 0) - taken.values;
      taken.bytes += chunk.length;
      taken.values += more;
      held?.take(chunk.length, more);
      spent?.take(chunk.length, more);
    },
    done() {
      held?.give(taken.bytes, taken.values);
      taken.bytes = 0;
      taken.values = 0;
    },
  };
}

const beyondText = (beyond: Beyond, { maxDepth, maxValues }: Bounds): string =>
  beyond === "depth" ? `${countText(maxDepth)} levels of JSON` : `${countText(maxValues)} values in one answer`;

/** "64 MiB". */
export const sizeText = (bytes: number): string =>
  bytes >= MIB
    ? `${Math.round(bytes / MIB)} MiB`
    : bytes >= 1024
      ? `${Math.round(bytes / 1024)} KiB`
      : `${bytes} bytes`;

/** "4,194,304", whatever the machine's language. */
export const countText = (count: number): string => count.toLocaleString("en-US");
