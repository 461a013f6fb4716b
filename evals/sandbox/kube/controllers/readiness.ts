import type { Container } from "../objects.ts";

export interface ProbeFigures {
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

/**
 * How often a container is probed and how many answers in a row turn it.
 *
 * A container without `readinessProbe` is probed all the same, every second with thresholds of one: a kubelet would
 * call it ready as soon as its process runs, which here would send traffic to a port that is not yet open.
 *
 * @param periodMs in place of every pod's own period, where given
 */
export function probeFigures({ readinessProbe }: Container, periodMs?: number): ProbeFigures {
  if (readinessProbe === undefined)
    return { initialDelayMs: 0, periodMs: periodMs ?? 1000, successThreshold: 1, failureThreshold: 1 };
  const { initialDelaySeconds = 0, periodSeconds = 10, successThreshold = 1, failureThreshold = 3 } = readinessProbe;
  return {
    initialDelayMs: initialDelaySeconds * 1000,
    periodMs: periodMs ?? periodSeconds * 1000,
    successThreshold,
    failureThreshold,
  };
}

/** Ready or not, after answers of the probe. */
export interface Readiness {
  readonly ready: boolean;
  readonly successes: number;
  readonly failures: number;
}
export const NOT_READY: Readiness = { ready: false, successes: 0, failures: 0 };

/** The readiness after one more answer. @see https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/ */
export function afterProbe(before: Readiness, ok: boolean, figures: ProbeFigures): Readiness {
  const successes = ok ? before.successes + 1 : 0;
  const failures = ok ? 0 : before.failures + 1;
  if (ok) return { ready: before.ready || successes >= figures.successThreshold, successes, failures };
  return { ready: before.ready && failures < figures.failureThreshold, successes, failures };
}
