import { parseDuration } from "./durations.ts";
import { choicesAt } from "./json-schema.ts";
import type { Path } from "./yaml-tree.ts";

/** A variable that stands in a text of the file, and what it was when the file was read. */
export interface Filled {
  readonly name: string;
  readonly value: string;
}

/** The same, with the text that it became a part of, and where that stands. */
export interface FilledAt extends Filled {
  readonly path: Path;
  readonly text: string;
}

/**
 * The variables whose values may be anything, a secret too: those in texts of which the schema allows only certain words, or a
 * duration, hold none. Each once, the longest value first. `raw`: the file before variables were filled in.
 */
export function freelyFilled(all: readonly FilledAt[], raw: unknown): readonly Filled[] {
  const free = all.filter(
    ({ path, text }) => text !== "*" && parseDuration(text) === null && !choicesAt(path, raw).includes(text),
  );
  const byName = new Map(free.map(({ name, value }) => [name, value]));
  return [...byName]
    .map(([name, value]) => ({ name, value }))
    .sort((one, other) => other.value.length - one.value.length);
}

/** A value of fewer characters is told by trying; in sentences it would hide words that have nothing to do with it. */
const GUESSED_CHARS = 4;
/** A value of fewer characters is hidden only where no letter and no digit is beside it: it may be a part of another word. */
const PART_OF_WORD_CHARS = 6;

/**
 * Sentences of ours that show values of the configuration, with `${NAME}` again in the place of what came from a variable (S10):
 * of a file only its own text is known to be public.
 */
export function asWritten(text: string, values: readonly Filled[] | undefined): string {
  const hidden = (values ?? []).filter(({ value }) => value.length >= GUESSED_CHARS);
  return replaced(text, hidden, PART_OF_WORD_CHARS);
}

/** The same for one argument of a command, which is nothing but what the file says: each value is hidden wherever it stands. */
export const argumentAsWritten = (text: string, values: readonly Filled[] | undefined): string =>
  replaced(text, values ?? [], 0);

/** `asWritten` for each text of an answer in JSON, names of fields included. */
export function deepAsWritten<T>(value: T, values: readonly Filled[] | undefined): T {
  if (values === undefined) return value;
  const walk = (one: unknown): unknown => {
    if (typeof one === "string") return asWritten(one, values);
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== "object" || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [asWritten(key, values), walk(inner)]));
  };
  return walk(value) as T;
}

function replaced(text: string, values: readonly Filled[], partOfWordChars: number): string {
  // As it is, as YAML's blanks leave it, and within JSON.
  const spellings = values.flatMap(({ name, value }) =>
    [value, value.trim(), JSON.stringify(value).slice(1, -1)].flatMap((one) =>
      one === "" ? [] : [[one, name] as const],
    ),
  );
  if (!spellings.some(([one]) => text.includes(one))) return text;
  const names = new Map(spellings);
  const patterns = [...names.keys()].map((one) => {
    const literal = one.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
    return one.length >= partOfWordChars ? literal : String.raw`(?<![\p{L}\p{N}])${literal}(?![\p{L}\p{N}])`;
  });
  // One pass, so that a name that was put in is never taken for a value.
  return text.replaceAll(new RegExp(patterns.join("|"), "gu"), (one) => `\${${names.get(one)}}`);
}
