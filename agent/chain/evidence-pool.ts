/** All that the tools said in one step, ready to look claims up in. */
export interface EvidencePool {
  readonly strings: ReadonlySet<string>;
  /** Every string once more, joined, for words that stand inside sentences. */
  readonly text: string;
  /** What the tools measured. */
  readonly numbers: readonly number[];
  /** Moments among them, Unix ms. */
  readonly moments: readonly number[];
  /** Figures that stand between the fence's marks alone: somebody wrote them, nobody measured them. */
  readonly quoted: readonly number[];
}

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;
const FENCED = /«[^»]*»/g;
const RFC3339 = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g;
/** From 2001 on: a number this large in a result is a time in Unix ms and no measurement. */
const EARLIEST_MOMENT_MS = 1e12;
/** Pairs of moments are compared; beyond this many, the latest ones count. */
const MOMENTS = 200;

/** Collects the strings, numbers and moments of tool results and checked answers. */
export function poolOf(values: readonly unknown[]): EvidencePool {
  const strings = new Set<string>();
  const numbers = new Set<number>();
  const moments = new Set<number>();
  const quoted = new Set<number>();
  const add = (value: number) => (value >= EARLIEST_MOMENT_MS ? moments : numbers).add(value);
  const visit = (value: unknown): void => {
    if (typeof value === "number") add(value);
    else if (typeof value === "string") {
      strings.add(value);
      for (const [fenced] of value.matchAll(FENCED)) {
        for (const [text] of fenced.matchAll(NUMBER)) quoted.add(Number(text));
      }
      const own = value.replaceAll(FENCED, " ");
      for (const [text] of own.matchAll(RFC3339)) moments.add(Date.parse(text));
      for (const [text] of own.replaceAll(RFC3339, " ").matchAll(NUMBER)) add(Number(text));
    } else if (typeof value === "object" && value !== null) {
      for (const [key, one] of Object.entries(value)) {
        if (!Array.isArray(value)) strings.add(key);
        visit(one);
      }
    }
  };
  values.forEach(visit);
  const latest = [...moments].sort((a, b) => b - a).slice(0, MOMENTS);
  return { strings, text: [...strings].join("\n"), numbers: [...numbers], moments: latest, quoted: [...quoted] };
}
