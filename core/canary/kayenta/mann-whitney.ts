import { normalQuantile } from "../normal-quantile.ts";
import { brentRoot } from "./brent-root.ts";
import { averageRanks } from "./statistics.ts";

/** The shift of the experiment against the control: its estimate (Hodges–Lehmann) and its interval, in their unit. */
export interface Shift {
  readonly lower: number;
  readonly upper: number;
  readonly estimate: number;
}

/** The width to which R's `wilcox.test`, and Kayenta after it, seek a root. */
const ROOT_TOLERANCE = 1e-4;

/**
 * Mann–Whitney's test inverted: the location shifts that it does not refuse at this confidence (two-sided, normal
 * approximation with ties and continuity corrected), and the one that it refuses least. Null where all values are tied
 * at a shift that must be tried, so that there is no interval. Both samples not empty.
 *
 * @see Bauer (1972), J. Am. Stat. Assoc. 67:687–690; R's `wilcox.test(conf.int = TRUE, exact = FALSE)`
 */
export function mannWhitneyShift(
  experiment: readonly number[],
  control: readonly number[],
  confidence: number,
): Shift | null {
  const least = Math.min(...experiment) - Math.max(...control);
  const most = Math.max(...experiment) - Math.min(...control);
  const z = -normalQuantile((1 - confidence) / 2);
  const at = (shift: number) => standardised(experiment, control, shift);
  const ends = { low: at(least), high: at(most) };
  if (Number.isNaN(ends.low) || Number.isNaN(ends.high)) return null;
  const rootAt = (level: number) =>
    brentRoot(
      (shift) => at(shift) - level,
      { x: least, y: ends.low - level },
      { x: most, y: ends.high - level },
      ROOT_TOLERANCE,
    );
  const limit = (level: number) => {
    if (ends.low - level <= 0) return least;
    return ends.high - level >= 0 ? most : rootAt(level);
  };
  const shift = { lower: limit(z), upper: limit(-z), estimate: rootAt(0) };
  return Object.values(shift).some(Number.isNaN) ? null : shift;
}

/** The rank sum of the experiment less `shift`, as a standard normal value; NaN where every value is tied. */
function standardised(experiment: readonly number[], control: readonly number[], shift: number): number {
  const n = experiment.length;
  const m = control.length;
  const ranks = averageRanks([...experiment.map((value) => value - shift), ...control]);
  const counts = new Map<number, number>();
  for (const rank of ranks) counts.set(rank, (counts.get(rank) ?? 0) + 1);
  const ties = [...counts.values()].reduce((sum, count) => sum + count ** 3 - count, 0);
  const variance = ((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1)));
  if (!(variance > 0)) return Number.NaN;
  const sum = ranks.slice(0, n).reduce((total, rank) => total + rank, 0);
  const centred = sum - (n * (n + 1)) / 2 - (n * m) / 2;
  return (centred - Math.sign(centred) * 0.5) / Math.sqrt(variance);
}
