import { UnshipError } from "../../../core/errors.ts";
import type { LogLine } from "../../../core/model/evidence.ts";
import { codeOfError } from "../../../core/model/no-answer.ts";
import type { LogQuery, LogSource } from "../../../core/ports.ts";
import { linesBackwards } from "./backwards.ts";
import { type LogFile, logFiles } from "./files.ts";
import { logLineOf } from "./log-line.ts";

export interface JsonlLogsOptions {
  /** Files, folders, or glob patterns. */
  readonly paths: readonly string[];
  /** Of all files together, for one search. Default 64 MiB; what lies further back is then not searched. */
  readonly maxBytes?: number;
}

export interface JsonlLogs extends LogSource {
  search(query: LogQuery, abort: AbortSignal): Promise<LogAnswer>;
}

export interface LogAnswer {
  readonly lines: readonly LogLine[];
  /** More lines matched, or so much stood there that not all could be searched. */
  readonly more: boolean;
  /** Lines in the searched part that are no log lines. */
  readonly invalid: number;
}

const SOURCE = "logs";
const MAX_BYTES = 64 * 1024 * 1024;
/** Writers buffer, so neighbours in a file may stand in the wrong order; none is this late. */
const DISORDER_MS = 60_000;

/**
 * Log lines from files of JSON lines. Each search looks at the files as they are then, so rotation, truncation and new
 * files need no care; it reads from the ends backwards until the lines are older than what is asked for.
 */
export function createJsonlLogs({ paths, maxBytes = MAX_BYTES }: JsonlLogsOptions): JsonlLogs {
  async function search(query: LogQuery, abort: AbortSignal): Promise<LogAnswer> {
    if (!(query.limit > 0)) throw new UnshipError("input.invalid", { what: "limit", reason: "it must be above 0" });
    const files = (await logFiles(paths)).filter(({ changedAt }) => changedAt >= query.window.from - DISORDER_MS);
    const found: LogLine[] = [];
    let invalid = 0;
    let left = maxBytes;
    let more = false;
    for (const [index, file] of files.entries()) {
      // Each file gets its share of what is left, so that one noisy service cannot hide the others.
      const answer = await searchFile(file, query, left / (files.length - index), abort);
      found.push(...answer.lines);
      invalid += answer.invalid;
      left -= answer.bytes;
      more ||= answer.more;
    }
    const newest = found.sort((a, b) => b.at - a.at);
    return { lines: newest.slice(0, query.limit), more: more || newest.length > query.limit, invalid };
  }

  return { name: SOURCE, search };
}

async function searchFile(file: LogFile, query: LogQuery, budget: number, abort: AbortSignal) {
  const lines: LogLine[] = [];
  let invalid = 0;
  let bytes = 0;
  const fits = matcher(query);
  try {
    for await (const { text, bytes: size, open } of linesBackwards(file.path)) {
      if (abort.aborted)
        throw new UnshipError("source.unavailable", {
          source: SOURCE,
          because: "aborted",
          reason: "the question was given up",
        });
      bytes += size;
      if (bytes > budget) return { lines, invalid, bytes, more: true };
      const line = text === null ? null : logLineOf(text);
      if (line === null) invalid += open ? 0 : 1;
      else if (line.at < query.window.from - DISORDER_MS) break;
      else if (fits(line)) lines.push(line);
      // A few more than asked for: neighbours may stand in the wrong order.
      if (lines.length >= 2 * query.limit + 100) return { lines, invalid, bytes, more: true };
    }
  } catch (cause) {
    if (cause instanceof UnshipError) throw cause;
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT")
      return { lines, invalid, bytes, more: false };
    throw new UnshipError(
      "source.unavailable",
      {
        source: SOURCE,
        because: "unreadable",
        reason: `${file.path} cannot be read (${codeOfError(cause) || "unknown"})`,
      },
      { cause },
    );
  }
  return { lines, invalid, bytes, more: false };
}

function matcher({ window, services, levels, text }: LogQuery): (line: LogLine) => boolean {
  const needle = text?.toLowerCase();
  return (line) =>
    line.at >= window.from &&
    line.at <= window.to &&
    (services === undefined || services.length === 0 || services.includes(line.service)) &&
    (levels === undefined || levels.length === 0 || levels.includes(line.level)) &&
    (needle === undefined || line.message.toLowerCase().includes(needle));
}
