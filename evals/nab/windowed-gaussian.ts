const WINDOW = 6400;
const SLIDE = 100;

/**
 * The benchmark's own simple competitor: how far inside a normal distribution, fitted to the last 6,400 values, a value
 * lies; its window was tuned to this benchmark by its authors.
 * @see numenta/NAB, nab/detectors/gaussian/windowedGaussian_detector.py
 */
export function windowedGaussian(values: readonly number[]): readonly number[] {
  let window: number[] = [];
  let waiting: number[] = [];
  let mean = 0;
  let deviation = 1;
  const refit = () => {
    mean = window.reduce((sum, value) => sum + value, 0) / window.length;
    deviation = Math.sqrt(window.reduce((sum, value) => sum + (value - mean) ** 2, 0) / window.length) || 1e-6;
  };
  return values.map((value, i) => {
    const score = i === 0 ? 0 : 1 - upperTail(Math.abs(value - mean) / deviation);
    if (window.length < WINDOW) {
      window.push(value);
      refit();
    } else {
      waiting.push(value);
      if (waiting.length === SLIDE) {
        window = [...window.slice(SLIDE), ...waiting];
        waiting = [];
        refit();
      }
    }
    return score;
  });
}

/** Chance of a standard normal above `z` ≥ 0, to 1.2e-7 of itself. W. J. Cody's rational form as in Press et al., Numerical Recipes, 3rd ed., 6.2.2. */
function upperTail(z: number): number {
  const x = z / Math.SQRT2;
  const t = 2 / (2 + x);
  const series = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ];
  const polynomial = series.reduceRight((sum, coefficient) => coefficient + t * sum, 0);
  return 0.5 * t * Math.exp(-x * x + polynomial);
}
