/** What a value looks like, so that a word in a sentence is told from a secret, and a secret from an identifier. Pure. */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEX = /^(?:[0-9a-f]+|[0-9A-F]+)$/;
/** RFC 1123 label or several of them: pods, nodes, services, Secrets as Kubernetes names them. */
const KUBERNETES_NAME = /^[a-z][a-z0-9]*(?:[-.][a-z0-9]+)+$/;

/** What stands where a value would, and says that none is there: variables, templates, and values already hidden. */
const PLACEHOLDER =
  /^(?:\$[\w({]|\$\$|\{\{?[^}]*\}?\}?$|<[^>]*>?$|%[sdvq]$|%[A-Z_]+%$|\*+$|x{3,}$|\.{3}|\[?redacted(?: [\w ]{1,20})?\]?[^\p{L}\p{N}]{0,4}$|!Ref\b|process\.env|os\.|getenv|ENV\[)/iu;

/** Words that say how a password or token is, where it would otherwise be its value ("token: expired", "password is required"). */
const STATES: ReadonlySet<string> = new Set(
  `a accepted an and authentication authorization bad been bearer cannot change changed check configured context could created
  decode deleted denied disabled does empty enabled error exceeded exists expected expire expired expires failed failure false
  found has have header if illegal in incorrect input invalid is issued length lookup malformed manager mismatch missing must
  nil no none not null of off ok on or parse permission policy provided read refresh rejected renewed request required reset
  resolved retry returned revoked rotated rotation session signature stale stored strength the timeout to too true unauthorized
  undefined unexpected unknown unset update updated validation valid validated verification verified was when will with wrong
  yes`.split(/\s+/),
);

/** Values that say that there is none. */
const ABSENT = /^(?:true|false|null|nil|none|undefined|yes|no|unset|empty|missing|n\/a)$/i;

/** Nothing that a secret could be: empty, a template, or a word for nothing. */
export const isAbsent = (value: string): boolean => value === "" || PLACEHOLDER.test(value) || ABSENT.test(value);

/** The same in a sentence, where it may also be a word about a secret. */
export const isNoValue = (value: string): boolean =>
  isAbsent(value) || STATES.has(value.toLowerCase().replace(/[.,:;!]+$/, ""));

/** A word as names of services have them, with a number or a letter behind it: "gateway", "v2", "k8s", "API", "Proxy01", "7". */
const WORD = /^(?:[A-Z]?[a-z]{0,20}|[A-Z]{1,20})\d{0,4}[a-z]?$/;
/** No word of five letters or more lacks a vowel, or has five consonants in a row. */
const UNSPEAKABLE = /^[^aeiouy\d]{5,}\d*$|[b-df-hj-np-tv-xz]{5}/i;

/** No name is longer: a label of RFC 1123. */
const NAME_CHARS = 63;

/** Words and small numbers that are joined by signs, as people name what they run; a random generator hardly ever writes one. */
export const isJoinedName = (value: string): boolean =>
  value.length <= NAME_CHARS &&
  /[-_.]/.test(value) &&
  value.split(/[-_.]+/).every((part) => WORD.test(part) && !UNSPEAKABLE.test(part));

/** A line of a source file, as a stack trace has it. */
const SOURCE_LINE = /^[\w$]+\.\w{1,6}:\d+\)*$/;

/** Names joined as Kubernetes joins them, or a line of a source file. */
export const isName = (value: string): boolean => KUBERNETES_NAME.test(value) || SOURCE_LINE.test(value);

/** A name or an identifier by its form: one of these names, or a UUID. */
export const isIdentifier = (value: string): boolean => UUID.test(value) || isName(value);

/** Digits alone, hexadecimal alone, or a UUID: digests, commits, traces and counters are no other than keys by their looks. */
export const isHexOrUuid = (value: string): boolean => UUID.test(value) || HEX.test(value);

/** No word of a language: letters mixed with digits, with signs, or with capitals inside. `value`: six characters at least. */
export function isOpaque(value: string): boolean {
  if (value.length < 6) return false;
  const letters = /[A-Za-z]/.test(value);
  if (letters && /\d/.test(value)) return true;
  if (letters && /[!#$%^&*@~?+=]/.test(value)) return true;
  return /[a-z][A-Z]/.test(value) && !/^(?:[A-Z]?[a-z]{2,}){1,6}$/.test(value);
}

/** Of random letters and digits, so many neighbours at least are of another class (capital, small, digit). */
const CHANGES_AT_LEAST = 0.4;

/**
 * Made by a random generator: 20 characters or more of base64 or base64url with small letters, capitals and digits, changing
 * between the three often.
 *
 * For uniform base62, two neighbours are of one class with probability 2·(26/62)² + (10/62)² = 0.38, so that 0.62 of them
 * change, with a standard deviation of 0.11 at 20 characters: 0.4 is two of these below. Names in camel case change twice a
 * word: 0.3 at words of six letters.
 */
export function isRandom(value: string): boolean {
  if (value.length < 20 || !/[a-z]/.test(value) || !/[A-Z]/.test(value) || !/\d.*\d/.test(value)) return false;
  let changes = 0;
  let pairs = 0;
  let before = 0;
  for (let index = 0; index < value.length; index += 1) {
    const kind = classOf(value.charCodeAt(index));
    if (kind !== 0 && before !== 0) {
      pairs += 1;
      if (kind !== before) changes += 1;
    }
    before = kind;
  }
  return pairs >= 16 && changes >= CHANGES_AT_LEAST * pairs;
}

/** 1: digit, 2: capital, 3: small letter, 0: anything else. */
function classOf(code: number): 0 | 1 | 2 | 3 {
  if (code >= 48 && code <= 57) return 1;
  if (code >= 65 && code <= 90) return 2;
  return code >= 97 && code <= 122 ? 3 : 0;
}
