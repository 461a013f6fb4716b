/** A part of a text, from `start` up to but not including `end`, counted as JavaScript counts (UTF-16 units). */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** What it is, where its form says so: it stands in its place. */
  readonly what?: string;
}

/** Finds what must not be shown in a text. Costs at most a constant times the text's length, whatever the text. */
export type Finder = (text: string) => readonly Span[];

/** The spans of one capture group (by default the whole match) of each match. `pattern` is global and has the flag `d`. */
export function spansOf(text: string, pattern: RegExp, group = 0, what?: string): readonly Span[] {
  const found: Span[] = [];
  for (const { indices } of text.matchAll(pattern)) {
    const at = indices?.[group];
    if (at !== undefined && at[1] > at[0]) {
      found.push({ start: at[0], end: at[1], ...(what === undefined ? {} : { what }) });
    }
  }
  return found;
}
