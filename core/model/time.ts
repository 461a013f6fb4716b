import { z } from "zod";
import { type Fenced, ours } from "./fenced.ts";

/** A moment: Unix time in milliseconds. Everything inside unship counts so; RFC 3339 is for the edges. */
export const Moment = z.number().int().nonnegative();

/** A closed span of time, both ends Unix ms, `from` ≤ `to`. */
export const Window = z.strictObject({ from: Moment, to: Moment });
export type Window = Readonly<z.infer<typeof Window>>;

/** Unix ms → RFC 3339 UTC with milliseconds, as all our JSON output spells time. `null` stays `null`. */
export function rfc3339(at: number): Fenced;
export function rfc3339(at: number | null | undefined): Fenced | null;
export function rfc3339(at: number | null | undefined): Fenced | null {
  return at === null || at === undefined ? null : ours(new Date(at).toISOString());
}

/** Time of day as people on call read it, with the day where it is not the same: "14:32 UTC", "2026-01-02 14:32 UTC". */
export function clockText(at: number, now: number): Fenced {
  const [day = "", time = ""] = new Date(at).toISOString().split("T");
  const sameDay = new Date(now).toISOString().startsWith(day);
  return ours(`${sameDay ? "" : `${day} `}${time.slice(0, 8)} UTC`);
}

/** A duration in ms as people say it, rounded to the second from one second on: `90000` → `"1m30s"`, `500` → `"500ms"`, `0` → `"0s"`. */
export function durationText(ms: number): Fenced {
  if (ms < 1000) return Math.round(ms) === 0 ? ours("0s") : ours(`${Math.round(ms)}ms`);
  const seconds = Math.round(ms / 1000);
  const parts: string[] = [];
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
    ["s", 1],
  ] as const) {
    const taken = parts.reduce((rest, part) => rest - secondsOf(part), seconds);
    const count = Math.floor(taken / size);
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return ours(parts.join(""));
}

function secondsOf(part: string): number {
  const size = { d: 86_400, h: 3600, m: 60, s: 1 }[part.slice(-1)] ?? 0;
  return Number(part.slice(0, -1)) * size;
}
