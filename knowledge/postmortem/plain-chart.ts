import type { Series } from "../../core/model/signal.ts";
import { cleanText } from "../../core/model/untrusted-text.ts";
import { clock, quantity } from "./figures.ts";
import type { Mark } from "./marks.ts";

const BARS = "▁▂▃▄▅▆▇█";
/** Fits a terminal, a mail and a diff. */
const WIDEST = 72;

/**
 * A series as one row of block characters with its marks beneath: shows in any Markdown viewer and in a terminal.
 * A gap is a dot, never a zero. Bars run from zero (or the lowest value below it) to the highest; one that stands for several
 * samples shows the worst of them, so that no peak that the text names is missing.
 */
export function plainChart(series: Series, from: number, to: number, marks: readonly Mark[]): string {
  // No column is narrower than a step, so that a dot is a missing sample and nothing else.
  const width = Math.max(1, Math.min(WIDEST, Math.floor((to - from) / series.stepMs)));
  const cell = (to - from) / width;
  const samples: number[][] = Array.from({ length: width }, () => []);
  for (const [index, value] of series.values.entries()) {
    const end = series.startAt + index * series.stepMs;
    const at = end === to ? samples.at(-1) : samples[Math.floor((end - from) / cell)];
    if (value !== null) at?.push(value);
  }
  const worst = series.worse === "down" ? Math.min : Math.max;
  const bars = samples.map((values) => (values.length === 0 ? null : worst(...values)));
  const present = bars.filter((one) => one !== null);
  if (present.length === 0) return "";
  const top = Math.max(...present);
  const bottom = Math.min(0, ...present);
  const bar = (height: number | null) =>
    height === null ? "·" : (BARS[Math.min(7, Math.floor(((height - bottom) / (top - bottom || 1)) * 7.999))] ?? "█");
  const title = cleanText(`${series.service} ${series.metric}, top of the bars ${quantity(top, series.unit)}`, 100);
  const span = `${clock(from)}${" ".repeat(Math.max(1, width - 16))}${clock(to)} UTC`;
  const rows = [title.replaceAll("\n", " "), bars.map(bar).join(""), ...markRows(marks, from, cell, width), span];
  return rows.join("\n");
}

/** Marks beneath their moment; one that would fall on another goes one row down, so that none is lost. */
function markRows(marks: readonly Mark[], from: number, cell: number, width: number): readonly string[] {
  const rows: string[][] = [];
  for (const { letter, at } of marks) {
    const column = at === from + width * cell ? width - 1 : Math.floor((at - from) / cell);
    if (column < 0 || column >= width) continue;
    const row = rows.find((cells) => cells[column] === " ") ?? Array.from({ length: width }, () => " ");
    if (!rows.includes(row)) rows.push(row);
    row[column] = letter;
  }
  return rows.map((cells) => cells.join("").trimEnd());
}
