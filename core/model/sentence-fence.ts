import { type AllFenced, type Fenced, ours, wholeFence } from "./fenced.ts";
import { cleanText, name, quote, unmarked } from "./untrusted-text.ts";

/**
 * Sentences that the core put together name services, versions and changes as others spelled them, and quote log signatures and
 * commit messages between `"`. Here they get the fence of all outside text (S11). Pure.
 */

/** Fields that hold such sentences, in every answer and record of ours. */
export const SENTENCES: ReadonlySet<string> = new Set([
  "sentence",
  "sentences",
  "because",
  "why",
  "needsPerson",
  "obstacles",
  "unknown",
  "widened",
  "whyNoRollback",
  "mitigation",
  "check",
  "unverified",
  "unheard",
  "reason",
  "event",
  "said",
]);

/** A shorter name says nothing, and may be any syllable of a sentence. */
const TELLING = 4;

/** Longest sentence that is shown; no sentence of ours needs more. */
const SENTENCE_CHARS = 2_000;

export interface SentenceFence {
  /** A sentence of ours, what it names and quotes from outside fenced. What is fenced already stays so. */
  readonly sentence: (text: string, maxLength?: number) => Fenced;
  /** The fence of each name that does not look like one, by that name. */
  readonly fenced: ReadonlyMap<string, Fenced>;
}

/** `names`: all that the sentences may repeat from outside, as others spelled it. */
export function sentenceFence(names: Iterable<string>): SentenceFence {
  const odd = [...new Set(names)].filter((one) => one !== "" && name(one) !== one);
  const fenced = new Map(odd.map((one) => [one, quote(one, 200)]));
  // The longest first: a name may hold another one.
  const telling = odd.filter((one) => one.length >= TELLING).toSorted((a, b) => b.length - a.length);
  return {
    fenced,
    sentence(text, maxLength = SENTENCE_CHARS) {
      if (!telling.some((one) => text.includes(one)) && !/["«»]/.test(text)) return ours(cleanText(text, maxLength));
      const marked = text.replaceAll(patternFor(telling.filter((one) => text.includes(one))), (found) => {
        const known = fenced.get(found);
        if (known !== undefined) return known;
        if (found.length > 1 && found.startsWith('"')) return `«${onOneLine(unmarked(found.slice(1, -1)))}»`;
        return found.length > 1 ? onOneLine(found) : unmarked(found);
      });
      return wholeFence(cleanText(marked, maxLength));
    },
  };
}

/** What stands between the marks is one line, whatever ends a line in Unicode: a record may hold a fence as it was made. */
const onOneLine = (fenced: string): string => fenced.replaceAll(/\s+/g, " ");

/**
 * What is to be found in a sentence: odd names, one quotation, fences, stray marks. A quotation ends at the last `"` of its
 * sentence: whoever is quoted may have written some of those between.
 */
function patternFor(names: readonly string[]): RegExp {
  const literal = names.map((one) => one.replaceAll(/[^\p{L}\p{N}\s]/gu, "\\$&"));
  return new RegExp([...literal, '"[^]*"', "«[^«»]*»", "[«»]"].join("|"), "g");
}

/** Every text of a record that is no sentence of ours: what its sentences may repeat from outside. `own`: fields to leave out. */
export function namesIn(value: unknown, own: ReadonlySet<string> = new Set()): readonly string[] {
  const found: string[] = [];
  collect(value, "");
  return found;

  function collect(one: unknown, key: string): void {
    if (typeof one === "string") found.push(one);
    else if (Array.isArray(one)) for (const item of one) collect(item, key);
    else if (one !== null && typeof one === "object") {
      for (const [field, item] of Object.entries(one)) {
        if (SENTENCES.has(field) || own.has(field)) continue;
        if (!/^[a-zA-Z]+$/.test(field)) found.push(field);
        collect(item, field);
      }
    }
  }
}

/** Fields that hold outside text as it is: paths and log signatures. */
const OUTSIDE = new Set(["suspects"]);

/** Fields of a record that hold what executors, peers and people said, whole. */
export const SAID: ReadonlySet<string> = new Set(["detail", "warnings", "message", "author"]);

const FENCED = /^«[^«»]*»$/;

/** The fence around what the core's answers and records hold from outside, and back again. */
export interface AnswerFence {
  /**
   * An answer of the core on its way to a caller: what its sentences quote (a log signature, a commit message) gets
   * the fence of all outside text, and so does every name that does not look like one, wherever it stands. No name can
   * carry the fence's own marks (S11). What is fenced already stays so.
   */
  fence<T>(answer: T): AllFenced<T>;
  /** One sentence of ours about this evidence, fenced in the same way. */
  sentence(text: string, maxLength?: number): Fenced;
  /** An answer that a caller gives back: the names that `fence` fenced are themselves again. */
  unfence<T>(answer: T): T;
}

/** `names`: as for `sentenceFence`. `other`: what becomes of a text that is neither a sentence nor one of them. */
export function fenceFor(names: readonly string[], other: (text: string, key: string) => string): AnswerFence {
  const { sentence, fenced } = sentenceFence(names);
  const back = new Map([...fenced].map(([plain, marked]) => [marked as string, plain]));
  const one = (text: string, key: string): string => {
    if (SAID.has(key)) return quote(text, 600);
    if (OUTSIDE.has(key)) return FENCED.test(text) ? text : name(text);
    if (SENTENCES.has(key)) return sentence(text);
    // A name that was fenced before and came back stays so.
    return fenced.get(text) ?? (back.has(text) ? text : other(text, key));
  };
  return {
    fence: <T>(answer: T) => walked(answer, one, "") as AllFenced<T>,
    sentence,
    unfence: (answer) => walked(answer, (text) => back.get(text) ?? text, "") as typeof answer,
  };
}

function walked(value: unknown, text: (text: string, key: string) => string, key: string): unknown {
  if (typeof value === "string") return text(value, key);
  if (Array.isArray(value)) return value.map((one) => walked(one, text, key));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, walked(one, text, field)]));
}
