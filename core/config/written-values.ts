import type { SecretRef } from "./config.ts";
import { parseDuration } from "./durations.ts";
import { secretOf } from "./variables.ts";

/** A duration that the schema has accepted, in ms. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new RangeError("a duration that was never checked");
  return ms;
}

/** A secret field that the checks have accepted. */
export function secretRefOf(text: string): SecretRef {
  return secretOf(text) ?? { from: "text", value: text };
}

export function secretRef(text: string | undefined): SecretRef | null {
  return text === undefined ? null : secretRefOf(text);
}

/** Freezes plain data through and through, and returns it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}
