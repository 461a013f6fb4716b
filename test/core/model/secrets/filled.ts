import { readFileSync } from "node:fs";
import { join } from "node:path";

const DIGITS = "0123456789";
const SMALL = "abcdefghijklmnopqrstuvwxyz";
const CAPITALS = SMALL.toUpperCase();

/** The characters of each shape in `forms.tsv`. */
const ALPHABETS: Readonly<Record<string, string>> = {
  d: DIGITS,
  h: "0123456789abcdef",
  H: "0123456789ABCDEF",
  l: SMALL,
  u: CAPITALS,
  a: SMALL + CAPITALS,
  n: DIGITS + SMALL,
  N: DIGITS + CAPITALS,
  x: DIGITS + SMALL + CAPITALS,
};

/** Numbers below 1 that look random and are the same for the same seed: the generator of Park and Miller (1988), CACM 31(10). */
export function numbers(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** `length` characters of an alphabet. */
export const drawn = (alphabet: string, length: number, next: () => number): string =>
  Array.from({ length }, () => alphabet[Math.floor(next() * alphabet.length)]).join("");

export interface Form {
  readonly seen: "first" | "later";
  readonly form: string;
  readonly source: string;
}

/** The forms of `forms.tsv`. */
export const FORMS: readonly Form[] = readFileSync(join(import.meta.dirname, "forms.tsv"), "utf8")
  .split("\n")
  .filter((row) => row !== "" && !row.startsWith("#"))
  .map((row) => {
    const [seen = "", form = "", source = ""] = row.split("\t");
    if (seen !== "first" && seen !== "later") throw new Error(`forms.tsv: a row begins with "${seen}"`);
    return { seen, form, source };
  });

/** A line of this form with new secrets, and each of them. A mixed shape of four characters or more has a digit, as in its source. */
export function filled(
  form: string,
  next: () => number,
): { readonly line: string; readonly secrets: readonly string[] } {
  const secrets: string[] = [];
  const line = form.replaceAll(/⟦([a-zA-Z])(\d+)⟧/g, (_, shape: string, length: string) => {
    const text = drawn(ALPHABETS[shape] ?? "", Number(length), next);
    const lacks = /[xnN]/.test(shape) && text.length >= 4 && !/\d/.test(text);
    const secret = lacks ? `${text.slice(0, -1)}7` : text;
    secrets.push(secret);
    return secret;
  });
  return { line, secrets };
}
