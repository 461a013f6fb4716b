/** Five percent of requests failed: the seed policy's own threshold. */
const USUAL_ERRORS = 0.05;
/** A service that fails half of its requests by itself is judged by its own past alone. */
const MOST_ERRORS = 0.5;

/** A threshold with what it was derived from, in words. */
export interface Derived {
  readonly threshold: number;
  readonly why: string;
}

/**
 * The share of failed requests from which on a service is degraded: 5 %, or twice what the worst service had on its worst
 * five minutes of the last day. null where that is beyond half of all requests: then only its own past can tell.
 */
export function errorThreshold(highest: { readonly value: number; readonly service: string } | null): Derived | null {
  if (highest === null)
    return { threshold: USUAL_ERRORS, why: "5 %, the common default: the last day has no value to derive it from" };
  if (highest.value === 0) return { threshold: USUAL_ERRORS, why: "5 %; no failure in the last day" };
  const seen = `the highest of the last day was ${Number((highest.value * 100).toPrecision(2))} % (${highest.service})`;
  if (2 * highest.value <= USUAL_ERRORS) return { threshold: USUAL_ERRORS, why: `5 %; ${seen}` };
  const threshold = roundedUp(2 * highest.value);
  return threshold > MOST_ERRORS ? null : { threshold, why: `twice the highest of the last day; ${seen}` };
}

/** The latency (ms) from which on a service is degraded: twice the highest of the last day; null where none is known. */
export function latencyThreshold(highest: { readonly value: number; readonly service: string } | null): Derived | null {
  if (highest === null || highest.value <= 0) return null;
  const threshold = roundedUp(2 * highest.value);
  return {
    threshold,
    why: `ms; twice the highest of the last day (${Number(highest.value.toPrecision(3))}, ${highest.service})`,
  };
}

/** To two significant digits, never down. */
function roundedUp(value: number): number {
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.ceil(value / unit - 1e-9) * unit).toPrecision(2));
}
