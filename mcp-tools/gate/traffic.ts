import { UnshipError } from "../../core/errors.ts";
import type { Clock, MetricSource } from "../../core/ports.ts";
import type { TrafficReader } from "./parts.ts";

/** How far back the present traffic is taken from: long enough for the slowest usual scrape, a minute, to come twice. */
const LOOK_BACK_MS = 120_000;

/**
 * Reads requests a second by service, the newest sample of each within two minutes, from the first source that answers
 * for `request_rate`. A service without a sample is not in the answer. Throws where no source answers: then nobody
 * knows (S9).
 */
export function createTraffic(sources: readonly MetricSource[], clock: Clock, stepMs: number): TrafficReader {
  return async (abort) => {
    const to = clock.now();
    const query = {
      metric: "request_rate",
      window: { from: to - LOOK_BACK_MS, to },
      stepMs,
      purpose: "statistics",
    } as const;
    let failed: unknown;
    for (const source of sources.filter((one) => one.metrics().includes(query.metric))) {
      const series = await source.range(query, abort).catch((error: unknown) => {
        failed = error;
        return [];
      });
      const rates = series
        .filter(({ labels }) => Object.keys(labels).length === 0)
        .flatMap(({ service, values }) => {
          const newest = values.findLast((value) => value !== null);
          return newest === undefined || newest === null ? [] : [[service, newest] as const];
        });
      if (rates.length > 0) return new Map(rates);
    }
    // A source that failed in our own words says more than that nothing came.
    throw failed instanceof UnshipError
      ? failed
      : new UnshipError("source.unavailable", { source: "request_rate" }, { cause: failed });
  };
}
