import { UnshipError } from "../../core/errors.ts";
import type { Clock, MetricSource } from "../../core/ports.ts";
import { within } from "./gather.ts";
import { GATE_LIMITS, type TrafficReader } from "./parts.ts";

/** How far back the present traffic is taken from: long enough for the slowest usual scrape, a minute, to come twice. */
const LOOK_BACK_MS = 120_000;
/** Half of what the gate waits for all of it: where the first source hangs, what the next one said still counts. */
const SOURCE_MS = GATE_LIMITS.inspectTimeoutMs / 2;

/**
 * Reads requests a second by service, the newest sample of each within two minutes, from the first source that answers
 * for `request_rate`; all are asked side by side, for `sourceMs` each at most. A service without a sample is not in the answer. Throws where no source answers: then nobody
 * knows (S9).
 */
export function createTraffic(
  sources: readonly MetricSource[],
  clock: Clock,
  stepMs: number,
  sourceMs = SOURCE_MS,
): TrafficReader {
  return async (abort) => {
    const to = clock.now();
    const query = {
      metric: "request_rate",
      window: { from: to - LOOK_BACK_MS, to },
      stepMs,
      purpose: "statistics",
    } as const;
    let failed: unknown;
    const asked = sources
      .filter((one) => one.metrics().includes(query.metric))
      .map((source) =>
        within(sourceMs, (late) => source.range(query, AbortSignal.any([abort, late]))).catch((error: unknown) => {
          failed = error;
          return [];
        }),
      );
    for (const answer of asked) {
      const series = await answer;
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
      : new UnshipError(
          "source.unavailable",
          {
            source: "request_rate",
            reason: failed === undefined ? "no source has a sample of the last two minutes" : "its source failed",
          },
          { cause: failed },
        );
  };
}
