import type { Reliability } from "./reliability.ts";
import { type Figures, type Group, quantile, type Scores } from "./score.ts";

/** The scores as lines for a terminal: the figures, a reliability diagram, tables by what is right, what was wrong and why. */
export function scoreLines(scores: Scores): readonly string[] {
  const spread = (sorted: readonly number[]) => {
    const [half, most] = [quantile(sorted, 0.5), quantile(sorted, 0.9)];
    return half === null || most === null ? "–" : `median ${whole(half)} s, nine in ten within ${whole(most)} s`;
  };
  return [
    "",
    `bundles ${scores.bundles}, faulty ${scores.faulty}: found ${scores.truePositives}, false actions ${scores.falsePositives}`,
    `precision ${figure(scores.precision)}  recall ${figure(scores.recall)}  culprit first ${figure(scores.culpritTop1)}  Brier ${figure(scores.brier)}`,
    `onset to decision: ${spread(scores.decisionDelays)}`,
    `onset to execution: ${spread(scores.executionDelays)} (${scores.executionDelays.length} executed)`,
    "",
    ...diagram(scores.reliability),
    "",
    ...table("what is right", scores.byTruth),
    ...(scores.byFamily.length === 0 ? [] : ["", ...table("family", scores.byFamily)]),
    "",
    ...(scores.wrong.length === 0
      ? ["No bundle was judged wrongly."]
      : ["What was wrong:", ...scores.wrong.map(({ id, because }) => `  ${id}: ${because}`)]),
  ];
}

export const figure = (value: number | null): string => (value === null ? "–" : value.toFixed(3));
const whole = (value: number): string => String(Math.round(value));
const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

const WIDTH = 40;

/** One row a tenth of the scale: `|` what was claimed, `o` what is true, `-` where it lies with 95 %, `*` both in one place. */
function diagram(bins: readonly Reliability[]): readonly string[] {
  const column = (share: number) => Math.min(WIDTH - 1, Math.round(share * (WIDTH - 1)));
  const rows = bins.map(({ from, to, claims, claimed, actual, low, high }) => {
    const cells: string[] = Array.from({ length: WIDTH }, (_, at) =>
      at >= column(low) && at <= column(high) ? "-" : " ",
    );
    cells[column(claimed)] = "|";
    cells[column(actual)] = column(actual) === column(claimed) ? "*" : "o";
    const range = `${whole(from * 100)}–${whole(to * 100)} %`;
    return `${range.padStart(9)} ${percent(claimed).padStart(7)} ${percent(actual).padStart(7)} ${String(claims).padStart(6)}  [${cells.join("")}]`;
  });
  return [
    "Reliability: of what was claimed with a probability, how much is so",
    `${"claimed".padStart(9)} ${"mean".padStart(7)} ${"true".padStart(7)} ${"claims".padStart(6)}   0 %${" ".repeat(WIDTH - 8)}100 %`,
    ...rows,
    `${" ".repeat(34)}| claimed  o true  * both  - 95 % interval of the truth`,
  ];
}

const COLUMNS: readonly (readonly [title: string, of: (one: Figures) => string])[] = [
  ["bundles", (one) => String(one.bundles)],
  ["found", (one) => (one.faulty === 0 ? "–" : `${one.truePositives}/${one.faulty}`)],
  ["false", (one) => String(one.falsePositives)],
  ["first", (one) => figure(one.culpritTop1)],
  ["Brier", (one) => figure(one.brier)],
  ["decided", (one) => seconds(one.decisionDelaySeconds)],
  ["executed", (one) => seconds(one.executionDelaySeconds)],
];

const seconds = (value: number | null): string => (value === null ? "–" : `${whole(value)} s`);

/** Titles and cells of a table of groups, for whoever draws it. */
export function groupRows(groups: readonly Group[]): readonly (readonly string[])[] {
  return groups.map((group) => [group.name, ...COLUMNS.map(([, of]) => of(group))]);
}
export const GROUP_TITLES: readonly string[] = COLUMNS.map(([title]) => title);

function table(what: string, groups: readonly Group[]): readonly string[] {
  const rows = [[`By ${what}`, ...GROUP_TITLES], ...groupRows(groups)];
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  "),
  );
}
