import { withoutComment } from "./hints/numbers.ts";
import { quoted, write } from "./hints/write.ts";

/** Units of a duration in ms, largest first, as Prometheus counts them: a week is 7 d, a year 365 d. */
const UNITS = [
  ["y", 31_536_000_000],
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;

/**
 * Each unit at most once, from large to small, or a bare 0.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/basics/#time-durations
 */
export const DURATION_PATTERN = "^(0|(?=\\d)(\\d+y)?(\\d+w)?(\\d+d)?(\\d+h)?(\\d+m(?!s))?(\\d+s)?(\\d+ms)?)$";
const DURATION = new RegExp(DURATION_PATTERN);

/** Ten years: more than any duration here can mean, and far inside what a number holds exactly. */
const LONGEST_MS = 10 * 31_536_000_000;

/** `"1h30m"` → 5400000 (ms); null for what is no duration in Prometheus' spelling or is longer than ten years. */
export function parseDuration(text: string): number | null {
  if (!DURATION.test(text)) return null;
  let total = 0;
  for (const [, count = "", unit = ""] of text.matchAll(/(\d+)(ms|[ywdhms])/g)) {
    total += Number(count) * (UNITS.find(([name]) => name === unit)?.[1] ?? Number.NaN);
  }
  return total <= LONGEST_MS ? total : null;
}

/** ms → the shortest exact spelling without weeks and years: 5400000 → `"1h30m"`, 1500 → `"1s500ms"`, 0 → `"0s"`. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  let text = "";
  for (const [unit, size] of UNITS.filter(([unit]) => unit !== "y" && unit !== "w")) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === "" ? "0s" : text;
}

/** How people spell the units, in any case. `M` is read as minutes: nobody writes months into a threshold. */
const SPELLINGS: Readonly<Record<string, number>> = {
  ms: 1,
  msec: 1,
  msecs: 1,
  millisecond: 1,
  milliseconds: 1,
  s: 1000,
  sec: 1000,
  secs: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  min: 60_000,
  mins: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  hrs: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
  weeks: 604_800_000,
};

/** Ends of the names of units, as they stand in action texts. */
export const SPELLED_UNITS: readonly string[] = Object.keys(SPELLINGS);

/** `"3 minutes"`, `"1.5h"`, `"1 h 30 min"` → ms; null where it is not a row of counts with units. */
export function parseSpokenDuration(text: string): number | null {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)\s*([A-Za-z]+)/g)];
  const rest = text.replaceAll(/(\d+(?:\.\d+)?)\s*([A-Za-z]+)/g, "").replaceAll(/\band\b|[\s,]/gi, "");
  if (parts.length === 0 || rest !== "") return null;
  let total = 0;
  for (const [, count = "", unit = ""] of parts) {
    const size = SPELLINGS[unit.toLowerCase()];
    if (size === undefined) return null;
    total += Number(count) * size;
  }
  const ms = Math.round(total);
  return ms <= LONGEST_MS ? ms : null;
}

/** What somebody who wrote `text` for a duration should write: `"3 minutes"` → `write "3m"`. */
export function durationHint(text: string): string {
  const example = 'write it like "90s", "3m" or "1h30m"';
  if (text.length > 40) return example;
  const plain = withoutComment(text).trim().replace(/^-/, "");
  const spelled = (unit: string) => quoted(formatDuration(parseSpokenDuration(plain + unit) ?? 0));
  if (/^\d+(\.\d+)?$/.test(plain))
    return Number(plain) === 0 ? example : write(spelled("m"), ` for minutes, or ${spelled("s")} for seconds`);
  const ms = parseSpokenDuration(plain) ?? parseIsoDuration(plain) ?? parseClock(plain);
  return ms === null || ms === 0 ? example : write(quoted(formatDuration(ms)));
}

/** ISO 8601's spelling, which XML and Java take: `"PT1H30M"` → ms. */
function parseIsoDuration(text: string): number | null {
  const units = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i.exec(text);
  if (units === null) return null;
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = units;
  return parseSpokenDuration(`${days}d ${hours}h ${minutes}m ${seconds}s`);
}

/** As on a clock: `"01:30:00"` and `"1:30"` → 1 h 30 min, in ms. */
function parseClock(text: string): number | null {
  const [, hours, minutes, seconds = "0"] = /^(\d{1,3}):([0-5]\d)(?::([0-5]\d))?$/.exec(text) ?? [];
  return hours === undefined ? null : parseSpokenDuration(`${hours}h ${minutes}m ${seconds}s`);
}
