/** How much JSON of others may hold before it is parsed. What is parsed costs memory by its values, not by its bytes. */
export interface JsonBounds {
  /** Objects and arrays within each other. */
  readonly depth: number;
  /** Objects, arrays and the commas in them: at least half of all values that there are. */
  readonly values: number;
}

/**
 * No API that is read nests deeper: Kubernetes' own objects travel as Protocol Buffers, whose decoders stop at a hundred.
 * @see https://protobuf.dev/reference/cpp/api-docs/google.protobuf.io.coded_stream/ (SetRecursionLimit: "The default limit is 100")
 */
export const JSON_DEPTH = 100;

/** Which bound JSON went beyond, in words. */
export type Beyond = "depth" | "values";

/** Counts what the bytes of one JSON text hold, as they come, without parsing them. */
export interface JsonMeter {
  /** The bound that is passed with these bytes; null: none. */
  take(bytes: Uint8Array): Beyond | null;
  /** Values so far. */
  readonly values: number;
  /** Begins anew, for the next text. */
  reset(): void;
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * A meter for one JSON text in UTF-8. Of what is no JSON it counts whatever looks like it: no answer is larger parsed than
 * this says. One pass, no copy of the bytes; a string costs a search for its end.
 */
export function createJsonMeter({ depth: mostDepth, values: mostValues }: JsonBounds): JsonMeter {
  let depth = 0;
  let values = 0;
  let inString = false;
  /** Backslashes at the end of what came of the string so far. */
  let slashes = 0;

  /** Where the string goes on behind its end, or the end of the bytes. */
  function behindString(bytes: Uint8Array, from: number): number {
    const quote = bytes.indexOf(QUOTE, from);
    const end = quote < 0 ? bytes.length : quote;
    let before = end;
    while (before > from && bytes[before - 1] === BACKSLASH) before -= 1;
    const run = end - before + (before === from ? slashes : 0);
    slashes = quote < 0 ? run : 0;
    if (quote < 0) return end;
    inString = run % 2 === 1; // an escaped quote ends nothing
    return quote + 1;
  }

  return {
    get values() {
      return values;
    },
    reset() {
      [depth, values, slashes] = [0, 0, 0];
      inString = false;
    },
    take(bytes) {
      for (let at = 0; at < bytes.length; ) {
        if (inString) {
          at = behindString(bytes, at);
          continue;
        }
        const byte = bytes[at];
        at += 1;
        if (byte === QUOTE) inString = true;
        else if (byte === COMMA) values += 1;
        else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
          depth += 1;
          // Itself where it is the first in another; the commas tell the rest.
          values += 1;
          if (depth > mostDepth) return "depth";
        } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
        if (values > mostValues) return "values";
      }
      return null;
    },
  };
}

/** A message of others, whole, → what it says; undefined where it is no JSON or goes beyond these bounds. */
export function jsonWithin(text: string, bounds: JsonBounds): unknown {
  if (createJsonMeter(bounds).take(new TextEncoder().encode(text)) !== null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
