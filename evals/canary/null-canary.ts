import type { CanaryInput } from "../../core/canary/model.ts";
import type { Series } from "../../core/model/signal.ts";
import { drawService, type NullKind, nullTraffic } from "../bench/null-traffic.ts";
import type { Random } from "../bench/random.ts";

/** Kinds of traffic whose two versions behave alike in a quarter of an hour, with the share of each. */
const KINDS: readonly NullKind[] = ["independent", "overdispersed", "autocorrelated", "autocorrelated", "spiky"];
const START = Date.parse("2026-03-02T12:00:00Z");

/** What two versions are like: so many metrics, looked at so often. */
export interface NullSetting {
  /** Two a service: error_rate and p99_latency. */
  readonly metrics: number;
  readonly samples: number;
  /** Samples of the baseline before the canary; null: drawn for each service (16–480). */
  readonly history: number | null;
  /** Share of the traffic that the canary gets; null: drawn, 5–50 %. */
  readonly share: number | null;
  /** Requests a second that a service has at least; null: whatever is drawn (0.02–1,000). */
  readonly leastRate: number | null;
}

/**
 * Two versions that are one process drawn twice, apart from the share of the traffic: traffic, errors and latency of
 * many services, overdispersed, autocorrelated and with single wild samples. `harm`: what the canary's errors (added, a
 * ratio) and latency (a factor) are changed by, of the first service alone; null: nothing is worse.
 */
export function drawCanary(
  random: Random,
  setting: NullSetting,
  confidence: number,
  harm: { readonly errors: number; readonly latency: number } | null = null,
): CanaryInput {
  const baseline: Series[] = [];
  const canary: Series[] = [];
  for (let i = 0; i < Math.ceil(setting.metrics / 2); i++) {
    const kind = KINDS[Math.floor(random.uniform() * KINDS.length)] ?? "independent";
    const drawn = drawService(random, kind);
    const service = setting.leastRate === null ? drawn : { ...drawn, rate: random.between(setting.leastRate, 1000) };
    const history = setting.history ?? service.history;
    const share = setting.share ?? random.between(0.05, 0.5);
    const step = service.stepMs;
    const named = (series: Series): Series => ({ ...series, service: `service-${i}` });
    const stable = { ...service, rate: service.rate * (1 - share) };
    baseline.push(...nullTraffic(random, stable, history + setting.samples, START - history * step).map(named));
    const fresh = nullTraffic(random, { ...service, rate: service.rate * share }, setting.samples, START);
    canary.push(...fresh.map(named).map((series) => (i === 0 && harm !== null ? harmed(series, harm) : series)));
  }
  return {
    baseline,
    canary,
    metrics: ["error_rate", "p99_latency"],
    since: START - 15_000,
    now: START + setting.samples * 15_000,
    boundMs: setting.samples * 15_000,
    complete: true,
    confidence,
    versionLabel: "version",
  };
}

function harmed(series: Series, { errors, latency }: { readonly errors: number; readonly latency: number }): Series {
  const change =
    series.metric === "error_rate"
      ? (value: number) => Math.min(1, value + errors)
      : series.metric === "p99_latency"
        ? (value: number) => value * latency
        : (value: number) => value;
  return { ...series, values: series.values.map((value) => (value === null ? null : change(value))) };
}
