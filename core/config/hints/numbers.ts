/** How people write a thousand and more. */
const MULTIPLES: Readonly<Record<string, number>> = { k: 1000, m: 1_000_000 };

/**
 * The figure that somebody wrote as a text, null where it is none: `"5"`, `"5%"` and `"1/20"` (0.05), `"0,05"`, `"60_000"`,
 * `"60k"`, and what a comment without a space before it is glued to (`"5#a day"`).
 */
export function figureOf(text: string): number | null {
  const plain = withoutComment(text).trim();
  if (plain.length > 40) return null;
  const percent = /^([-+]?\d+(?:[.,]\d+)?)\s*(?:%|percent|per cent)$/i.exec(plain)?.[1];
  if (percent !== undefined) return rounded(Number(percent.replace(",", ".")) / 100);
  const [, upper, lower] = /^(\d+)\s*\/\s*(\d+)$/.exec(plain) ?? [];
  if (upper !== undefined) return Number(lower) === 0 ? null : rounded(Number(upper) / Number(lower));
  const [, count, multiple] = /^(\d+(?:\.\d+)?)\s*([km])$/i.exec(plain) ?? [];
  if (count !== undefined) return Number(count) * (MULTIPLES[multiple?.toLowerCase() ?? ""] ?? 1);
  if (/^[-+]?\d{1,3}(?:[_' ]\d{3})+$/.test(plain)) return Number(plain.replaceAll(/[_' ]/g, ""));
  if (/^[-+]?\d+,\d{1,2}$|^[-+]?0,\d+$/.test(plain)) return Number(plain.replace(",", "."));
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(plain) ? Number(plain) : null;
}

/** 7 % is 0.07, and not 0.07000000000000001. */
const rounded = (figure: number): number => Number(figure.toPrecision(12));

/** A text without the comment that the writer meant: YAML wants a space before `#`. */
export function withoutComment(text: string): string {
  return text.replace(/(?<=[\w%"'])#.*$/s, "");
}
