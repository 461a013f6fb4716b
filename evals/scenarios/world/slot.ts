import {
  answersTo,
  type Course,
  callingOf,
  ceilingOf,
  factorOf,
  figure,
  type Node,
  overQuotaOf,
  rejectedOf,
  stallOf,
  totalOf,
} from "./node.ts";

/** What one version does in one cell. */
export interface Slot {
  readonly errors: number;
  /** The part of `errors` that fails here, not at a callee. */
  readonly ownErrors: number;
  /** The part of that which depends on who asks. */
  readonly rejected: number;
  readonly median: number;
  readonly p99: number;
  /** Median of its own work, callees apart. */
  readonly work: number;
  readonly unready: number;
  readonly stalled: number;
  readonly stallMs: number;
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
  const waiting = waitingAt(load);
  const pooled = (course.rate[cell] ?? 0) / ceilingOf(node, position);
  const queued = waitingAt(pooled);
  const pressure = Math.min(1, Math.max(0, ((course.memory[cell] ?? 0) - 0.88) / 0.1));
  const warm = 1 + (service.warmUp.factor - 1) * fresh;
  const slower = factorOf(node, position, ({ latencyFactor }) => latencyFactor);
  const work = service.ownMedianMs * drift.latency * slower * warm + totalOf(node, position, ({ addedMs }) => addedMs);
  const alone = work * (1 + 0.15 * waiting) * (1 + pressure) * (1 + 0.15 * queued);
  let median = alone;
  let p99 = work * Math.exp(Z99 * service.tail) * (1 + 0.35 * waiting) * (1 + 4 * pressure) * (1 + 0.35 * queued);
  const stall = stallOf(node, position);
  if (stall.share > 0) {
    const undisturbed = { median, p99 };
    median = heldUp(undisturbed, stall, 0.5);
    p99 = heldUp(undisturbed, stall, 0.99);
  }

  const shed = (load > 1 ? 1 - 1 / load : 0) + (pooled > 1 ? 1 - 1 / pooled : 0);
  const resets = service.warmUp.resets * Math.min(1, (versions.replaced[cell] ?? 0) * 4);
  const faulty = totalOf(node, position, ({ errors }) => errors) + broken(node, cell, position);
  const rejected = rejectedOf(node, cell, position);
  const away = totalOf(node, position, ({ turnedAway }) => turnedAway) + overQuotaOf(node, cell, position) + rejected;
  const own = Math.min(1, service.baseError * drift.errors + faulty + shed + resets + 0.3 * pressure ** 2 + away);
  let whole = 1 - own;
  let wait = 0;
  for (const { call: usual, callee, lag } of node.calls) {
    const { call } = callingOf(node, usual);
    if (call.queue) {
      whole *= 1 - Math.min(1, call.perRequest) * (callee.course.lost[cell] ?? 0) * (1 - call.fallback);
      continue;
    }
    const [typical, worst] = [figure(callee.course, cell - lag, "median"), figure(callee.course, cell - lag, "p99")];
    const late = lateOf(callee.course, cell - lag, call.timeoutMs);
    const refused = callee.course.refused[Math.max(0, cell - lag)] ?? 0;
    const failing = 1 - (1 - answersTo(callee.course, cell - lag, service.name)) * (1 - late) * (1 - refused);
    const left = call.attempts > 1 ? failing * (1 - TRANSIENT + TRANSIENT * failing ** (call.attempts - 1)) : failing;
    whole *= 1 - Math.min(1, call.perRequest) * left * (1 - call.fallback);
    median += 0.6 * Math.min(1.5, call.perRequest) * Math.min(typical, call.timeoutMs);
    wait = Math.max(wait, 0.7 * Math.min(1, call.perRequest / OFTEN) * Math.min(worst, call.timeoutMs));
  }
  p99 = Math.max(p99 + wait, median * 1.05);
  median = Math.min(median, p99);
  return {
    errors: Math.min(1, 1 - whole),
    ownErrors: own,
    rejected,
    median,
    p99,
    work: alone,
    unready: 0.5 * pressure ** 2,
    stalled: stall.share,
    stallMs: stall.ms,
  };
}

/** How much longer than the work itself a request waits at a use of what serves it, of 1: as in a queue, from half on. */
function waitingAt(use: number): number {
  const busy = Math.min(0.97, Math.max(0, (use - 0.5) / 0.5));
  return busy / (1 - busy);
}

/** Share of a callee's answers that come after a limit. */
export function lateOf(callee: Course, cell: number, limitMs: number): number {
  const late = exceeds(limitMs, figure(callee, cell, "median"), figure(callee, cell, "p99"));
  const stalled = figure(callee, cell, "stalled");
  if (stalled === 0) return late;
  const at = Math.max(0, cell);
  const held = Math.max(callee.newer.stallMs[at] ?? 0, callee.older.stallMs[at] ?? 0) > limitMs;
  return held ? Math.max(stalled, Math.min(late, 0.01)) : Math.min(late, 0.01);
}

/** A quantile of lognormal times of which a share is held up by a fixed time, by bisection on the logarithm. */
function heldUp(
  { median, p99 }: { readonly median: number; readonly p99: number },
  { share, ms }: { readonly share: number; readonly ms: number },
  quantile: number,
): number {
  const above = (limit: number) => (limit <= 0 ? 1 : exceeds(limit, median, p99));
  let [low, high] = [Math.log(median / 8), Math.log(p99 * 8 + ms)];
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    const limit = Math.exp(middle);
    if ((1 - share) * above(limit) + share * above(limit - ms) > 1 - quantile) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
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
