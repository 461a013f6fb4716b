import { UnshipError } from "../../core/errors.ts";
import type { Sources } from "../../core/ports.ts";

/**
 * The longest that a look waits for one answer, however many requests it takes: as long as Prometheus' own default
 * `scrape_timeout`, after which it, too, takes what was asked for as lost.
 * @see https://prometheus.io/docs/prometheus/latest/configuration/configuration/
 */
export const ANSWER_MS = 10_000;

/**
 * The answer, or `source.slow` after `limitMs`, whether or not whoever is asked heeds its signal; on abort its reason.
 */
export async function within<T>(
  source: string,
  limitMs: number,
  abort: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const slow = new UnshipError("source.slow", { source, seconds: limitMs / 1000 });
  const timer = setTimeout(() => late.abort(slow), limitMs);
  const signal = AbortSignal.any([abort, late.signal]);
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
  });
  try {
    signal.throwIfAborted();
    signal.addEventListener("abort", stop);
    return await Promise.race([ask(signal), stopped]);
  } catch (error) {
    // A source that heeds the signal says "aborted" itself: what ended it was the deadline.
    throw late.signal.aborted && !abort.aborted ? slow : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** The same sources, each answer of which comes within `limitMs` or is `source.slow`: one that hangs stalls no look. */
export function withDeadlines(sources: Sources, limitMs: number): Sources {
  const { metrics, changes, logs, traces, topology, flags, rollouts, alerts, infrastructure, commits } = sources;
  const limited =
    (source: string) =>
    <T>(abort: AbortSignal, ask: (signal: AbortSignal) => Promise<T>) =>
      within(source, limitMs, abort, ask);
  return {
    metrics: metrics.map((one) => ({
      name: one.name,
      metrics: () => one.metrics(),
      range: (query, abort) => limited(one.name)(abort, (signal) => one.range(query, signal)),
    })),
    changes: changes.map((one) => ({
      name: one.name,
      changes: (window, abort) => limited(one.name)(abort, (signal) => one.changes(window, signal)),
    })),
    logs: logs.map((one) => ({
      name: one.name,
      search: (query, abort) => limited(one.name)(abort, (signal) => one.search(query, signal)),
    })),
    traces: traces.map((one) => ({
      name: one.name,
      spans: (query, abort) => limited(one.name)(abort, (signal) => one.spans(query, signal)),
    })),
    topology: topology.map((one) => ({
      name: one.name,
      topology: (abort) => limited(one.name)(abort, (signal) => one.topology(signal)),
    })),
    flags: flags.map((one) => ({
      name: one.name,
      flags: (abort) => limited(one.name)(abort, (signal) => one.flags(signal)),
    })),
    rollouts: rollouts.map((one) => ({
      name: one.name,
      rollouts: (abort) => limited(one.name)(abort, (signal) => one.rollouts(signal)),
    })),
    alerts: alerts.map((one) => ({
      name: one.name,
      alerts: (window, abort) => limited(one.name)(abort, (signal) => one.alerts(window, signal)),
    })),
    ...(infrastructure === undefined
      ? {}
      : {
          infrastructure: infrastructure.map((one) => ({
            name: one.name,
            infrastructure: (window, abort) => limited(one.name)(abort, (signal) => one.infrastructure(window, signal)),
          })),
        }),
    ...(commits === undefined
      ? {}
      : {
          commits: commits.map((one) => ({
            name: one.name,
            commits: (change, abort) => limited(one.name)(abort, (signal) => one.commits(change, signal)),
          })),
        }),
  };
}
