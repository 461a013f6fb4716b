/**
 * The Numenta Anomaly Benchmark's scoring: each window counts once, by its earliest detection; each detection outside
 * one costs, the less the closer it follows a window; the first 15 % of a file (750 rows at most) do not count.
 * @see Lavin & Ahmad, "Evaluating Real-Time Anomaly Detection Algorithms – the Numenta Anomaly Benchmark", ICMLA 2015;
 *   the reference implementation numenta/NAB, nab/sweeper.py and nab/runner.py, and config/profiles.json
 */
export interface NabFile {
  readonly name: string;
  /** Unix s, ascending. */
  readonly timestamps: readonly number[];
  readonly values: readonly number[];
  /** First and last timestamp of each labelled anomaly, ascending. */
  readonly windows: readonly (readonly [number, number])[];
}

/** Weights of the standard profile. */
export const STANDARD = { tp: 1, fn: 1, fp: 0.11 } as const;
const PROBATION = 0.15;
const PROBATION_ROWS = 5000;

interface Row {
  readonly score: number;
  /** What this row adds if it is called an anomaly, weighted. */
  readonly worth: number;
  /** The window that it lies in; null outside. */
  readonly window: string | null;
}

export interface NabResult {
  /** 0: says nothing; 100: each window found at its first row, nothing else. */
  readonly normalised: number;
  readonly raw: number;
  readonly threshold: number;
  readonly found: number;
  readonly windows: number;
  readonly falseRows: number;
}

/** 1 at the far left, 0 at a window's right edge, −1 far past it. */
function scaledSigmoid(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

/** Worth of each row outside the probation, by the place that it has relative to the windows. */
function rowsOf(file: NabFile, scores: readonly number[]): readonly Row[] {
  const most = scaledSigmoid(-1);
  const probation = Math.min(Math.floor(PROBATION * file.timestamps.length), PROBATION * PROBATION_ROWS);
  const spans = file.windows.map(([from, to]) => [file.timestamps.indexOf(from), file.timestamps.indexOf(to)] as const);
  if (spans.some(([from, to]) => from < 0 || to < 0))
    throw new Error(`${file.name}: a window begins or ends between rows`);
  return file.timestamps.flatMap((_, i): Row[] => {
    if (i < probation) return [];
    const score = scores[i] ?? 0;
    const inside = spans.find(([from, to]) => i >= from && i <= to);
    if (inside !== undefined) {
      const [from, to] = inside;
      const worth = (STANDARD.tp * scaledSigmoid(-(to - i + 1) / (to - from + 1))) / most;
      return [{ score, worth, window: `${file.name}|${from}` }];
    }
    const before = spans.findLast(([, to]) => to < i);
    const past = before === undefined ? -1 : scaledSigmoid((i - before[1]) / (before[1] - before[0]));
    return [{ score, worth: STANDARD.fp * past, window: null }];
  });
}

/**
 * Scores one detector over a corpus at the threshold that suits it best, one threshold for all files, as the benchmark
 * does; `at` fixes the threshold instead. `scored`: one anomaly score a row, 0–1.
 */
export function nabScore(
  scored: readonly { readonly file: NabFile; readonly scores: readonly number[] }[],
  at?: number,
): NabResult {
  const rows = scored.flatMap(({ file, scores }) => rowsOf(file, scores)).sort((a, b) => b.score - a.score);
  const parts = new Map<string, number>();
  for (const row of rows) if (row.window !== null) parts.set(row.window, -STANDARD.fn);
  const windows = scored.reduce((sum, { file }) => sum + file.windows.length, 0);
  const nothing = -parts.size * STANDARD.fn;
  let raw = nothing;
  let found = 0;
  let falseRows = 0;
  let best = { raw, threshold: 1.1, found, falseRows };
  rows.forEach((row, i) => {
    if (at !== undefined && row.score < at) return;
    if (row.window === null) {
      raw += row.worth;
      falseRows += 1;
    } else {
      const had = parts.get(row.window) ?? 0;
      if (had < 0) found += 1;
      const has = Math.max(had, row.worth);
      raw += has - had;
      parts.set(row.window, has);
    }
    const lastOfThreshold = rows[i + 1]?.score !== row.score;
    if (lastOfThreshold && (at !== undefined || raw > best.raw)) best = { raw, threshold: row.score, found, falseRows };
  });
  const perfect = windows * STANDARD.tp;
  return { ...best, windows, normalised: (100 * (best.raw - nothing)) / (perfect - nothing) };
}
