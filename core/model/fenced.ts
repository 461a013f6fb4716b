/**
 * Text that is fit to be shown to a model: unship's own words, in which each part from outside stands between « and » or
 * looks like a name (S11). It is a type of its own, so that a plain string does not compile where it is shown: `quote` and
 * `name` make it of outside text, `own` of our words around such parts. Everywhere else it is a string like any other.
 */
export type Fenced = string & { readonly [FENCED]: true };
declare const FENCED: unique symbol;

/** What may stand in a sentence of ours as it is: fenced text, figures, and words that the source code spells out. */
type Part<T> = T extends number | Fenced ? T : T extends string ? (string extends T ? never : T) : never;

/**
 * A sentence of ours: own`${name(service)} was rolled back`. A part that is a plain string does not compile.
 */
export function own<const T extends readonly unknown[]>(
  words: TemplateStringsArray,
  ...parts: { readonly [K in keyof T]: Part<T[K]> }
): Fenced {
  return String.raw({ raw: words }, ...parts) as Fenced;
}

/** Several in one, with words of ours between them. */
export const joined = (parts: readonly Fenced[], between: ", " | "; " | " and " | " " | ","): Fenced =>
  parts.join(between) as Fenced;

/**
 * Text that unship itself made of parts that are known to be fenced, or that the people who run it wrote into its file.
 * Nobody checks that: whoever calls it says so.
 */
export const ours = (text: string): Fenced => text as Fenced;

/** Fenced text that may have been cut within its last fence: that is closed again. */
export const wholeFence = (text: string): Fenced =>
  ours(text.lastIndexOf("«") > text.lastIndexOf("»") ? `${text}»` : text);

/** The same value, each text of which is fenced; words that the source code spells out stay as they are. */
export type AllFenced<T> = T extends string
  ? string extends T
    ? Fenced
    : T
  : T extends number | boolean | null | undefined
    ? T
    : T extends readonly unknown[]
      ? { [K in keyof T]: AllFenced<T[K]> }
      : T extends object
        ? { [K in keyof T]: AllFenced<T[K]> }
        : T;
