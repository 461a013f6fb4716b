import { type FileHandle, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { UnshipError } from "../../../core/errors.ts";

export interface SpoolOptions {
  /** A folder of its own; made if absent. Several processes may read and write it: each has segments of its own. */
  readonly folder: string;
  /** Older records than this are of no use any more; their segments are deleted. */
  readonly windowMs: number;
  /** A segment that has reached this size is closed and a new one begun. */
  readonly segmentBytes?: number;
  /** The oldest segments go when all together are larger. */
  readonly maxBytes?: number;
}

/**
 * An append-only log of records, so that what was measured survives the process.
 *
 * Each record is one line: CRC-32 and JSON. A record that a crash tore (or a disk garbled) fails its checksum and is
 * passed over and counted; since a process always begins a segment of its own, nothing is ever written behind a torn
 * record. Survives the death of the process, not that of the machine: nothing is fsynced, because what is lost then is
 * measured again within a window.
 */
export interface Spool {
  /** How many records were found that could not be read. */
  readonly torn: number;
  /** Resolves when the record is with the operating system. Throws `store.unavailable`. */
  append(record: SpoolRecord): Promise<void>;
  close(): Promise<void>;
}

export interface SpoolRecord {
  /** Unix ms. */
  readonly at: number;
}

/** 4 MiB: some hundred ticks of a mid-size system, and quick to drop. */
const SEGMENT_BYTES = 4 * 1024 * 1024;
const MAX_BYTES = 256 * 1024 * 1024;
const SEGMENT = /^(\d{10})\.segment$/;

interface Segment {
  readonly file: string;
  readonly number: number;
  bytes: number;
  newest: number;
}

/**
 * Opens a spool and calls `visit` for each whole record in it, in the order in which they were written; those before
 * `from` (Unix ms) are left out, and dropped in time. Throws `store.unavailable`.
 */
export async function openSpool(
  options: SpoolOptions,
  from: number,
  visit: (record: SpoolRecord) => void,
): Promise<Spool> {
  const { folder, windowMs, segmentBytes = SEGMENT_BYTES, maxBytes = MAX_BYTES } = options;
  const failed = (cause: unknown): never => {
    throw new UnshipError("store.unavailable", { reason: `the spool ${folder}: ${codeOf(cause)}` }, { cause });
  };
  await mkdir(folder, { recursive: true }).catch(failed);
  const closed = await segmentsIn(folder).catch(failed);
  let torn = 0;
  for (const segment of closed) {
    for (const line of (await readFile(segment.file, "utf8").catch(failed)).split("\n")) {
      if (line === "") continue;
      const record = recordOf(line);
      if (record === null) torn += 1;
      else {
        segment.newest = Math.max(segment.newest, record.at);
        if (record.at >= from) visit(record);
      }
    }
  }
  let current: (Segment & { readonly handle: FileHandle }) | null = null;
  let previous: Promise<void> = Promise.resolve();

  async function begin(): Promise<Segment & { readonly handle: FileHandle }> {
    for (let number = (closed.at(-1)?.number ?? 0) + 1; ; number += 1) {
      const file = join(folder, `${String(number).padStart(10, "0")}.segment`);
      try {
        return { file, number, bytes: 0, newest: 0, handle: await open(file, "ax") };
      } catch (error) {
        if (codeOf(error) !== "EEXIST") throw error; // another process began it meanwhile
      }
    }
  }

  /** Ends the segment: what comes next begins one of its own. */
  async function retire(segment: Segment & { readonly handle: FileHandle }): Promise<void> {
    current = null;
    closed.push(segment);
    await segment.handle.close().catch(() => {});
  }

  async function write(record: SpoolRecord): Promise<void> {
    // A file that somebody deleted takes what is written, and nobody will ever read it.
    if (current !== null && (current.bytes >= segmentBytes || (await current.handle.stat()).nlink === 0))
      await retire(current);
    if (current === null) {
      await mkdir(folder, { recursive: true });
      await dropOld(closed, record.at, windowMs, maxBytes);
      current = await begin();
    }
    const json = JSON.stringify(record);
    const line = `${checksum(json)} ${json}\n`;
    try {
      await current.handle.appendFile(line);
    } catch (error) {
      await retire(current); // it may hold half of the line
      throw error;
    }
    current.bytes += Buffer.byteLength(line);
    current.newest = record.at;
  }

  return {
    torn,
    append(record) {
      previous = previous.catch(() => {}).then(() => write(record).catch(failed));
      return previous;
    },
    async close() {
      await previous.catch(() => {});
      await current?.handle.close();
      current = null;
    },
  };
}

async function segmentsIn(folder: string): Promise<Segment[]> {
  const names = (await readdir(folder)).filter((name) => SEGMENT.test(name)).sort();
  return await Promise.all(
    names.map(async (name) => {
      const file = join(folder, name);
      return { file, number: Number(SEGMENT.exec(name)?.[1]), bytes: (await stat(file)).size, newest: 0 };
    }),
  );
}

/** Deletes, from the oldest on, segments that hold nothing of use, and then as many as are too much. */
async function dropOld(closed: Segment[], at: number, windowMs: number, maxBytes: number): Promise<void> {
  let total = closed.reduce((sum, { bytes }) => sum + bytes, 0);
  for (let first = closed[0]; first !== undefined; first = closed[0]) {
    if (first.newest >= at - windowMs && total <= maxBytes) return;
    const size = await stat(first.file).then(
      (info) => info.size,
      () => first.bytes,
    );
    if (size !== first.bytes) {
      // Another process still writes to it.
      total += size - first.bytes;
      first.bytes = size;
      first.newest = at;
      if (total <= maxBytes) return;
    }
    await rm(first.file, { force: true });
    total -= first.bytes;
    closed.shift();
  }
}

function recordOf(line: string): SpoolRecord | null {
  const json = line.slice(9);
  if (line[8] !== " " || line.slice(0, 8) !== checksum(json)) return null;
  const record: unknown = JSON.parse(json);
  const whole = typeof record === "object" && record !== null && "at" in record && typeof record.at === "number";
  return whole ? (record as SpoolRecord) : null;
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, "0");
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "cannot be used";
}
