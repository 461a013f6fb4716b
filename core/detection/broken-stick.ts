/** A point of a course: `x` in any unit of time. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where a course stops being level and begins to rise. */
export interface Break {
  /** The best place, and the central 95 % of its posterior; `x` of the points, half a spacing before one of them. */
  readonly at: number;
  readonly early: number;
  readonly late: number;
  /** Whether the rise may be older than the first point. */
  readonly older: boolean;
  readonly level: number;
  /** y a unit of x after the break; never negative. */
  readonly slope: number;
}

/**
 * The posterior of the break of a broken stick (a level, then a line), every place as likely before. `spacing`: of the
 * points, which lie in order. Neighbouring points say much the same: as many count as would be independent (Bartlett
 * 1946).
 * @see Bacon & Watts (1971), Biometrika 58(3):525–534; Smith & Cook (1980), Appl. Stat. 29(2):180–189
 */
export function placeBreak(points: readonly Point[], spacing: number): Break | null {
  const fits = points.slice(0, -2).map(({ x }) => brokenStick(points, x - spacing / 2));
  const [first] = fits;
  if (first === undefined) return null;
  const best = fits.reduce((least, fit) => (fit.rest < least.rest ? fit : least), first);
  const independent = Math.max(4, (points.length * (1 - best.carry)) / (1 + best.carry));
  const logs = fits.map(({ rest, spread }) => -((independent - 2) / 2) * Math.log(rest) - Math.log(spread) / 2);
  const top = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const indexAt = (share: number): number => {
    let sum = 0;
    const index = weights.findIndex((weight) => {
      sum += weight / total;
      return sum >= share;
    });
    return Math.max(0, index);
  };
  const early = indexAt(0.025);
  return {
    at: best.at,
    early: fits[early]?.at ?? best.at,
    late: fits[indexAt(0.975)]?.at ?? best.at,
    older: early === 0,
    level: best.level,
    slope: best.slope,
  };
}

interface Fit {
  readonly at: number;
  /** Sum of squares that is left, of how much the line's part varies, and how much of one residual the next carries. */
  readonly rest: number;
  readonly spread: number;
  readonly carry: number;
  readonly level: number;
  readonly slope: number;
}

/** Least squares of a level up to the break and a line after it. */
function brokenStick(points: readonly Point[], at: number): Fit {
  const n = points.length;
  let [sx, sy, sxx, sxy] = [0, 0, 0, 0];
  for (const { x, y } of points) {
    const h = Math.max(0, x - at);
    sx += h;
    sy += y;
    sxx += h * h;
    sxy += h * y;
  }
  const spread = Math.max(1e-12, sxx - (sx * sx) / n);
  const slope = Math.max(0, (sxy - (sx * sy) / n) / spread);
  const level = (sy - slope * sx) / n;
  let [rest, lagged, before] = [1e-12, 0, 0];
  for (const { x, y } of points) {
    const residual = y - level - slope * Math.max(0, x - at);
    rest += residual * residual;
    lagged += residual * before;
    before = residual;
  }
  return { at, rest, spread, carry: Math.max(0, Math.min(0.95, lagged / rest)), level, slope };
}
