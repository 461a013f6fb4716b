import type { ScenarioName } from "../sandbox/scenarios.ts";
import type { TrafficReport } from "../sandbox/traffic/main.ts";

/**
 * How a scenario hurts before it is taken back: visitors fail (few of them where a canary alone is bad), visitors wait, or nobody is hurt yet, because pods
 * never get ready or because memory still lasts.
 */
export type Harm = "failures" | "few-failures" | "latency" | "unready" | "memory" | "none";

/** In the order of a scenario's troubles. */
export const HARM: Readonly<Record<ScenarioName, readonly [Harm, ...Harm[]]>> = {
  "bad-deploy": ["failures"],
  "bad-latency": ["latency"],
  decoy: ["failures"],
  leak: ["memory"],
  "not-ready": ["unready"],
  canary: ["few-failures"],
  "good-canary": ["none"],
  flag: ["failures"],
  "external-outage": ["failures"],
  blip: ["none"],
  two: ["failures", "latency"],
  train: ["failures", "failures"],
  quiet: ["none"],
};

/** What visitors saw in a span of time; `p99Ms` is the median of its seconds' 99th percentiles. */
export interface Service {
  readonly failedShare: number;
  readonly p99Ms: number;
}

/** Three seconds of visitors are some two hundred visits; fewer say nothing. */
const FEWEST_SECONDS = 3;

/** null: the record is too short to tell. */
export function serviceIn(traffic: readonly TrafficReport[], from: number, to: number): Service | null {
  const part = traffic.filter(({ at }) => at > from && at <= to);
  const failed = part.reduce((sum, report) => sum + report.failed, 0);
  const sent = part.reduce((sum, report) => sum + report.sent, 0);
  const slowest = part.flatMap(({ p99Ms }) => (p99Ms === null ? [] : [p99Ms])).sort((a, b) => a - b);
  const p99Ms = slowest[Math.floor(slowest.length / 2)];
  return part.length < FEWEST_SECONDS || sent === 0 || p99Ms === undefined
    ? null
    : { failedShare: failed / sent, p99Ms };
}

/** Five in a hundred: the error rate at which the policies act, and far from the noise of a few hundred visits. */
const MORE_FAILURES = 0.05;

export function failsMore(service: Service, than: Service): boolean {
  return service.failedShare > than.failedShare + MORE_FAILURES;
}

/** One in a hundred: some visits in a few hundred, where before hardly any failed. */
const SOME_FAILURES = 0.01;

export function failsSome(service: Service, than: Service): boolean {
  return service.failedShare > than.failedShare + SOME_FAILURES;
}

/**
 * Twice as slow, and by a quarter of a second: a second's 99th percentile is nearly its slowest visit, which a busy
 * machine alone moves by tens of milliseconds.
 */
const MORE_MS = 250;

export function isSlower(service: Service, than: Service): boolean {
  return service.p99Ms > 2 * than.p99Ms && service.p99Ms > than.p99Ms + MORE_MS;
}

export function serviceText({ failedShare, p99Ms }: Service): string {
  return `${(failedShare * 100).toFixed(1)} % failed, 99th percentile ${Math.round(p99Ms)} ms`;
}
