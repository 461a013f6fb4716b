import { closed } from "../core/model/untrusted-text.ts";

/** A token at most for each three: prose and the field names of JSON weigh one a character. */
export const WEIGHT_A_TOKEN = 3;

const LOWER = 0;
const UPPER = 1;
const DIGIT = 2;
const MARK = 3;
const OTHER = 4;
const SPACE = 32;

/** Longer runs are no word that a tokenizer knows, no abbreviation, and no JSON. By kind: digits go three to a token. */
const LONGEST = [12, 2, Number.POSITIVE_INFINITY, 3];
/** So few letters between marks are seldom joined to one token with what stands beside them. */
const FEW = 4;

/**
 * How many tokens a text may take, times three, without a tokenizer: an estimate from above. Byte-pair tokenizers
 * know words and not ids, so that what is dense weighs more: beyond ASCII a token a byte (more is impossible), and a
 * token wherever digits begin or end, letters change case, or a few of them stand between marks; what runs on as no
 * word or JSON does weighs double. Held against o200k on ids, digits, marks and twenty scripts (`token-weight.test.ts`).
 */
export function tokenWeight(text: string): number {
  let weight = WEIGHT_A_TOKEN;
  let before = OTHER;
  let run = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    const kind = kindOf(code);
    if (kind === OTHER) {
      // Half of a pair is two of its four bytes.
      weight += WEIGHT_A_TOKEN * (code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3);
      run = 0;
    } else {
      run = kind === before ? run + 1 : 1;
      weight += 1 + (run > (LONGEST[kind] ?? 0) ? 1 : 0);
    }
    if (kind !== before) weight += changeWeight(before, kind, index, text);
    before = kind;
  }
  return weight;
}

function changeWeight(before: number, kind: number, index: number, text: string): number {
  if (before === DIGIT || kind === DIGIT) return 2;
  if (before <= UPPER && kind <= UPPER) return 2;
  // A mark that begins a word as JSON has it, or ends a few letters.
  if (before === MARK && kind <= UPPER && text.charCodeAt(index - 1) !== SPACE) return 2;
  if (kind === MARK && before <= UPPER && kindOf(text.charCodeAt(index - 1 - FEW)) > UPPER) return 2;
  return 0;
}

function kindOf(code: number): number {
  if (code >= 97 && code <= 122) return LOWER;
  if (code >= 65 && code <= 90) return UPPER;
  if (code >= 48 && code <= 57) return DIGIT;
  return code < 128 ? MARK : OTHER;
}

/**
 * A text cut to at most this weight (`tokenWeight`), at least 30: as it is where it fits, else its longest beginning that does,
 * its last fence closed, and "...".
 */
export function shortened(text: string, weight: number): string {
  if (tokenWeight(text) <= weight) return text;
  const cut = (length: number) =>
    `${closed(
      text
        .slice(0, length)
        .toWellFormed()
        .replace(/\ufffd$/, ""),
    )}...`;
  let fits = 0;
  for (let most = text.length; fits < most; ) {
    const middle = Math.ceil((fits + most) / 2);
    if (tokenWeight(cut(middle)) <= weight) fits = middle;
    else most = middle - 1;
  }
  return cut(fits);
}
