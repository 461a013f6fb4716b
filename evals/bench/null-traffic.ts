import { type Series, WELL_KNOWN_METRICS, type WellKnownMetric } from "../../core/model/signal.ts";
import type { Random } from "./random.ts";

/** Kinds of traffic in which nothing is wrong. */
export const NULL_KINDS = ["independent", "overdispersed", "autocorrelated", "diurnal", "spiky"] as const;
export type NullKind = (typeof NULL_KINDS)[number];

/** What one null service is like; drawn, so that no single value decides. */
export interface NullService {
  readonly kind: NullKind;
  /** Requests a second on average. */
  readonly rate: number;
  readonly errorRatio: number;
  /** Variance of a step's errors over that of independent ones. */
  readonly dispersion: number;
  /** Deviation of the logs of load, errors and latency that lasts, and the share of it that stays from step to step. */
  readonly wander: number;
  readonly carried: number;
  /** Standard deviation of the log latency of single requests. */
  readonly spread: number;
  readonly stepMs: number;
  /** Samples before the change. */
  readonly history: number;
}

const STEP_MS = 15_000;

/**
 * Draws a service: 0.02–1,000 requests a second, 0.01–5 % errors, 16–480 samples of history. Dispersion 1.2–6 (queues
 * and retries make errors come in bursts); the deviation that lasts 0.05–0.1
 * (0.3 where it is autocorrelated) with 0.3–0.95 of it carried over a step.
 */
export function drawService(random: Random, kind: NullKind): NullService {
  return {
    kind,
    rate: random.between(0.02, 1000),
    errorRatio: random.between(1e-4, 0.05),
    dispersion: kind === "independent" ? 1 : random.between(1.2, 6),
    wander: kind === "independent" ? 0 : random.between(0.05, kind === "autocorrelated" ? 0.3 : 0.1),
    carried: kind === "independent" ? 0 : 0.3 + 0.65 * random.uniform(),
    spread: random.between(0.2, 0.8),
    stepMs: STEP_MS,
    history: Math.round(random.between(16, 480)),
  };
}

/** Requests, errors and 99th percentile of latency of a service in which nothing changes; steps without requests are missing. */
export function nullTraffic(random: Random, service: NullService, steps: number, startAt: number): readonly Series[] {
  const wander = [0, 0, 0].map(() => wanderer(random, service));
  const phase = random.uniform();
  const wildAt = service.kind === "spiky" ? steps - 1 - Math.floor(240 * random.uniform()) : -1;
  const rates: (number | null)[] = [];
  const ratios: (number | null)[] = [];
  const latencies: (number | null)[] = [];
  for (let i = 0; i < steps; i++) {
    const [load = 0, errors = 0, latency = 0] = wander.map((next) => next());
    const day = 2 * Math.PI * ((i * service.stepMs) / 86_400_000 + phase);
    const swing = service.kind === "diurnal" ? 0.6 * Math.sin(day) : 0;
    const requests = random.poisson((service.rate * service.stepMs * Math.exp(load + swing)) / 1000);
    rates.push((requests * 1000) / service.stepMs);
    if (requests === 0) {
      ratios.push(null);
      latencies.push(null);
      continue;
    }
    const spike = i === wildAt;
    const ratio = spike ? 0.3 : Math.min(0.5, service.errorRatio * Math.exp(errors));
    ratios.push(errorsOf(random, service, requests, ratio) / requests);
    latencies.push(Math.exp(latency + 0.1 * swing + (spike ? 1 : 0)) * percentile(random, service, requests));
  }
  const series = (metric: WellKnownMetric, values: readonly (number | null)[]): Series => ({
    service: "null",
    metric,
    ...WELL_KNOWN_METRICS[metric],
    labels: {},
    startAt,
    stepMs: service.stepMs,
    values,
  });
  return [series("request_rate", rates), series("error_rate", ratios), series("p99_latency", latencies)];
}

