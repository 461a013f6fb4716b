import { glob, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { UnshipError } from "../../../core/errors.ts";

export interface LogFile {
  readonly path: string;
  readonly changedAt: number;
}

/** Files in a folder that are taken for logs, rotated ones (`app.log.1`) included; compressed ones are not. */
const LOG_NAME = /\.(jsonl|ndjson|json|log)(\.\d+)?$/;

const COMPRESSED = /\.(gz|zst|bz2|xz)$/;

/**
 * The files that paths, folders and glob patterns name now, most recently written first. A pattern may match nothing
 * yet; a path without wildcards that is not there, or is compressed, is an error, since then nothing is known.
 */
export async function logFiles(paths: readonly string[]): Promise<readonly LogFile[]> {
  const found = new Map<string, LogFile>();
  for (const path of paths) {
    for (const file of await filesOf(path)) {
      const info = await stat(file).catch(() => null); // rotated away meanwhile
      if (info?.isFile()) found.set(file, { path: file, changedAt: info.mtimeMs });
    }
  }
  return [...found.values()].sort((a, b) => b.changedAt - a.changedAt);
}

async function filesOf(path: string): Promise<readonly string[]> {
  if (/[*?[{]/.test(path)) {
    const matching: string[] = [];
    for await (const file of glob(path)) matching.push(file);
    return matching;
  }
  const info = await stat(path).catch((cause: unknown) => {
    throw new UnshipError("source.not_found", { source: "logs", what: path }, { cause });
  });
  if (!info.isDirectory()) {
    if (COMPRESSED.test(path)) {
      const reason = "it is compressed, and no log line can be read from it; name files of plain JSON lines";
      throw new UnshipError("input.invalid", { what: path, reason });
    }
    return [path];
  }
  return (await readdir(path)).filter((name) => LOG_NAME.test(name)).map((name) => join(path, name));
}
