import type { Grid, Scenario } from "./model.ts";
import { type Course, figure } from "./node.ts";
import { simulate } from "./simulate.ts";
import { Z99 } from "./slot.ts";

/**
 * The bound on the signal that a change must give to be called faulty: nats of evidence, in one whole-service series of
 * one service, for "worse" against "as before", for an observer who knows the model, the baseline, and where and when to look.
 * Forty services × ten series × 250 looks make 10⁵ comparisons; one false alarm in a thousand changes needs ln(10⁸) = 18.4
 * nats. A baseline learned from a history as long as the test doubles the variance, which halves the evidence: 2 × 18.4,
 * rounded up.
 */
export const NATS_NEEDED = 40;

export interface Visibility {
  /** When the evidence first reaches the bound; null: never. */
  readonly at: number | null;
  readonly service: string | null;
  readonly metric: string | null;
  /** Evidence at the end of the watch. */
  readonly nats: number;
}

/** How visible the guilty changes are from `onset` on, splits by version left aside. */
export function visibilityOf(scenario: Scenario, guilty: readonly string[], onset: number): Visibility {
  const { clock } = scenario;
  const unmeasured = new Set(scenario.unmeasured);
  const length = Math.floor((clock.watchEnd - onset) / clock.stepMs) + 1;
  const grid: Grid = { start: onset, stepMs: clock.stepMs, length };
  const [real, without] = [simulate(scenario, grid, null), simulate(scenario, grid, null, new Set(guilty))];
  let best: Visibility = { at: null, service: null, metric: null, nats: 0 };
  for (const [name, course] of real.courses) {
    const reference = without.courses.get(name);
    if (reference === undefined || course.service.tier === "external" || unmeasured.has(name)) continue;
    for (const [metric, nats] of Object.entries(evidence(course, reference, grid))) {
      const reached = nats.findIndex((value) => value >= NATS_NEEDED);
      const at = reached < 0 ? null : onset + reached * clock.stepMs;
      const last = nats.at(-1) ?? 0;
      const sooner = at !== null && (best.at === null || at < best.at);
      if (sooner || (best.at === null && at === null && last > best.nats))
        best = { at, service: name, metric, nats: last };
    }
  }
  return best;
}

/** Running evidence of each metric, cell by cell. */
function evidence(course: Course, reference: Course, grid: Grid): Readonly<Record<string, readonly number[]>> {
  const { service } = course;
  const seconds = grid.stepMs / 1000;
  const wanders = (cells: number) => Math.min(1, (2 * service.wander.seconds) / (cells * seconds));
  const errors: number[] = [];
  const latency: number[] = [];
  const memory: number[] = [];
  const health: number[] = [];
  let [kl, shift, variance, requests, baseline, slower, gained, failing] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let cell = 0; cell < grid.length; cell++) {
    const count = (course.rate[cell] ?? 0) * seconds;
    const [p1, p0] = [figure(course, cell, "errors"), Math.max(1e-4, figure(reference, cell, "errors"))];
    requests += count;
    baseline += count * p0;
    variance += count * p0 * (1 - p0) * service.dispersion;
    if (p1 > p0) kl += (count * divergence(Math.min(p1, 0.999), p0)) / service.dispersion;
    shift += count * Math.max(0, p1 - p0);
    const spread = variance + (baseline * service.wander.errors) ** 2 * wanders(cell + 1);
    errors.push(requests === 0 ? 0 : Math.min(kl, shift ** 2 / (2 * Math.max(1e-9, spread))));

    slower += Math.log(figure(course, cell, "p99") / figure(reference, cell, "p99"));
    const mean = Math.max(0, slower / (cell + 1));
    latency.push(
      mean ** 2 / (2 * (quantileVariance(service.tail, requests) + service.wander.latency ** 2 * wanders(cell + 1))),
    );

    gained += (course.memory[cell] ?? 0) - (reference.memory[cell] ?? 0);
    const drift = (0.02 * service.memory) ** 2 * Math.min(1, (8 * service.wander.seconds) / ((cell + 1) * seconds));
    memory.push(Math.max(0, gained / (cell + 1)) ** 2 / (2 * drift));

    failing += (course.unready[cell] ?? 0) * service.pods * (seconds / PROBE_SECONDS);
    const usual = 0.02 * (cell + 1);
    health.push(failing <= usual ? 0 : failing * Math.log(failing / usual) - failing + usual);
  }
  return { error_rate: errors, p99_latency: latency, memory_usage: memory, health_check_failures: health };
}

/** Seconds between two readiness probes of a pod: `periodSeconds`' default in the Kubernetes API reference (Probe v1). */
export const PROBE_SECONDS = 10;

/** Kullback–Leibler divergence of Bernoulli p from Bernoulli q, in nats a request. */
function divergence(p: number, q: number): number {
  return p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
}

/** Variance of the log of the empirical 99th percentile of n lognormal times: p(1−p)/(n φ(z)²) · σ² (David and Nagaraja, "Order Statistics", 10.2). */
export function quantileVariance(tail: number, requests: number): number {
  const density = Math.exp((-Z99 * Z99) / 2) / Math.sqrt(2 * Math.PI);
  return (tail ** 2 * 0.0099) / (Math.max(1, requests) * density ** 2);
}
