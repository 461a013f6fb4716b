import type { TrafficReport } from "../../sandbox/traffic/main.ts";
import { BOUNDS, type PodCounters, type Traffic } from "./traffic.ts";

/** What visitors of one service see, second by second, from its pods' own counters. */
export interface VisitorRecord extends Disposable {
  readonly reports: readonly TrafficReport[];
}

const EVERY_MS = 1000;
/** A pod that is gone takes its last second with it: its counters are read as often as requests are made. */
export function recordVisitors(traffic: Traffic, door: string): VisitorRecord {
  const reports: TrafficReport[] = [];
  const last = new Map<string, Counts>();
  const timer = setInterval(() => {
    const pods = traffic.counters().filter(({ pod }) => pod.service === door);
    const news = pods.map((counter) => {
      const now = countsOf(counter);
      const before = last.get(counter.pod.name) ?? NONE;
      last.set(counter.pod.name, now);
      return {
        ok: now.ok - before.ok,
        failed: now.failed - before.failed,
        buckets: minus(now.buckets, before.buckets),
      };
    });
    const sum = (of: (one: Counts) => number) => news.reduce((total, one) => total + of(one), 0);
    const buckets = BOUNDS.map((_, index) => sum((one) => one.buckets[index] ?? 0));
    const [answered, failed] = [sum(({ ok }) => ok), sum((one) => one.failed)];
    const sent = answered + failed;
    reports.push({
      kind: "report",
      at: Date.now(),
      sent,
      answered: sent,
      failed,
      p50Ms: quantileMs(0.5, buckets, sent),
      p99Ms: quantileMs(0.99, buckets, sent),
    });
  }, EVERY_MS);
  return { reports, [Symbol.dispose]: () => clearInterval(timer) };
}

interface Counts {
  readonly ok: number;
  readonly failed: number;
  /** Cumulative, as `BOUNDS`. */
  readonly buckets: readonly number[];
}
const NONE: Counts = { ok: 0, failed: 0, buckets: [] };
const countsOf = ({ ok, failed, buckets }: PodCounters): Counts => ({ ok, failed, buckets: [...buckets] });
const minus = (now: readonly number[], before: readonly number[]) => now.map((count, i) => count - (before[i] ?? 0));

/** The least bound below which so large a share of the answers lies, ms; null without any answer. */
export function quantileMs(share: number, buckets: readonly number[], count: number): number | null {
  if (count === 0) return null;
  const at = buckets.findIndex((within) => within >= share * count);
  return 1000 * (BOUNDS[at] ?? BOUNDS.at(-1) ?? 0);
}
