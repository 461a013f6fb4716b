/** Random draws from a seed: the same seed gives the same draws on every machine. */
export interface Random {
  /** Uniform on [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Log-uniform between two positive numbers. */
  between(low: number, high: number): number;
  poisson(mean: number): number;
  /** Successes of `n` trials of probability `p` (0–1). */
  binomial(n: number, p: number): number;
  /** Gamma with this shape and scale. */
  gamma(shape: number, scale: number): number;
  /** Counts of this mean whose variance is `dispersion` (> 1) times the mean. */
  negativeBinomial(mean: number, dispersion: number): number;
}

/**
 * Uniforms by Mulberry32, normals by Box and Muller (1958), gammas by Marsaglia and Tsang (2000). Poisson and binomial
 * draws are exact: small ones by inversion, large ones by splitting at a gamma or beta order statistic (Ahrens and
 * Dieter 1974).
 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

  function gamma(shape: number, scale: number): number {
    if (shape < 1) return gamma(shape + 1, scale) * (1 - uniform()) ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v * scale;
    }
  }

  function poisson(mean: number): number {
    let count = 0;
    let rest = mean;
    while (rest > 30) {
      const events = Math.floor(rest * 0.875);
      const reached = gamma(events, 1); // time of that many events
      if (reached > rest) return count + binomial(events - 1, rest / reached);
      count += events;
      rest -= reached;
    }
    let product = uniform();
    const limit = Math.exp(-rest);
    while (product > limit) {
      count += 1;
      product *= uniform();
    }
    return count;
  }

  function binomial(n: number, p: number): number {
    if (p <= 0 || n <= 0) return 0;
    if (p >= 1) return n;
    let count = 0;
    let trials = n;
    let chance = p;
    while (trials > 40) {
      const middle = 1 + Math.floor(trials / 2);
      const x = gamma(middle, 1);
      const cut = x / (x + gamma(trials - middle + 1, 1)); // the middle one of `trials` uniforms
      if (cut > chance) {
        trials = middle - 1;
        chance /= cut;
      } else {
        count += middle;
        trials -= middle;
        chance = (chance - cut) / (1 - cut);
      }
    }
    for (let i = 0; i < trials; i++) if (uniform() < chance) count += 1;
    return count;
  }

  return {
    uniform,
    normal,
    between: (low, high) => low * (high / low) ** uniform(),
    poisson,
    binomial,
    gamma,
    negativeBinomial: (mean, dispersion) => poisson(gamma(mean / (dispersion - 1), dispersion - 1)),
  };
}
