import { open } from "node:fs/promises";

const CHUNK_BYTES = 64 * 1024;
/** A longer line is no log line; it is passed over, and counted as one that could not be read. */
export const MAX_LINE_BYTES = 1024 * 1024;

export interface BackwardLine {
  readonly text: string | null;
  readonly bytes: number;
  readonly open: boolean;
}

/**
 * The lines of a file from its end to its beginning, without empty ones. A last line without a line end is given too,
 * as `open`: it may still be being written. `null` stands for a line that is too long. Reads no more of the file than is
 * asked for; a file that shrinks meanwhile ends early.
 */
export async function* linesBackwards(file: string): AsyncGenerator<BackwardLine> {
  await using handle = await open(file, "r");
  let position = (await handle.stat()).size;
  let tail: Buffer[] = []; // the pieces of a line whose beginning has not been read, last piece first
  let tailBytes = 0;
  let closed: boolean | null = null;
  while (position > 0) {
    const length = Math.min(CHUNK_BYTES, position);
    position -= length;
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
    if (bytesRead < length) return;
    closed ??= buffer[length - 1] === 10;
    let end = length;
    for (
      let newline = buffer.lastIndexOf(10);
      newline >= 0;
      newline = newline === 0 ? -1 : buffer.lastIndexOf(10, newline - 1)
    ) {
      const piece = buffer.subarray(newline + 1, end);
      const line = lineOf([...tail, piece], tailBytes + piece.length);
      if (line !== null) yield { ...line, open: !closed };
      closed = true;
      tail = [];
      tailBytes = 0;
      end = newline;
    }
    const rest = buffer.subarray(0, end);
    tailBytes += rest.length;
    if (tailBytes <= MAX_LINE_BYTES) tail.push(Buffer.from(rest));
  }
  const first = lineOf(tail, tailBytes);
  if (first !== null) yield { ...first, open: closed === false };
}

function lineOf(pieces: readonly Buffer[], bytes: number): Omit<BackwardLine, "open"> | null {
  if (bytes > MAX_LINE_BYTES) return { text: null, bytes };
  const text = Buffer.concat(pieces.toReversed()).toString("utf8").trim();
  return text === "" ? null : { text, bytes };
}
