import { durationText } from "../../../core/model/time.ts";

/**
 * One thing that a surface says of an incident. A number that stands in words is the span of all numbers that are written
 * so: "98 %" is [0.975, 0.985], "> 99 %" is [0.995, 1]. Equal things are equal texts, or spans that meet.
 */
export interface Fact {
  readonly fact: string;
  readonly value: string | Span;
  /** Which surface says it. */
  readonly where: string;
}

export type Span = readonly [from: number, to: number];

/** What one surface says: texts and numbers by the name of the fact; what it does not speak of is absent. */
export type Says = Readonly<Record<string, string | number | Span | readonly string[] | null | undefined>>;

/** Rounding in the last digit, and no more. */
const EPSILON = 1e-9;

/** Gives each thing that is said its place. A list is a set; null is said, too: "none". */
export function facts(where: string, says: Says): readonly Fact[] {
  return Object.entries(says).flatMap(([fact, said]): readonly Fact[] => {
    if (said === undefined) return [];
    if (said === null) return [{ fact, where, value: "none" }];
    if (typeof said === "number") return [{ fact, where, value: [said - EPSILON, said + EPSILON] }];
    if (typeof said === "string") return [{ fact, where, value: said }];
    if (isSpan(said)) return [{ fact, where, value: said }];
    return [{ fact, where, value: said.length === 0 ? "none" : [...new Set(said)].sort().join(", ") }];
  });
}

const isSpan = (said: Span | readonly string[]): said is Span => said.length === 2 && typeof said[0] === "number";

/** Every pair of surfaces that do not say the same, in words; each fact is told once, by its first surface against the others. */
export function contradictions(all: readonly Fact[]): readonly string[] {
  const found: string[] = [];
  for (const [fact, told] of Map.groupBy(all, (one) => one.fact)) {
    const [first, ...others] = told.toSorted((a, b) => sharpness(a) - sharpness(b));
    if (first === undefined) continue;
    for (const other of others)
      if (!agree(first.value, other.value))
        found.push(`${fact}: ${show(first.value)} (${first.where}), but ${show(other.value)} (${other.where})`);
  }
  return found;
}

/** The most exact figure is what the others are held against. */
const sharpness = ({ value }: Fact): number => (typeof value === "string" ? 0 : value[1] - value[0]);

function agree(a: Fact["value"], b: Fact["value"]): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return a[0] <= b[1] + EPSILON && b[0] <= a[1] + EPSILON;
}

const show = (value: Fact["value"]): string =>
  typeof value === "string" ? value : value[1] - value[0] < 1e-6 ? String(value[1]) : `${value[0]} to ${value[1]}`;

/** A percentage in words as a share: "98 %", "> 99.9 %", "< 1 %", "0.396 %"; undefined where the text is none. */
export function share(text: string | undefined): Span | undefined {
  const [, sign, digits] = /^([<>]?) ?(\d+(?:\.\d+)?) ?%$/.exec(text?.trim() ?? "") ?? [];
  if (digits === undefined) return undefined;
  const half = half10(digits);
  // "> 99 %" is what rounds to all of it: beyond the last half that rounds to 99.
  if (sign === ">") return [(Number(digits) + half) / 100 - EPSILON, 1];
  if (sign === "<") return [0, (Number(digits) - half) / 100 + EPSILON];
  return [(Number(digits) - half) / 100, (Number(digits) + half) / 100];
}

/** A number in words as the span that rounds to it. */
export function figure(text: string | undefined): Span | undefined {
  const digits = text?.replaceAll(",", "").trim() ?? "";
  if (!/^\d+(\.\d+)?$/.test(digits)) return undefined;
  const trailing = /^\d+?(0*)$/.exec(digits)?.[1]?.length ?? 0;
  const half = digits.includes(".") ? half10(digits) : 0.5 * 10 ** trailing;
  return [Number(digits) - half, Number(digits) + half];
}

const half10 = (digits: string): number => 0.5 * 10 ** -(digits.split(".")[1]?.length ?? 0);

/** A time of day in words ("19:11:21") or a whole moment as milliseconds; `day`: any moment of the same day, Unix ms. */
export function clock(text: string | null | undefined, day: number): Span | null | undefined {
  if (text === null || text === undefined) return text;
  const iso = /^\d{4}-\d\d-\d\d[T ]/.test(text)
    ? `${text.replace(" ", "T").replace(/Z?$/, "")}Z`
    : `${new Date(day).toISOString().slice(0, 10)}T${text}Z`;
  const at = Date.parse(iso);
  if (!Number.isFinite(at)) return undefined;
  // What has no fraction was cut to the second.
  return iso.includes(".") ? [at, at] : [at, at + 999];
}

/** The span of moments that lie a duration in words before `now`: "12m30s" is rounded to the second. */
export function ago(text: string | undefined, now: number): Span | undefined {
  const parts = [...(text ?? "").matchAll(/(\d+)(ms|d|h|m|s)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== text) return undefined;
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0);
  // Told as the text tells it: what spells otherwise is no duration of ours.
  if (durationText(ms) !== text) return undefined;
  return [now - ms - 500, now - ms + 500];
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** How status names each outcome of an act. */
const ENDS: readonly (readonly [RegExp, string])[] = [
  [/, recovered/, "recovered"],
  [/, DID NOT RECOVER/, "not-recovered"],
  [/, RECOVERY NOT VERIFIED/, "unknown"],
  [/, CHANGED AGAIN/, "superseded"],
];

/** The outcome that the line of a closed incident names; nothing where it names none. */
export function outcomeIn(line: string): Says {
  const end = ENDS.find(([pattern]) => pattern.test(line));
  return end === undefined ? {} : { outcome: end[1] };
}
