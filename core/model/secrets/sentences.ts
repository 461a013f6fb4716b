import { isName, isNoValue, isOpaque } from "./looks.ts";
import { kindOfName } from "./names.ts";
import type { Span } from "./span.ts";

const WORDS =
  "passwords?|secrete|passwd|passphrase|passcode|pass|pwd|pw|paasword|passowrd|pin|secret(?: access)?(?: key)?|(?:secret|access|api|private)[- _]?key|token|credentials?|otp|(?:verification|security|confirmation|login|one-time) code";
const VALUE = String.raw`\\?["'(\x60]?([^\s"'\x60<]{4,400})`;

/** "the password is X", "password for dana is X", "your verification code: X", "PW for X was set to X". */
const IS = new RegExp(
  String.raw`\b(?:[\w-]{0,20}[_-])?(?:${WORDS})(?: (?:for|of|in|to) [\w.@/-]{1,40})?(?: now)?(?: \W{1,3})? (?:is|was|are|=|set to|changed to):? ${VALUE}`,
  "dgi",
);
/** "token X", "ENV DRONE_TOKEN X", "PASSWORD(X)": nothing between the name and a value that is no word. */
const NEXT_TO = new RegExp(
  String.raw`(?<![\w.$-])([\w.-]{0,40}?(?:${WORDS}))(?:[ (\t]|\\t){1,12}(?:[\w]{1,12} )?${VALUE}`,
  "dgi",
);
/** "X is the password". */
const REVERSED = new RegExp(String.raw`(?<!\S)(\S{6,80}) is the (?:${WORDS})\b`, "dgi");
/** "bearer X", "basic X", "token X" as RFC 6750 and RFC 7617 have them. */
const SCHEMES = /\b(?:bearer|basic|ntlm|negotiate)\s{1,4}["']?([\w.~+/=|-]{6,})/dgi;
/** CREATE USER … IDENTIFIED BY X (MySQL, Oracle), PASSWORD 'X' (PostgreSQL, SQL Server). */
const SQL = [
  /\bidentified\s{1,4}(?:with\s{1,4}\S{1,40}\s{1,4})?(?:by|as)\s{1,4}(?:password\s{1,4})?\\?["']?([^\s"'\\;)]{2,400})/dgi,
  /\b(?:encrypted|login|with)?\s{0,4}password\s{1,4}(?:=\s{0,4})?\\?["']([^"'\\\r\n]{2,400})/dgi,
  /\b(?:login|encrypted|with)\s{1,4}password\s{1,4}([^\s"';]{4,400})/dgi,
];
/** `"X" == password`. */
const COMPARED = /(["'])([^"'\r\n]{3,200})\1\s{0,4}[!=]==?\s{0,4}([\w.]{2,64})/dg;

const NAMED =
  /pass|passw|paasw|pwd|pw\b|pin\b|secret|token|key|credential|otp|code\b|bearer|basic|ntlm|negotiate|identified/i;

/** Secrets in sentences, in SQL and in comparisons. */
export function said(text: string): readonly Span[] {
  if (!NAMED.test(text)) return [];
  const found: Span[] = [];
  const take = (at: readonly [number, number] | undefined, accept: (value: string) => boolean): void => {
    if (at === undefined) return;
    const value = text.slice(at[0], at[1]).replace(/[.,:;!?)\]}'"]+$/, "");
    if (!isNoValue(value) && accept(value)) found.push({ start: at[0], end: at[0] + value.length });
  };
  for (const { indices } of text.matchAll(IS)) {
    const quoted = /["'\x60]/.test(text[(indices?.[1]?.[0] ?? 0) - 1] ?? "");
    take(indices?.[1], (one) => quoted || isOpaque(one) || /^\d{4,}$/.test(one));
  }
  for (const { indices } of text.matchAll(NEXT_TO))
    take(indices?.[2], (one) => isOpaque(one) && one.length >= 8 && !isName(one) && !/^[\w.]+\(/.test(one));
  for (const { indices } of text.matchAll(REVERSED)) take(indices?.[1], isOpaque);
  for (const { indices } of text.matchAll(SCHEMES))
    take(indices?.[1], (one) => /\d/.test(one) || /[a-z][A-Z]/.test(one));
  for (const pattern of SQL)
    for (const { indices } of text.matchAll(pattern)) take(indices?.[1], (one) => !/^[A-Z]+$/.test(one));
  for (const { indices, 3: name } of text.matchAll(COMPARED))
    take(indices?.[2], () => kindOfName(name ?? "") === "secret");
  return found;
}
