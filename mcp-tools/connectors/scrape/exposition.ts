/**
 * Reader of what exporters serve: Prometheus' text format 0.0.4 and OpenMetrics 1.0.
 *
 * It is lenient where Prometheus refuses the whole answer: a line that cannot be read is counted and passed over, since
 * one bad exporter library must not blind us to the rest. It never guesses a value.
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

/**
 * Calls `visit` for each sample: its series as written (`name{labels}`, fit as a map's key), where the name ends in it,
 * and its value (NaN and infinities included). `visit` answers false for a series whose labels it cannot read.
 */
export function readExposition(
  text: string,
  maxSamples: number,
  visit: (series: string, nameEnd: number, value: number) => boolean,
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
    const sample = end - from > MAX_LINE_CHARS ? null : sampleOf(text, from, end);
    if (sample !== null && visit(sample.series, sample.nameEnd, sample.value)) samples += 1;
    else invalid += 1;
  }
  return { samples, invalid, truncated: false };
}

function sampleOf(text: string, from: number, end: number) {
  let at = from;
  while (at < end && text[at] !== "{" && !isBlank(text[at])) at += 1;
  const nameEnd = at - from;
  const brace = skipBlanks(text, at, end);
  if (text[brace] === "{") {
    at = closingBrace(text, brace, end) + 1;
    if (at === 0) return null;
  }
  const valueFrom = skipBlanks(text, at, end);
  let valueTo = valueFrom;
  while (valueTo < end && !isBlank(text[valueTo])) valueTo += 1;
  const value = numberOf(text.slice(valueFrom, valueTo));
  return value === null ? null : { series: text.slice(from, at), nameEnd, value };
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
