import type { Span } from "./span.ts";

/** A value as it stands in a text: the span is what has to be hidden. */
export interface Value extends Span {
  readonly shown: string;
  readonly quoted: boolean;
  /** It stands behind a blank, and a further word behind it, as in a sentence. */
  readonly goesOn: boolean;
}

/** Read of a value before it is known to be one that has to be hidden: bounds the work on text full of names. */
const FIRST_CHARS = 256;

/** `valueAt`, first of a part and of all of it only where `isSecret` says so of that part: null where it does not. */
export function secretAt(
  text: string,
  from: number,
  between: string,
  isSecret: (value: Value) => boolean,
): Value | null {
  const part = valueAt(text.slice(0, from + FIRST_CHARS), from, between);
  if (part === null || !isSecret(part)) return null;
  return part.end < from + FIRST_CHARS || text.length <= from + FIRST_CHARS ? part : valueAt(text, from, between);
}

const OPENING =
  /\s{0,40}(?:(?:String|str|string|text)\??\s?=\s?)?(?:[[({]{1,2}|@|\b[rbu](?=['"])){0,2}(?:(?:Bearer|Basic|Token|NTLM) )?/y;
const QUOTE = /\\{0,16}["'`]|%22|&quot;/y;
const SCHEME = /(?:Bearer|Basic|Token|NTLM)\s{1,4}/iy;

/**
 * The value that begins at `from`, behind a name and what joins them; null where there is none. Quoted at any depth of JSON
 * within JSON (the end is the same quote behind as many backslashes), or up to a blank or what ends a value in a list, a query
 * or a connection string.
 */
function valueAt(text: string, from: number, between: string): Value | null {
  OPENING.lastIndex = from;
  const opening = OPENING.exec(text)?.[0] ?? "";
  let start = from + opening.length;
  QUOTE.lastIndex = start;
  const quote = QUOTE.exec(text)?.[0];
  if (quote !== undefined) {
    start += quote.length;
    const end = endOfQuoted(text, start, quote);
    SCHEME.lastIndex = start;
    const scheme = SCHEME.exec(text)?.[0].length ?? 0;
    if (start + scheme >= end) return null;
    return made(text, start + scheme, end, true, false);
  }
  const end = between === ">" ? endBefore(text, start, /[<\n]/g) : endOfBare(text, start, between.startsWith("%"));
  return end <= start ? null : made(text, start, end, false, opening.startsWith(" "));
}

function made(text: string, start: number, end: number, quoted: boolean, apart: boolean): Value {
  return {
    start,
    end,
    shown: text.slice(start, end),
    quoted,
    goesOn: apart && /^ [a-z]{2,}(?![\w.-]*[:=])/.test(text.slice(end, end + 40)),
  };
}

/** Where the quote that opened before `start` closes; else the end of the line. */
function endOfQuoted(text: string, start: number, quote: string): number {
  const line = endBefore(text, start, /[\r\n]/g);
  const mark = quote.at(-1) ?? '"';
  const depth = quote.length - 1;
  if (mark !== '"' && mark !== "'" && mark !== "`") {
    const at = text.indexOf(quote, start);
    return at < 0 || at > line ? line : at;
  }
  let at = text.indexOf(mark, start);
  while (at >= 0 && at <= line) {
    let slashes = 0;
    while (at - slashes > start && text[at - slashes - 1] === "\\") slashes += 1;
    // A closing quote has as many backslashes as the opening one; more of them escape a quote inside.
    if (slashes <= depth) return at - slashes;
    at = text.indexOf(mark, at + 1);
  }
  return line;
}

/** A blank, a quote, or what ends a value in a list, a query or a connection string: then something follows that is no value. */
const ENDS = /[\s<"'`]|&quot;|&amp;|\\["'n]|[,;&](?=\s|$|["'\\]|[\w.$-]{1,40}\s?[=:])/g;
const ENDS_ENCODED = /[\s<"'`&]|%2[26C]|%7D|%5D/gi;

function endOfBare(text: string, start: number, encoded: boolean): number {
  let end = endBefore(text, start, encoded ? ENDS_ENCODED : ENDS);
  // A password may begin with any of the signs that separate values.
  if (end === start && /[,;&]/.test(text[end] ?? "")) end = endBefore(text, start + 1, ENDS);
  while (end > start && /[)\]}>,;.:!?\\]/.test(text[end - 1] ?? "")) end -= 1;
  return end;
}

function endBefore(text: string, start: number, stop: RegExp): number {
  stop.lastIndex = start;
  return stop.exec(text)?.index ?? text.length;
}
