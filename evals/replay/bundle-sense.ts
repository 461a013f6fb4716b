import type { z } from "zod";
import type { ChangeLine, SeriesLine } from "./bundle-schema.ts";
import { invalid, type Line, quoted, type Warn } from "./bundle-text.ts";

/** What fits the format line by line and makes no sense together. Each gives back the lines that count, in their order. */

type ChangeValue = z.output<typeof ChangeLine>;

/**
 * One change an id. A line with the id of an earlier one says more of the same change (logs of changes write its start and its
 * end apart): what it says stands, with a warning unless it says the same. Throws where it is of another service or kind. An
 * end before its start is no end that is known, with a warning.
 */
export function checkChanges(lines: readonly Line<ChangeValue>[], warn: Warn): readonly ChangeValue[] {
  const known = new Map<string, { readonly line: number; readonly value: ChangeValue }>();
  for (const { value: given, file, line } of lines) {
    const value = withKnownEnd(given, () => {
      warn(
        `${file}:${line}: ${quoted(given.id)} has a finished_at before its started_at, and counts as not known to have ended`,
      );
    });
    const first = known.get(value.id);
    if (first === undefined) {
      known.set(value.id, { line, value });
      continue;
    }
    if (first.value.service !== value.service || first.value.kind !== value.kind)
      throw invalid(
        file,
        line,
        `the id ${quoted(value.id)} is on line ${first.line} too, for another change; an id names one`,
      );
    const isTwice = JSON.stringify(first.value) === JSON.stringify(value);
    const counts = isTwice ? "is the same as on" : "adds to what is on";
    warn(`${file}:${line}: the change ${quoted(value.id)} ${counts} line ${first.line}, and counts once`);
    known.set(value.id, { line: first.line, value: { ...first.value, ...told(value) } });
  }
  return [...known.values()].map(({ value }) => value);
}

function withKnownEnd(value: ChangeValue, tell: () => void): ChangeValue {
  const { started_at, finished_at } = value;
  if (finished_at === null || finished_at === undefined || finished_at >= started_at) return value;
  tell();
  return { ...value, finished_at: null };
}

/** What a line says: a field that is null or absent says nothing. */
const told = (value: ChangeValue): Partial<ChangeValue> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null && one !== undefined));

/**
 * No sample counts twice: where two series of the same service, metric, labels and step speak of the same time, the earlier
 * line stands, and the later one fills what is missing in it, with a warning. Parts that follow each other are all right.
 */
export function checkSeries(
  lines: readonly Line<z.output<typeof SeriesLine>>[],
  warn: Warn,
): readonly z.output<typeof SeriesLine>[] {
  const known = new Map<string, Line<SeriesValue>[]>();
  return lines.flatMap((one) => {
    const { value, file, line } = one;
    const key = keyOf(value);
    const others = (known.get(key) ?? []).filter((before) => overlap(before.value, value));
    known.set(key, [...(known.get(key) ?? []), one]);
    const [other] = others;
    if (other === undefined) return [value];
    const name = `${quoted(value.metric)} of ${quoted(value.service)}`;
    const isTwice = isSame(other.value, value);
    const counts = isTwice
      ? `is the same as on line ${other.line}, and counts once`
      : `is on line ${other.line} too; its samples count where that line has none`;
    warn(`${file}:${line}: ${name} ${counts}`);
    return isTwice ? [] : [others.reduce((left, before) => without(left, before.value), value)];
  });
}

/** A series without the samples of moments within half a step of a sample of another. */
function without(series: SeriesValue, other: SeriesValue): SeriesValue {
  const values = series.values.map((value, i) => {
    const at = series.start + i * series.step;
    const there = other.values[Math.round((at - other.start) / other.step)] ?? null;
    return there === null ? value : null;
  });
  return { ...series, values };
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
