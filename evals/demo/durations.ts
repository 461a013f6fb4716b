/**
 * The durations that decide how long the job takes: the seed's own, and the demo's. The demo divides them by fifteen
 * (3 m → 12 s, 5 m → 20 s, 10 m → 40 s), so that a person sees the whole job in a minute and a half, and a pod's few bad seconds
 * at its start still end before any policy's duration does.
 */
export interface Durations {
  readonly autoErrorRateMs: number;
  readonly autoLatencyMs: number;
  readonly reviewMs: number;
  readonly cooldownMs: number;
  /** `canary_analysis.baseline_duration`. */
  readonly canaryMs: number;
  readonly verifyTimeoutMs: number;
  /** What the queries of a Prometheus look back over. */
  readonly averagedMs: number;
  readonly scrapeMs: number;
  readonly stepMs: number;
}

const MINUTE = 60_000;

/** As the seed's file says; the shop is scraped and looked at each five seconds, which is more often than a file's default. */
export const SEED_DURATIONS: Durations = {
  autoErrorRateMs: 3 * MINUTE,
  autoLatencyMs: 5 * MINUTE,
  reviewMs: 5 * MINUTE,
  cooldownMs: 10 * MINUTE,
  canaryMs: 15 * MINUTE,
  verifyTimeoutMs: 10 * MINUTE,
  averagedMs: 5 * MINUTE,
  scrapeMs: 5000,
  stepMs: 5000,
};

const SCALE = 15;

export const DEMO_DURATIONS: Durations = {
  autoErrorRateMs: SEED_DURATIONS.autoErrorRateMs / SCALE,
  autoLatencyMs: SEED_DURATIONS.autoLatencyMs / SCALE,
  reviewMs: SEED_DURATIONS.reviewMs / SCALE,
  cooldownMs: SEED_DURATIONS.cooldownMs / SCALE,
  canaryMs: SEED_DURATIONS.canaryMs / SCALE,
  verifyTimeoutMs: SEED_DURATIONS.verifyTimeoutMs / SCALE,
  averagedMs: SEED_DURATIONS.averagedMs / SCALE,
  scrapeMs: 1000,
  stepMs: 1000,
};

/** An evaluation beside a whole control plane takes longer than a second on two cores. */
export const REAL_DEMO_DURATIONS: Durations = { ...DEMO_DURATIONS, stepMs: 2000 };

/** A query over a window goes on telling of the bad requests until they have left it: recovery is seen that much later. */
export const PROMETHEUS_DEMO_DURATIONS: Durations = {
  ...DEMO_DURATIONS,
  verifyTimeoutMs: DEMO_DURATIONS.verifyTimeoutMs + DEMO_DURATIONS.averagedMs,
};