/** How a healthy version differs for good from the one it replaces: deviation of the logarithm. */
const APART = 0.1;
/** The part of what wanders that is each version's own; the rest both share. */
const OWN_PART = 0.5;

/**
 * The same traffic by version from `from` on: a new one with 1 to 50 % of the requests, no worse than the old one. Its
 * pods are not quite those of the old one, and each version's errors come in bursts of its own, as large as those of
 * the service. `series`: what `nullTraffic` gave.
 */
export function byVersion(
  random: Random,
  service: NullService,
  series: readonly Series[],
  from: number,
): readonly Series[] {
  const share = random.between(0.01, 0.5);
  const apart = APART * random.normal();
  const own = wanderer(random, { ...service, wander: OWN_PART * service.wander });
  const [rate, errors] = ["request_rate", "error_rate"].map((metric) => series.find((one) => one.metric === metric));
  if (rate === undefined || errors === undefined) return [];
  const seconds = service.stepMs / 1000;
  const arms = { fresh: [[], []], old: [[], []] } as Record<"fresh" | "old", [(number | null)[], (number | null)[]]>;
  for (let i = from; i < rate.values.length; i++) {
    const requests = Math.round((rate.values[i] ?? 0) * seconds);
    const failed = Math.round((errors.values[i] ?? 0) * requests);
    const n = random.binomial(requests, share);
    const odds = (n * Math.exp(apart + own())) / Math.max(1e-9, requests - n);
    const k = Math.min(
      n,
      failed,
      Math.max(failed - (requests - n), partOf(random, service, failed, odds / (1 + odds))),
    );
    for (const [arm, count, total] of [
      ["fresh", k, n],
      ["old", failed - k, requests - n],
    ] as const) {
      arms[arm][0].push(total / seconds);
      arms[arm][1].push(total === 0 ? null : count / total);
    }
  }
  const of = (one: Series, version: string, values: readonly (number | null)[]): Series => ({
    ...one,
    labels: { version },
    startAt: one.startAt + from * one.stepMs,
    values,
  });
  return [
    of(rate, "v2", arms.fresh[0]),
    of(errors, "v2", arms.fresh[1]),
    of(rate, "v1", arms.old[0]),
    of(errors, "v1", arms.old[1]),
  ];
}

/** How many of the events fall on a part, where both parts' come in bursts (beta-binomial: negative binomials given their sum). */
function partOf(random: Random, { dispersion }: NullService, events: number, share: number): number {
  if (events === 0 || share <= 0 || share >= 1 || dispersion === 1) return random.binomial(events, share);
  const shape = events / (dispersion - 1);
  const [a, b] = [random.gamma(shape * share, 1), random.gamma(shape * (1 - share), 1)];
  return random.binomial(events, a + b > 0 ? a / (a + b) : share);
}

/** A stationary first-order autoregression. */
function wanderer(random: Random, { wander, carried }: NullService): () => number {
  let x = wander * random.normal();
  const fresh = wander * Math.sqrt(1 - carried ** 2);
  return () => {
    x = carried * x + fresh * random.normal();
    return x;
  };
}

function errorsOf(random: Random, { dispersion }: NullService, requests: number, ratio: number): number {
  if (dispersion === 1) return random.binomial(requests, ratio);
  return Math.min(requests, random.negativeBinomial(requests * ratio, dispersion));
}

/** The 99th percentile of log-normal latencies around 100 ms: of few requests as drawn, of many by its normal limit. */
function percentile(random: Random, { spread }: NullService, requests: number): number {
  if (requests > 200) return 100 * Math.exp(spread * (2.326 + (3.73 * random.normal()) / Math.sqrt(requests)));
  const drawn = Array.from({ length: requests }, () => random.normal()).sort((a, b) => a - b);
  return 100 * Math.exp(spread * (drawn[Math.ceil(0.99 * requests) - 1] ?? 0));
}
