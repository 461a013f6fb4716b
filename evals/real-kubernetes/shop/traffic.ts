import type { Chance } from "./chance.ts";
import type { Behaviour, Images } from "./images.ts";
import { USUAL_ERRORS } from "./images.ts";
import type { SeenPod } from "./pod-eye.ts";

export interface ServiceModel {
  readonly name: string;
  /** Requests a second that come from outside the shop. */
  readonly rate: number;
  /** Median answer of a good version, s. */
  readonly latencySeconds: number;
  /** Services that it calls for a share of its requests. */
  readonly calls: readonly { readonly callee: string; readonly share: number }[];
}

/** Counters of one pod, since it was first seen. */
export interface PodCounters {
  readonly pod: SeenPod;
  ok: number;
  failed: number;
  seconds: number;
  /** Answers no slower than each of `BOUNDS`, cumulative as Prometheus counts them. */
  readonly buckets: number[];
  readonly called: Map<string, { ok: number; failed: number }>;
  readonly since: number;
}

/**
 * Fine where good versions answer, some bounds where latency policies are set. Each bound is a series for each pod, and
 * Prometheus' work for a quantile grows with them.
 */
export const BOUNDS = [0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2, 3.5, 10];
/** Of the logarithm of an answer's time: the slowest in a hundred takes about three times the median. */
const SIGMA = 0.45;

/** What is true of a service now, not what anybody measured of it. */
export interface Truth {
  readonly errorShare: number;
  /** Its median over the usual one. */
  readonly slowdown: number;
  readonly ready: number;
}

export interface Traffic {
  /** Requests of the time since the last call, in ms, spread over the pods that serve. */
  advance(ms: number, pods: readonly SeenPod[], now: number): void;
  counters(): readonly PodCounters[];
  /** Undefined before the first `advance`. */
  truth(service: string): Truth | undefined;
  /** Makes the service fail this share of its requests, whatever its image; 0 ends it. Somebody else's outage. */
  disturb(service: string, errorShare: number): void;
}

/**
 * What visitors and callers do to the pods that are ready: requests by chance at a steady rate, split evenly; each image
 * fails and delays as `images` say, callers suffer for their share what their callees do. No service retries.
 */
export function createTraffic(services: readonly ServiceModel[], images: Images, by: Chance): Traffic {
  const models = new Map(services.map((service) => [service.name, service]));
  const counters = new Map<string, PodCounters>();
  const truths = new Map<string, Truth>();
  const disturbed = new Map<string, number>();

  const rateOf = (name: string): number => {
    const fromCallers = services.flatMap((caller) =>
      caller.calls.filter(({ callee }) => callee === name).map(({ share }) => rateOf(caller.name) * share),
    );
    return (models.get(name)?.rate ?? 0) + fromCallers.reduce((sum, rate) => sum + rate, 0);
  };
  const rates = new Map(services.map(({ name }) => [name, rateOf(name)]));

  /** Share of requests to the service that fail, and by how much it is slower than usual, over its ready pods. */
  const stateOf = (name: string, pods: ReadonlyMap<string, readonly SeenPod[]>, seen: ReadonlySet<string>): Truth => {
    const ready = pods.get(name) ?? [];
    if (ready.length === 0 || seen.has(name)) return { errorShare: 1, slowdown: 1, ready: 0 };
    const each = ready.map((pod) => answerOf(name, images.behaviourOf(pod.image), pods, new Set([...seen, name])));
    const mean = (of: "errorShare" | "slowdown") => each.reduce((sum, one) => sum + one[of], 0) / each.length;
    return { errorShare: mean("errorShare"), slowdown: mean("slowdown"), ready: ready.length };
  };
  const answerOf = (
    name: string,
    behaviour: Behaviour | undefined,
    pods: ReadonlyMap<string, readonly SeenPod[]>,
    seen: ReadonlySet<string>,
  ) => {
    const usual = models.get(name)?.latencySeconds ?? 0.05;
    const own = Math.max(behaviour?.errorShare ?? USUAL_ERRORS, disturbed.get(name) ?? 0);
    let served = 1 - own;
    let seconds = behaviour?.latencySeconds ?? usual;
    for (const { callee, share } of models.get(name)?.calls ?? []) {
      const state = stateOf(callee, pods, seen);
      served *= 1 - share * Math.max(0, state.errorShare - USUAL_ERRORS);
      seconds += share * (state.slowdown - 1) * (models.get(callee)?.latencySeconds ?? 0);
    }
    return { errorShare: 1 - served, slowdown: seconds / usual };
  };

  const countersOf = (pod: SeenPod, now: number): PodCounters => {
    const found = counters.get(pod.name);
    if (found !== undefined) return found;
    const fresh = { pod, ok: 0, failed: 0, seconds: 0, buckets: BOUNDS.map(() => 0), called: new Map(), since: now };
    counters.set(pod.name, fresh);
    return fresh;
  };

  const serve = (
    model: ServiceModel,
    pod: SeenPod,
    requests: number,
    ready: ReadonlyMap<string, readonly SeenPod[]>,
    now: number,
  ) => {
    const counter = countersOf(pod, now);
    const { errorShare, slowdown } = answerOf(model.name, images.behaviourOf(pod.image), ready, new Set([model.name]));
    const failing = new Map(model.calls.map(({ callee }) => [callee, stateOf(callee, ready, new Set([model.name]))]));
    for (let request = 0; request < requests; request += 1) {
      if (by.next() < errorShare) counter.failed += 1;
      else counter.ok += 1;
      const seconds = model.latencySeconds * slowdown * Math.exp(SIGMA * by.normal());
      counter.seconds += seconds;
      for (const [index, bound] of BOUNDS.entries())
        if (seconds <= bound) counter.buckets[index] = (counter.buckets[index] ?? 0) + 1;
      for (const { callee, share } of model.calls) {
        if (by.next() >= share) continue;
        const call = counter.called.get(callee) ?? { ok: 0, failed: 0 };
        if (by.next() < (failing.get(callee)?.errorShare ?? 1)) call.failed += 1;
        else call.ok += 1;
        counter.called.set(callee, call);
      }
    }
  };

  return {
    advance(ms, pods, now) {
      const ready = Map.groupBy(
        pods.filter((pod) => pod.serving),
        ({ service }) => service,
      );
      const there = new Set(pods.map(({ name }) => name));
      for (const name of counters.keys()) if (!there.has(name)) counters.delete(name);
      for (const pod of pods) if (pod.running) countersOf(pod, now);
      for (const model of services) {
        truths.set(model.name, stateOf(model.name, ready, new Set()));
        const serving = ready.get(model.name) ?? [];
        const mean = ((rates.get(model.name) ?? 0) * ms) / 1000 / Math.max(1, serving.length);
        for (const pod of serving) serve(model, pod, by.poisson(mean), ready, now);
      }
    },
    counters: () => [...counters.values()],
    truth: (service) => truths.get(service),
    disturb(service, errorShare) {
      if (errorShare === 0) disturbed.delete(service);
      else disturbed.set(service, errorShare);
    },
  };
}
