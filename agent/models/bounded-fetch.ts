import { createJsonMeter, JSON_DEPTH } from "../../core/model/json-meter.ts";

/** An answer of a model went beyond what any answer is. `limit`: which bound, for people. */
export class BeyondBytes extends Error {
  override readonly name = "BeyondBytes";
  readonly limit: string;

  constructor(limit: string) {
    super(`larger than ${limit}`);
    this.limit = limit;
  }
}

/**
 * Bytes of one answer. A turn may use 2,000 tokens (`DEFAULT_LIMITS`), each of which comes as an event of 150 to 350 bytes of
 * JSON with either vendor: 700 KB. Reasoning that a server streams besides, 32,000 tokens of it, is 11 MB.
 */
const MOST_BYTES = 16 * 1024 * 1024;
/**
 * Bytes of one line, which is an event that the vendors' clients parse as a whole. An event holds one token, or from a server
 * that does not stream the whole of a turn: 128,000 tokens of at most eight bytes.
 */
const LINE_BYTES = 1024 * 1024;
/** Values in one line: an event has some twenty, arguments of tools some hundred. */
const LINE_VALUES = 100_000;

/** `fetch` for a vendor's client: the answer's bytes, lines and JSON are counted as they come, whatever its status. */
export const boundedFetch: typeof fetch = async (input, init) => {
  const answer = await fetch(input, init);
  if (answer.body === null) return answer;
  const bounded = answer.body.pipeThrough(counting());
  const { status, statusText, headers } = answer;
  const copy = new Response(bounded, { status, statusText, headers });
  Object.defineProperty(copy, "url", { value: answer.url });
  return copy;
};

const LINE_FEED = 0x0a;

function counting(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let bytes = 0;
  let inLine = 0;
  const meter = createJsonMeter({ depth: JSON_DEPTH, values: LINE_VALUES });
  return new TransformStream({
    transform(chunk, out) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw new BeyondBytes("16 MiB");
      for (let at = 0; at < chunk.length; ) {
        const feed = chunk.indexOf(LINE_FEED, at);
        const end = feed < 0 ? chunk.length : feed + 1;
        inLine += end - at;
        if (inLine > LINE_BYTES) throw new BeyondBytes("1 MiB in one event");
        const beyond = meter.take(chunk.subarray(at, end));
        if (beyond !== null)
          throw new BeyondBytes(beyond === "depth" ? "100 levels of JSON" : "100,000 values in one event");
        if (feed >= 0) {
          inLine = 0;
          meter.reset();
        }
        at = end;
      }
      out.enqueue(chunk);
    },
  });
}
