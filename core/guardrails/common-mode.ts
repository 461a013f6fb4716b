import { median } from "../detection/robust.ts";
import type { Series } from "../model/signal.ts";
import { ENOUGH_SAMPLES, medianAtLeast } from "./recovery-statistics.ts";

/** A service that the act cannot reach: one and the same latency before the trouble and since the act, in one unit. */
export interface Bystander {
  readonly before: Series;
  readonly since: Series;
}

export interface Slowdown {
  /** How many times slower than before; 1: not slower. */
  readonly factor: number;
  /** The services that it was told by, sorted; empty where nothing could be told. */
  readonly services: readonly string[];
}

const NONE: Slowdown = { factor: 1, services: [] };
/** One service that is slow may have a trouble of its own; what slows everything slows more than one. */
const LEAST_BYSTANDERS = 2;
/** Samples on either side of a moment that speak of it, so that together they are as many as verification asks for. */
const REACH = (ENOUGH_SAMPLES - 1) / 2;

/**
 * How many times slower everything is at each moment (Unix ms in) than before the trouble, as those show that the act
 * cannot reach: what slows them is no doing of the change, and slows its service too. This is the difference in
 * differences of log latency: a service's own shift less the shift of those untouched.
 *
 * A bystander's shift at a moment is the median of its samples about it over its median before. Of all shifts, the
 * lower 95 % confidence limit of their median counts (with fewer than five, the least): that all are slower by a factor
 * is found in full, that only some are is not found at all. Never below 1: that others are faster is no reason to ask
 * for more. `least`: with fewer bystanders nothing is told.
 *
 * @see Card & Krueger (1994), Am. Econ. Rev. 84(4):772–793, for the method; Zhang et al. (2018), FUNNEL: Assessing
 *   Software Changes in Web-Based Services, IEEE Trans. Serv. Comput. 11(1):34–48, for its use on software changes
 */
export function commonSlowdown(
  bystanders: readonly Bystander[],
  least: number = LEAST_BYSTANDERS,
): (at: number) => Slowdown {
  const known = bystanders.flatMap(({ before, since }) => {
    const usual = before.values.filter((value) => value !== null);
    const center = usual.length < ENOUGH_SAMPLES ? 0 : median(usual);
    return center > 0 ? [{ center, since }] : [];
  });
  return (at) => {
    const shifts = known.flatMap(({ center, since }) => {
      const value = levelAbout(since, at);
      return value === null ? [] : [{ service: since.service, factor: value / center }];
    });
    if (shifts.length < least) return NONE;
    const factor = Math.max(1, medianAtLeast(shifts.map((shift) => shift.factor)));
    return factor === 1 ? NONE : { factor, services: shifts.map(({ service }) => service).sort() };
  };
}

/** The level of a series about a moment; null where most of the samples that would tell are missing. */
function levelAbout({ values, startAt, stepMs }: Series, at: number): number | null {
  const middle = Math.round((at - startAt) / stepMs);
  const near = values.slice(Math.max(0, middle - REACH), Math.max(0, middle + REACH + 1));
  const present = near.filter((value) => value !== null);
  return present.length <= REACH ? null : median(present);
}
