import { POD_DIGITS, type PodFate } from "../stages.ts";
import type { Chance } from "./chance.ts";

/** How an image answers, whatever its pods' fate. */
export interface Behaviour {
  /** Share of requests that it fails by itself, 0 to 1. */
  readonly errorShare: number;
  /** Median time of an answer, s. */
  readonly latencySeconds: number;
  readonly fate: PodFate;
}

/** Every image that the harness ever deployed. What one does stands here and nowhere in its name. */
export interface Images {
  /** A new, higher version of the service. What is not given is as in a good version. */
  issue(service: string, differs?: Partial<Behaviour>): string;
  /** Undefined for an image that was never issued. */
  behaviourOf(image: string): Behaviour | undefined;
}

/** A good service fails a request in three hundred by itself. */
export const USUAL_ERRORS = 0.003;

export function createImages(usualLatency: (service: string) => number, by: Chance): Images {
  const known = new Map<string, Behaviour>();
  const minors = new Map<string, number>();
  return {
    issue(service, differs = {}) {
      const minor = (minors.get(service) ?? 0) + 1;
      minors.set(service, minor);
      const behaviour = {
        errorShare: USUAL_ERRORS,
        latencySeconds: usualLatency(service),
        fate: "ready" as const,
        ...differs,
      };
      const { fate } = behaviour;
      const digit = fate === "ready" ? by.below(POD_DIGITS.neverReady) : POD_DIGITS[fate];
      const image = `shop/${service}:2.${minor}.${digit}`;
      known.set(image, behaviour);
      return image;
    },
    behaviourOf: (image) => known.get(image),
  };
}

export const versionOf = (image: string): string => image.slice(image.lastIndexOf(":") + 1);
