import { type Series, WELL_KNOWN_METRICS, type WellKnownMetric } from "../../../core/model/signal.ts";

export const T0 = Date.parse("2026-03-02T12:00:00Z");

/** Normal numbers from a seed (mulberry32 and Box–Muller). */
export function normals(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A series of a well-known metric; the first sample ends one step after T0. */
export function seriesOf(
  metric: WellKnownMetric,
  values: readonly (number | null)[],
  replaced: Partial<Series> = {},
): Series {
  const { unit, worse } = WELL_KNOWN_METRICS[metric];
  const stepMs = replaced.stepMs ?? 15_000;
  return { service: "cart", metric, unit, worse, labels: {}, startAt: T0 + stepMs, stepMs, values, ...replaced };
}

/** Errors and traffic of one service: `ratio(i)` of about `rate` requests a second, overdispersed and autocorrelated. */
export function traffic(
  steps: number,
  ratio: (i: number) => number,
  { rate = 50, seed = 1, stepMs = 15_000, service = "cart" } = {},
): readonly Series[] {
  const normal = normals(seed);
  let burst = 0;
  let load = 0;
  const rates: number[] = [];
  const errors: number[] = [];
  for (let i = 0; i < steps; i++) {
    burst = 0.7 * burst + 0.2 * normal();
    load = 0.8 * load + 0.05 * normal();
    const n = Math.max(1, Math.round(rate * (stepMs / 1000) * Math.exp(load)));
    const p = Math.min(0.99, ratio(i) * Math.exp(burst));
    const k = Math.max(0, Math.min(n, Math.round(n * p + Math.sqrt(n * p * (1 - p)) * normal())));
    rates.push(n / (stepMs / 1000));
    errors.push(k / n);
  }
  return [seriesOf("request_rate", rates, { stepMs, service }), seriesOf("error_rate", errors, { stepMs, service })];
}

/** An autocorrelated level about `usual`, times `factor(i)`. */
export function level(
  steps: number,
  factor: (i: number) => number,
  { usual = 100, seed = 1 }: { usual?: number; seed?: number } = {},
): readonly number[] {
  const normal = normals(seed);
  let x = 0;
  return Array.from({ length: steps }, (_, i) => {
    x = 0.8 * x + 0.06 * normal();
    return usual * factor(i) * Math.exp(x);
  });
}
