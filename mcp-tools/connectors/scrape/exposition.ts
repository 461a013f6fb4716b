/**
 * Reader of what exporters serve: Prometheus' text format 0.0.4 and OpenMetrics 1.0.
 *
 * It is lenient where Prometheus refuses the whole answer: a line that cannot be read is counted and passed over, since
 * one bad exporter library must not blind us to the rest; whose sample it would have been is said, for that one is unknown. It
 * never guesses a value.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 * @see https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */

/** No sane sample is longer; a longer line is counted as invalid. */
const MAX_LINE_CHARS = 65_536;

export interface ExpositionCount {
  readonly samples: number;
  /** Lines that could not be read. */
  readonly invalid: number;
  /** More samples than `maxSamples` stood there; the rest was not read. */
  readonly truncated: boolean;
}

/** A line that could not be read: the name that it begins with, and its series where that much of it is whole; else null. */
export type Unreadable = (name: string, series: string | null) => void;

/**
 * Calls `visit` for each sample: its series as written (`name{labels}`, fit as a map's key), where the name ends in it,
 * and its value (NaN and infinities included). `visit` answers false for a series whose labels it cannot read.
 * `unreadable` hears of each other line: whatever it would have said is unknown, and not absent.
 */
export function readExposition(
  text: string,
  maxSamples: number,
  visit: (series: string, nameEnd: number, value: number) => boolean,
  unreadable: Unreadable = () => {},
): ExpositionCount {
  let samples = 0;
  let invalid = 0;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    const from = skipBlanks(text, at, end);
    at = end + 1;
    if (from === end || text[from] === "\r") continue;
    if (text[from] === "#") {
      if (text.startsWith("# EOF", from)) break;
      continue;
    }
    if (samples >= maxSamples) return { samples, invalid, truncated: true };
    const { series, nameEnd, value } = sampleOf(text, from, end);
    if (series !== null && value !== null && visit(series, nameEnd, value)) samples += 1;
    else {
      invalid += 1;
      unreadable(text.slice(from, from + nameEnd), value === null ? series : null);
    }
  }
  return { samples, invalid, truncated: false };
}

interface Line {
  readonly nameEnd: number;
  /** Null where its labels have no end. */
  readonly series: string | null;
  /** Null where it is no number. */
  readonly value: number | null;
}

function sampleOf(text: string, from: number, end: number): Line {
  const isLong = end - from > MAX_LINE_CHARS;
  const last = isLong ? from + MAX_LINE_CHARS : end;
  let at = from;
  while (at < last && text[at] !== "{" && !isBlank(text[at])) at += 1;
  const nameEnd = at - from;
  if (isLong) return { nameEnd, series: null, value: null };
  const brace = skipBlanks(text, at, end);
  if (text[brace] === "{") {
    at = closingBrace(text, brace, end) + 1;
    if (at === 0) return { nameEnd, series: null, value: null };
  }
  const valueFrom = skipBlanks(text, at, end);
  let valueTo = valueFrom;
  while (valueTo < end && !isBlank(text[valueTo])) valueTo += 1;
  return { nameEnd, series: text.slice(from, at), value: numberOf(text.slice(valueFrom, valueTo)) };
}

function closingBrace(text: string, brace: number, end: number): number {
  let quoted = false;
  for (let at = brace + 1; at < end; at += 1) {
    const char = text[at];
    if (quoted && char === "\\") at += 1;
    else if (char === '"') quoted = !quoted;
    else if (char === "}" && !quoted) return at;
  }
  return -1;
}

/** A float as the formats write it; null where it is none. */
export function numberOf(text: string): number | null {
  if (/^[+-]?(inf|infinity)$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : null;
}

/** Name and labels of a series as written; null where they do not follow the format. Quoted UTF-8 names included. */
export function labelsOf(
  series: string,
): { readonly name: string; readonly labels: ReadonlyMap<string, string> } | null {
  const brace = series.indexOf("{");
  if (brace < 0) return { name: series, labels: new Map() };
  let name = series.slice(0, brace).trim();
  const labels = new Map<string, string>();
  const inner = series.slice(brace + 1, -1);
  const pattern = /\s*(?:([a-zA-Z_:][\w:.]*)|"((?:[^"\\]|\\.)*)")\s*(?:=\s*"((?:[^"\\]|\\.)*)"\s*)?(?:,|$)/gy;
  while (pattern.lastIndex < inner.length && inner.slice(pattern.lastIndex).trim() !== "") {
    const found = pattern.exec(inner);
    if (found === null) return null;
    const [, plain, quoted, value] = found;
    if (value !== undefined) labels.set(plain ?? unescaped(quoted ?? ""), unescaped(value));
    else if (quoted !== undefined && name === "") name = unescaped(quoted);
    else return null;
  }
  return name === "" ? null : { name, labels };
}

function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replaceAll(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
}

function skipBlanks(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && isBlank(text[at])) at += 1;
  return at;
}

function isBlank(char: string | undefined): boolean {
  return char === " " || char === "\t" || char === "\r";
}
