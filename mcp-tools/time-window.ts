import { z } from "zod";
import { UnshipError } from "../core/errors.ts";
import type { Window } from "../core/model/time.ts";

/** Input fields of tools that ask for a span of time. */
export const windowFields = {
  minutes: z.number().min(1).max(10_080).default(60).describe("Length of the window"),
  until: z.string().max(40).optional().describe("Its end, RFC 3339; without: now"),
};

/** The window that was asked for, never past `now`. Throws "input.invalid" for a time that is none. */
export function windowOf(
  { minutes, until }: { readonly minutes: number; readonly until?: string | undefined },
  now: number,
): Window {
  const end = until === undefined ? now : Date.parse(until);
  if (Number.isNaN(end) || end < 0) {
    throw new UnshipError("input.invalid", { what: "until", reason: "write it like 2026-01-31T12:00:00Z" });
  }
  const to = Math.min(end, now);
  return { from: Math.max(0, to - minutes * 60_000), to };
}
