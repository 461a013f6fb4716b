import type { z } from "zod";
import type { ChangeLine, SeriesLine } from "./bundle-schema.ts";
import { invalid, type Line, quoted, type Warn } from "./bundle-text.ts";

/** What fits the format line by line and makes no sense together. Each gives back the lines that count, in their order. */

/** Throws for a change that ends before it starts, and for one id of two changes. A line that stands twice counts once. */
export function checkChanges(
  lines: readonly Line<z.output<typeof ChangeLine>>[],
  warn: Warn,
): readonly z.output<typeof ChangeLine>[] {
  const known = new Map<string, { readonly line: number; readonly text: string }>();
  return lines.flatMap(({ value, file, line }) => {
    const { id, started_at, finished_at } = value;
    if (finished_at !== null && finished_at !== undefined && finished_at < started_at)
      throw invalid(file, line, `${quoted(id)} has a finished_at before its started_at; correct one of them`);
    const text = JSON.stringify(value);
    const first = known.get(id);
    if (first === undefined) {
      known.set(id, { line, text });
      return [value];
    }
    if (first.text !== text)
      throw invalid(
        file,
        line,
        `the id ${quoted(id)} stands on line ${first.line} too, for another change; an id names one`,
      );
    warn(`${file}:${line}: the change ${quoted(id)} is the same as on line ${first.line}, and counts once`);
    return [];
  });
}

/**
 * Throws where two series of the same service, metric, labels and step speak of the same time: their samples would count
 * twice. One that stands twice, value by value, counts once; parts that follow each other are all right.
 */
export function checkSeries(
  lines: readonly Line<z.output<typeof SeriesLine>>[],
  warn: Warn,
): readonly z.output<typeof SeriesLine>[] {
  const known = new Map<string, Line<z.output<typeof SeriesLine>>[]>();
  return lines.flatMap((one) => {
    const { value, file, line } = one;
    const key = keyOf(value);
    const others = known.get(key) ?? [];
    known.set(key, [...others, one]);
    const other = others.find((before) => overlap(before.value, value));
    if (other === undefined) return [value];
    const name = `${quoted(value.metric)} of ${quoted(value.service)}`;
    if (!isSame(other.value, value))
      throw invalid(
        file,
        line,
        `${name} stands on line ${other.line} too, for the same time and step; keep one of them`,
      );
    warn(`${file}:${line}: ${name} is the same as on line ${other.line}, and counts once`);
    return [];
  });
}

type SeriesValue = z.output<typeof SeriesLine>;

const keyOf = ({ service, metric, labels, step }: SeriesValue): string =>
  JSON.stringify([service, metric, step, Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))]);

function overlap(a: SeriesValue, b: SeriesValue): boolean {
  if (a.values.length === 0 || b.values.length === 0) return false;
  const last = ({ start, step, values }: SeriesValue) => start + (values.length - 1) * step;
  return a.start <= last(b) && b.start <= last(a);
}

const isSame = (a: SeriesValue, b: SeriesValue): boolean =>
  a.start === b.start && a.values.length === b.values.length && a.values.every((value, i) => value === b.values[i]);
