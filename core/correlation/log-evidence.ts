import type { LogLine } from "../model/evidence.ts";
import type { Onset } from "../model/finding.ts";

/** An error message, less what changes from line to line, that was not seen before the trouble. */
export interface NewSignature {
  readonly service: string;
  readonly template: string;
  readonly count: number;
  readonly firstAt: number;
  /** How many lines each version wrote; lines without a version are not in it. */
  readonly versions: ReadonlyMap<string, number>;
  /** Other services or externals that the text names: whoever complains of another is seldom where it starts. */
  readonly names: readonly string[];
}

/**
 * The constant part of a log message: numbers, identifiers, addresses and quoted text become "#".
 * @see He et al. (2017), "Drain", ICWS: masking of variables comes before any tree
 */
export function templateOf(message: string): string {
  return message
    .replaceAll(/"[^"]*"|'[^']*'/g, "#")
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f-]{20,}\b/gi, "#")
    .replaceAll(/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,}\b/gi, "#")
    .replaceAll(/\d+(?:[.:,]\d+)*/g, "#")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, 200);
}

/** At least so many lines make a signature: one line is an accident. */
const LEAST_LINES = 2;

/** Error signatures that began with the trouble. `known`: names of services and externals. */
export function newSignatures(
  logs: readonly LogLine[],
  onset: Onset,
  slackMs: number,
  known: ReadonlySet<string>,
): readonly NewSignature[] {
  const old = new Set<string>();
  const fresh = new Map<string, LogLine[]>();
  for (const line of logs) {
    const template = templateOf(line.message);
    if (line.at < onset.earliest - slackMs) {
      old.add(template);
      continue;
    }
    if (line.level !== "error" && line.level !== "fatal") continue;
    const key = `${line.service}\n${template}`;
    const lines = fresh.get(key);
    if (lines === undefined) fresh.set(key, [line]);
    else lines.push(line);
  }
  const found: NewSignature[] = [];
  for (const [key, lines] of fresh) {
    const [service = "", template = ""] = key.split("\n");
    if (old.has(template) || lines.length < LEAST_LINES) continue;
    const versions = new Map<string, number>();
    for (const { version } of lines) if (version !== undefined) versions.set(version, (versions.get(version) ?? 0) + 1);
    const words = new Set(lines.flatMap(({ message }) => message.split(/[^A-Za-z0-9_-]+/)));
    const names = [...known].filter((name) => name !== service && words.has(name));
    const firstAt = Math.min(...lines.map(({ at }) => at));
    found.push({ service, template, count: lines.length, firstAt, versions, names });
  }
  return found.sort((a, b) => a.firstAt - b.firstAt || (a.service < b.service ? -1 : 1));
}
