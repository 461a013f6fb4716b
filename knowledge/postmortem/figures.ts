import { shareText } from "../../core/model/share-text.ts";
import { durationText } from "../../core/model/time.ts";

/** A value with its unit as people say it: ratios as percent, the rest at three significant digits. */
export function quantity(value: number | null, unit: string): string {
  if (value === null) return "unknown";
  if (unit === "ratio") return percent(value);
  return unit === "" || unit === "count" ? short(value) : `${short(value)} ${unit}`;
}

/** A share 0–1 as percent: `0.3124` → `31.2 %`, `0.0021` → `0.21 %`. */
export function percent(share: number): string {
  return shareText(share);
}

export function short(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1000 ? rounded.toLocaleString("en-US") : String(rounded);
}

/** `2026-03-02 14:10:05`: UTC, to the second. */
export const dateTime = (at: number) => new Date(at).toISOString().slice(0, 19).replace("T", " ");
/** `14:10:05`: UTC. */
export const clock = (at: number) => new Date(at).toISOString().slice(11, 19);

/** How far after (or before) `from`: `+1m40s`, `−25s`, `0s`. To the second. */
export function offset(at: number, from: number): string {
  const seconds = secondsBetween(at, from);
  return seconds === 0 ? "0s" : `${at > from ? "+" : "−"}${durationText(seconds * 1000)}`;
}

/** The same in words: `25s before`, `1m40s after`, `at`. */
export function beforeOrAfter(at: number, from: number): string {
  const seconds = secondsBetween(at, from);
  return seconds === 0 ? "at" : `${durationText(seconds * 1000)} ${at > from ? "after" : "before"}`;
}

/** The same number of seconds in both directions, as every sentence of the core rounds it: half a second is one. */
const secondsBetween = (at: number, from: number): number => Math.round(Math.abs(at - from) / 1000);

/** A span between two moments, to the second; null where either is not known. */
export function span(from: number | null | undefined, to: number | null | undefined): string | null {
  if (from === null || from === undefined || to === null || to === undefined || to < from) return null;
  return durationText(Math.round((to - from) / 1000) * 1000) || "0s";
}
