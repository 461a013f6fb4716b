import type { Approval } from "./gate-store.ts";
import { TOLERATED_MS } from "./rules/clock.ts";

/**
 * Whether an answer was given at a time that a clock (Unix ms) has yet to reach: it was set back since, and how long ago the
 * answer was given, nobody can tell (S4, S9). Machines whose clocks agree as well as those of NTP do differ by less.
 */
export const isOfAnotherTime = (
  { at, expiresAt, wallExpiresAt }: Pick<Approval, "at" | "expiresAt" | "wallExpiresAt">,
  clockAt: number,
): boolean => clockAt < wallExpiresAt - (expiresAt - at) - TOLERATED_MS;
