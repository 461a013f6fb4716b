import type { CanaryInput } from "../../../core/canary/model.ts";
import { type Series, WELL_KNOWN_METRICS, type WellKnownMetric } from "../../../core/model/signal.ts";
import { createRandom } from "../../../evals/bench/random.ts";

export const STEP = 15_000;
export const SAMPLES = 60;
const START = Date.parse("2026-03-02T12:00:00Z");

/** What one version is like; a step is 15 s. */
export interface Version {
  /** Requests a second. */
  readonly rate?: number;
  readonly errors?: number;
  readonly p99?: number;
  readonly p50?: number;
  readonly memory?: number;
}

/** A service with steady traffic: errors binomial, levels within ten per cent, half of it carried from step to step. */
export function versionSeries(version: Version, steps: number, startAt: number, seed: number): readonly Series[] {
  const random = createRandom(seed);
  const { rate = 100, errors = 0.01, p99 = 200, p50 = 40, memory = 0.5 } = version;
  const level = (usual: number) => {
    let wander = 0;
    return Array.from({ length: steps }, () => {
      wander = 0.5 * wander + 0.05 * random.normal();
      return usual * Math.exp(wander + 0.06 * random.normal());
    });
  };
  const requests = Array.from({ length: steps }, () => random.poisson((rate * STEP) / 1000));
  const of = (metric: WellKnownMetric, values: readonly (number | null)[]): Series => ({
    service: "cart",
    metric,
    ...WELL_KNOWN_METRICS[metric],
    labels: {},
    startAt,
    stepMs: STEP,
    values,
  });
  return [
    of(
      "request_rate",
      requests.map((n) => (n * 1000) / STEP),
    ),
    of(
      "error_rate",
      requests.map((n) => (n === 0 ? null : random.binomial(n, errors) / n)),
    ),
    of("p99_latency", level(p99)),
    of("p50_latency", level(p50)),
    of("memory_usage", level(memory)),
  ];
}

/** A stable version with an hour of past, and a canary beside it for a quarter of an hour. */
export function sideBySide(canary: Version, stable: Version = {}, replaced: Partial<CanaryInput> = {}): CanaryInput {
  const past = 240;
  return {
    baseline: versionSeries(stable, past + SAMPLES, START - past * STEP, 1),
    canary: versionSeries({ rate: 25, ...canary }, SAMPLES, START, 2),
    metrics: ["error_rate", "p99_latency", "p50_latency", "memory_usage"],
    since: START - STEP,
    now: START + SAMPLES * STEP,
    boundMs: SAMPLES * STEP,
    complete: false,
    confidence: 0.95,
    versionLabel: "version",
    ...replaced,
  };
}

/** The same with the series of one side changed; null leaves one out. */
export function changed(
  input: CanaryInput,
  side: "baseline" | "canary",
  change: (series: Series) => Series | null,
): CanaryInput {
  return { ...input, [side]: input[side].flatMap((series) => change(series) ?? []) };
}

/** The series with these samples missing. */
export const without = (series: Series, missing: (index: number) => boolean): Series => ({
  ...series,
  values: series.values.map((value, index) => (missing(index) ? null : value)),
});
