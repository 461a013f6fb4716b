import { isAbsent, isHexOrUuid, isIdentifier, isName, isNoValue, isOpaque, isRandom } from "./looks.ts";
import { kindOfName, type NameKind } from "./names.ts";
import type { Span } from "./span.ts";
import { secretAt, type Value } from "./values.ts";

/** What stands between a name and its value, in configuration, code, JSON, logs, queries, XML and percent-encoded text. */
const BETWEEN = /=>|:=|[!=]==?|->|[=:(>]|%3[AD]|(?:,|\?\?|\|\|| or)(?= ?["'])/gi;
/** No name is longer; what is longer is no name. */
const NAME_CHARS = 64;

/**
 * Values behind a name that says what they are: `DB_PASS=…`, `"token": "…"` at any depth of JSON within JSON, `pass: …`,
 * `--password=…`, `?sig=…`, `<password>…</password>`, `PASSWORD('…')`.
 */
export function assigned(text: string): readonly Span[] {
  const found: Span[] = [];
  let until = 0;
  for (const { index, 0: between } of text.matchAll(BETWEEN)) {
    // Inside a value that is hidden already.
    if (index < until) continue;
    const named = nameBefore(text, index, between);
    if (named === null) continue;
    const value = secretAt(text, index + between.length, between, (one) => isSecret(named, one, between));
    if (value === null || (between === "," && IS_NAME.test(text.slice(value.end, value.end + 24)))) continue;
    found.push({ start: value.start, end: value.end });
    until = value.end;
    // "password: X => Y": what it became is one too.
    const becomes = BECOMES.exec(text.slice(value.end, value.end + 24))?.[0].length;
    if (becomes === undefined) continue;
    const next = secretAt(text, value.end + becomes, "=", (one) => !isNoValue(one.shown));
    if (next === null) continue;
    found.push({ start: next.start, end: next.end });
    until = next.end;
  }
  return found;
}

/** Behind a value that is none, but the name of the next field. */
const IS_NAME = /^\\{0,16}["'`]\s{0,4}[:=]/;
/** Behind a value that is changed into another one: plans of Terraform, diffs. */
const BECOMES = /^\\{0,16}["'`]?\s{0,4}(?:=>|->|→|⇒)/;

interface Named {
  readonly kind: NameKind;
  readonly name: string;
  /** It stands in the query of an address. */
  readonly inQuery: boolean;
  /** Words stand before it, as in a sentence, or a scope: `production/token: restored revision 2`. */
  readonly inSentence: boolean;
}

const NAME = /[\w.$-]/;
/** An absolute path, or one from here or home, up to its last part; no longer than a line of a log would have it. */
const PATH_BEFORE = /(?:^|[\s'"(=:])(?:~|\.{1,2})?\/(?:[\w.@~-]+\/)*$/;
const PATH_CHARS = 256;
/** What stands before the last name in an id of ours: a kind, a scope, and further names. */
const OBJECT_BEFORE = /(?:^|[^\w.-])[a-z]{4,20}:(?:[\w.@-]+\/)+(?:[\w.@-]+:)*$/;
const PORT = /^:\d{1,5}(?![\w@%.-])/;
/** A tag of an image or a release behind a name and a colon without a blank: `auth:v1.2.0`, `auth:sha-4f2a91c`. */
const TAG = /^(?:v?\d+(?:\.\d+){1,3}(?:[-+][\w.-]+)?|sha-[0-9a-f]{7,40}|latest)$/;
const SLASHED = /\bP\/W$/i;

/** The name that ends before `at`; null where none does that names anything secret. */
function nameBefore(text: string, at: number, between: string): Named | null {
  let end = at;
  while (end > 0 && at - end < 40 && text[end - 1] === " ") end -= 1;
  // `secret[25] =`, `GET["token"] =`
  const bracket = /(?:\[\d{0,6}\])$/.exec(text.slice(Math.max(0, end - 8), end));
  if (bracket !== null) end -= bracket[0].length;
  const quote = /(?:\\*["'`\])]{1,2}|%22|&quot;)$/.exec(text.slice(Math.max(0, end - 12), end));
  if (quote !== null) end -= quote[0].length;
  let start = end;
  while (start > 0 && end - start <= NAME_CHARS && NAME.test(text[start - 1] ?? "")) start -= 1;
  let name = text.slice(start, end);
  // Percent-encoded text before a name is no part of it.
  const encoded = /(?:.*%[0-9A-F]{2}|^(?:22|26|3F|7B))(?=[A-Za-z_])/i.exec(name);
  if (encoded !== null && text[start - 1] === "%") name = name.slice(encoded[0].length);
  if (SLASHED.test(text.slice(Math.max(0, end - 4), end))) name = "pw";
  if (name === "" || end - start > NAME_CHARS) return null;
  if (between === ">" && text[start - 1] !== "<") return null;
  // The last part of an image's name, with its tag.
  if (between === ":" && quote === null && /[\w-][./][\w./-]*\/$/.test(text.slice(Math.max(0, start - 40), start)))
    return null;
  // A change or an object by its id, `deploy:production/auth:auth-57f876648b:3`, and the host of an address with its port.
  if (between === ":" && quote === null && OBJECT_BEFORE.test(text.slice(Math.max(0, start - PATH_CHARS), start)))
    return null;
  if (
    between === ":" &&
    PORT.test(text.slice(at, at + 8)) &&
    /:\/\/[\w.-]*$/.test(text.slice(Math.max(0, start - 40), end))
  )
    return null;
  // The last part of the path of a file, with what is wrong with it: "/var/run/token: ENOENT".
  if (between === ":" && quote === null && PATH_BEFORE.test(text.slice(Math.max(0, start - PATH_CHARS), start)))
    return null;
  const word = /([A-Za-z]{2,20})[ ]$/.exec(text.slice(Math.max(0, start - 21), start))?.[1];
  let kind = kindOfName(name);
  // "secret key: …", "API Secret: …", "verification code: …"
  if (word !== undefined && (kind === "none" || kind === "key" || kind === "maybe")) {
    const both = kindOfName(`${word} ${name}`);
    if (/^(?:key|keys|code|string|P?IN)$/i.test(name)) kind = both;
  }
  if (kind === "none") return null;
  const before = text[start - 1] ?? "";
  const inQuery = before === "?" || before === "&" || (before === ";" && text[start - 2] === "p") || encoded !== null;
  const inSentence = word !== undefined && /^[a-z]+$/.test(word) && /^[a-z]+$/.test(name);
  return { kind, name, inQuery, inSentence: inSentence || before === "/" };
}

function isSecret(named: Named, value: Value, between: string): boolean {
  const { shown } = value;
  // What stands in quotes or behind an equals sign is a value, whatever word it is.
  if (value.quoted || between === "=" ? isAbsent(shown) : isNoValue(shown)) return false;
  if (between === ":" && !value.quoted && TAG.test(shown)) return false;
  // A call or a type in code: `getToken(request)`, `password(string)`.
  if ((between === "(" || between === "->") && !value.quoted && (!isOpaque(shown) || isIdentifier(shown))) return false;
  if (/^(?:,|\?\?|\|\|| or)$/.test(between) && (!value.quoted || !/^[A-Z][A-Z\d_]+$/.test(named.name))) return false;
  switch (named.kind) {
    case "secret":
      // "invalid token: signature is …", "pass: 12", "secret: db-credentials"
      if (value.quoted) return true;
      if (/^\d{1,3}%?$/.test(shown)) return false;
      return !(between === ":" && named.inSentence && value.goesOn && /^[A-Za-z]{2,20}$/.test(shown));
    case "key":
      // "key" alone may be that of a cache, and then an id; a key of something that is no data is not.
      if (!named.inQuery && (isName(shown) || (isIdentifier(shown) && /^keys?$/i.test(named.name)))) return false;
      if (named.inQuery) return shown.length >= 8 && (isOpaque(shown) || /^[\d-]{16,}$/.test(shown));
      return isRandom(shown) || longRun(shown) || (isHexOrUuid(shown) && shown.length >= 32 && !/^\d+$/.test(shown));
    case "code":
      return /^[0-9][0-9 -]{3,10}$/.test(shown) || isOpaque(shown);
    case "maybe":
      return shown.length >= 6 && (isOpaque(shown) || /^\d{6,}$/.test(shown)) && !/^https?:/.test(shown);
    default:
      return false;
  }
}

/** Twenty letters and digits or more that are no words joined. */
const longRun = (value: string): boolean =>
  (/[A-Za-z]/.test(value) && /\d/.test(value) && value.length >= 14 && !/[-.:/]/.test(value)) ||
  /^(?:[a-z]{20,}|[A-Z]{20,})$/.test(value);
