import { factorOf, figure, type Node, totalOf } from "./node.ts";

/** What one version does in one cell. */
export interface Slot {
  readonly errors: number;
  /** The part of `errors` that fails here, not at a callee. */
  readonly ownErrors: number;
  readonly median: number;
  readonly p99: number;
  /** Median of its own work, callees apart. */
  readonly work: number;
  readonly unready: number;
}

/** The 99th percentile of a standard normal. */
export const Z99 = 2.326;
/** From this share of requests on, a request's slowest percent is made of that call's slowest percent. */
const OFTEN = 0.3;
/** Share of failed calls that another try can save; the others fail again, since the request itself is what fails. */
const TRANSIENT = 0.6;

/**
 * One version of a service in one cell. Its own work is lognormal and grows with load as a queue's does; it waits for
 * its callees as they were a lag ago, up to the timeout; a call that fails is tried again, and what still fails is hidden
 * by the fallback or passed on.
 */
export function slotOf(
  node: Node,
  cell: number,
  position: number,
  fresh: number,
  drift: { readonly latency: number; readonly errors: number },
): Slot {
  const { course } = node;
  const { service, versions } = course;
  const load = course.load[cell] ?? 0;
  const busy = Math.min(0.97, Math.max(0, (load - 0.5) / 0.5));
  const waiting = busy / (1 - busy);
  const pressure = Math.min(1, Math.max(0, ((course.memory[cell] ?? 0) - 0.88) / 0.1));
  const warm = 1 + (service.warmUp.factor - 1) * fresh;
  const slower = factorOf(node, position, ({ latencyFactor }) => latencyFactor);
  const work = service.ownMedianMs * drift.latency * slower * warm + totalOf(node, position, ({ addedMs }) => addedMs);
  const alone = work * (1 + 0.15 * waiting) * (1 + pressure);
  let median = alone;
  let p99 = work * Math.exp(Z99 * service.tail) * (1 + 0.35 * waiting) * (1 + 4 * pressure);

  const shed = load > 1 ? 1 - 1 / load : 0;
  const resets = service.warmUp.resets * Math.min(1, (versions.replaced[cell] ?? 0) * 4);
  const faulty = totalOf(node, position, ({ errors }) => errors) + broken(node, cell, position);
  const own = Math.min(1, service.baseError * drift.errors + faulty + shed + resets + 0.3 * pressure ** 2);
  let whole = 1 - own;
  let wait = 0;
  for (const { call, callee, lag } of node.calls) {
    if (call.queue) continue;
    const [typical, worst] = [figure(callee.course, cell - lag, "median"), figure(callee.course, cell - lag, "p99")];
    const late = exceeds(call.timeoutMs, typical, worst);
    const failing = 1 - (1 - figure(callee.course, cell - lag, "errors")) * (1 - late);
    const left = call.attempts > 1 ? failing * (1 - TRANSIENT + TRANSIENT * failing ** (call.attempts - 1)) : failing;
    whole *= 1 - Math.min(1, call.perRequest) * left * (1 - call.fallback);
    median += 0.6 * Math.min(1.5, call.perRequest) * Math.min(typical, call.timeoutMs);
    wait = Math.max(wait, 0.7 * Math.min(1, call.perRequest / OFTEN) * Math.min(worst, call.timeoutMs));
  }
  p99 = Math.max(p99 + wait, median * 1.05);
  median = Math.min(median, p99);
  return { errors: Math.min(1, 1 - whole), ownErrors: own, median, p99, work: alone, unready: 0.5 * pressure ** 2 };
}

/** Share of requests that fail since this version needs a newer version of a callee than the one that answers. */
function broken(node: Node, cell: number, position: number): number {
  let failing = 0;
  for (const { since, callee, version } of node.contracts) {
    const called = node.calls.find(({ call }) => call.callee === callee);
    if (position >= since && called !== undefined)
      failing = Math.max(failing, 0.7 * Math.min(1, called.call.perRequest) * lacking(called.callee, cell, version));
  }
  return failing;
}

/** Share of a callee's traffic that is served by versions before the wanted one; all of it where that never came. */
function lacking(callee: Node, cell: number, version: string): number {
  const { versions } = callee.course;
  const wanted = versions.deploys.findIndex(({ to }) => to === version);
  const newer = versions.newer[cell] ?? -1;
  if (wanted >= 0 && newer > wanted) return 0;
  return wanted >= 0 && newer === wanted ? 1 - (versions.share[cell] ?? 1) : 1;
}

/** Probability that a lognormal time with this median and 99th percentile is longer than a limit. */
export function exceeds(limit: number, median: number, p99: number): number {
  if (median <= 0) return 0;
  const spread = Math.max(0.05, Math.log(Math.max(p99, median * 1.01) / median) / Z99);
  return upperTail(Math.log(limit / median) / spread);
}

/** Upper tail of the standard normal: Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.2.17. */
export function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}
