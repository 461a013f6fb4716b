import { type SampleIndex, samplesBetween } from "./samples.ts";

/** One sample of a service, in logarithms: what it was asked a second, what it used, and what it used for each request. */
export interface RequestCost {
  readonly asked: number;
  readonly use: number;
  readonly cost: number;
}

export interface RequestCosts {
  readonly stepMs: number;
  /** After `from` and up to `to`, oldest first; samples without requests or without use are left out. */
  between(from: number, to: number): readonly RequestCost[];
}

/** Processor time beside requests; null where one of the two is not measured. */
export function requestCosts(index: SampleIndex, service: string): RequestCosts | null {
  const use = index.whole(service, "cpu_usage");
  const rate = index.whole(service, "request_rate");
  if (use === undefined || rate === undefined) return null;
  return {
    stepMs: use.stepMs,
    between(from, to) {
      const rates = new Map(samplesBetween(rate, from, to).map((one) => [one.at, one.value]));
      return samplesBetween(use, from, to).flatMap(({ at, value }) => {
        const asked = rates.get(at) ?? 0;
        return asked > 0 && value > 0
          ? [{ asked: Math.log(asked), use: Math.log(value), cost: Math.log(value / asked) }]
          : [];
      });
    },
  };
}
