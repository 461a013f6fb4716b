/** The relative spacing of doubles, as the published program uses it. */
const MACHINE = Number.EPSILON;

/** An end of the bracket: a place, and the function's value there. */
interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * A root of `f` between two points where it differs in sign: bisection, secant or inverse quadratic interpolation,
 * whichever is safe. On a step function the answer is the jump to within `tolerance`, and which side of it follows from
 * the course of the steps, so that results agree with R and Kayenta only if this course is the published one.
 *
 * @see Brent (1973), Algorithms for Minimization Without Derivatives, ch. 4, procedure `zero`
 */
export function brentRoot(f: (x: number) => number, low: Point, high: Point, tolerance: number, rounds = 1000): number {
  if (low.y === 0) return low.x;
  if (high.y === 0) return high.x;
  let last = low;
  let best = high;
  let other = low; // the root lies between `best` and `other`
  for (let round = 0; round <= rounds; round++) {
    const before = best.x - last.x;
    if (Math.abs(other.y) < Math.abs(best.y)) [last, best, other] = [best, other, best];
    const reach = 2 * MACHINE * Math.abs(best.x) + tolerance / 2;
    const half = (other.x - best.x) / 2;
    if (Math.abs(half) <= reach || best.y === 0) return best.x;
    const worthIt = Math.abs(before) >= reach && Math.abs(last.y) > Math.abs(best.y);
    const guess = worthIt ? interpolated(last, best, other, before, reach) : null;
    const step = guess ?? half;
    last = best;
    const x = best.x + (Math.abs(step) < reach ? (step > 0 ? reach : -reach) : step);
    best = { x, y: f(x) };
    if ((best.y > 0 && other.y > 0) || (best.y < 0 && other.y < 0)) other = last;
  }
  return best.x;
}

/** The step to where a line (or a parabola on its side) through the points is zero; null where bisection is safer. */
function interpolated(last: Point, best: Point, other: Point, before: number, reach: number): number | null {
  const width = other.x - best.x;
  const ratio = best.y / last.y;
  let p = width * ratio;
  let q = 1 - ratio;
  if (last.x !== other.x) {
    const far = last.y / other.y;
    const near = best.y / other.y;
    p = ratio * (width * far * (far - near) - (best.x - last.x) * (near - 1));
    q = (far - 1) * (near - 1) * (ratio - 1);
  }
  if (p > 0) q = -q;
  else p = -p;
  const inside = p < 0.75 * width * q - Math.abs(reach * q) / 2;
  return inside && p < Math.abs((before * q) / 2) ? p / q : null;
}
