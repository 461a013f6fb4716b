import { UnshipError } from "../../core/errors.ts";

/** Points of a regular grid: `startAt`, `startAt + stepMs`, … `count` of them. Times are Unix ms. */
export interface Grid {
  readonly startAt: number;
  readonly stepMs: number;
  readonly count: number;
}

/**
 * The points that lie in a closed window (and not after `until`), at whole multiples of the step since the epoch: the
 * same grid whoever asks and whenever, so that series of several sources and polls lie on one another.
 */
export function gridOf(window: { readonly from: number; readonly to: number }, stepMs: number, until: number): Grid {
  if (!Number.isInteger(stepMs) || stepMs <= 0) {
    throw new UnshipError("input.invalid", { what: "step", reason: `${stepMs} is no whole number of ms above 0` });
  }
  const startAt = Math.ceil(window.from / stepMs) * stepMs;
  const last = Math.floor(Math.min(window.to, until) / stepMs) * stepMs;
  return { startAt, stepMs, count: Math.max(0, (last - startAt) / stepMs + 1) };
}
