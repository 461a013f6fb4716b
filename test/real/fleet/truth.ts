import { USUAL_ERRORS } from "../../../evals/real-kubernetes/shop/images.ts";
import type { Traffic } from "../../../evals/real-kubernetes/shop/traffic.ts";

/** Whether a service is degraded, second by second, by what is true of it and not by what anybody measured. */
export interface TruthRecord {
  note(at: number): void;
  /** Stretches of [from, to] in which the service was degraded, oldest first. */
  degraded(service: string, from: number, to: number): readonly Stretch[];
}

export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly because: string;
}

/** Far outside of what chance does to a good service, and far inside of what every bad image does. */
const ERRORS_OVER_USUAL = 0.01;
const SLOWDOWN = 1.5;

/** `missing`: how many of the service's pods are not ready though they should be. */
export function recordTruth(
  services: readonly string[],
  traffic: Traffic,
  missing: (service: string) => number,
): TruthRecord {
  const stretches = new Map<string, Stretch[]>(services.map((service) => [service, []]));
  let last = 0;
  const why = (service: string): string | null => {
    const truth = traffic.truth(service);
    // A service without any pod is not there yet.
    if (truth === undefined || (truth.ready === 0 && missing(service) === 0)) return null;
    if (missing(service) > 0) return `${missing(service)} of its pods not ready`;
    if (truth.errorShare > USUAL_ERRORS + ERRORS_OVER_USUAL) return `${Math.round(truth.errorShare * 100)} % errors`;
    return truth.slowdown > SLOWDOWN ? `${truth.slowdown.toFixed(1)} times slower` : null;
  };
  return {
    note(at) {
      for (const [service, list] of stretches) {
        const because = why(service);
        const open = list.at(-1);
        if (because === null) continue;
        if (open !== undefined && open.to === last) list[list.length - 1] = { ...open, to: at };
        else list.push({ from: at, to: at, because });
      }
      last = at;
    },
    degraded: (service, from, to) => (stretches.get(service) ?? []).filter((one) => one.to >= from && one.from <= to),
  };
}
