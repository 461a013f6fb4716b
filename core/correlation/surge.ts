import { median, robustScale } from "../detection/robust.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Onset } from "../model/finding.ts";
import type { CallGraph } from "./call-graph.ts";
import { onceAnIndex } from "./once.ts";
import { type SampleIndex, samplesBetween, valuesBetween } from "./samples.ts";

/** More traffic than usual where users come in: a third more, and far outside what the last half hour did. */
export const LEAST_RATIO = 1.3;
export const LEAST_DEVIATIONS = 5;
/** Or, while it still rises: an eighth more there, with nearly every service of the system seeing more as well. */
export const RISING_RATIO = 1.125;
const NEARLY_EVERY = 0.8;

/** What is usual is read until so long before an onset. */
export const USUAL_UNTIL_MS = 300_000;

/**
 * Log chance that requests rise to `ratio` times the usual by chance in the minutes of another trouble: one time in a hundred,
 * and for each doubling beyond the least rise ten times less.
 */
export const riseByChance = (ratio: number): number =>
  Math.log(0.01) - Math.log(10) * Math.max(0, Math.log2(ratio / LEAST_RATIO));

/** Nineteen days of twenty stay below this many deviations above the usual. */
const USUAL_DEVIATIONS = 2;

/** Up to how many requests a second each service usually gets at this time, as far as that is known. */
export const usuallyUpTo = (usual: CaseFile["usualTraffic"] = []): ReadonlyMap<string, number> =>
  new Map(usual.map(({ service, center, scale }) => [service, center + USUAL_DEVIATIONS * scale]));

/**
 * The factor by which traffic at the entries rose about the onset, or null where it did not (or nobody measures it).
 * Retries raise traffic inside the graph, not where users come in: those services alone are read. What comes at this time
 * on other days as well (`usual`: up to so many requests a second, by service) was served then, and is no surge: where it rose beyond
 * that, it rose by so much.
 */
export function surgeAtEntries(
  index: SampleIndex,
  graph: CallGraph,
  onset: Onset,
  at: number,
  usual: ReadonlyMap<string, number> = new Map(),
): number | null {
  const beyond = (service: string) => {
    const rise = riseOf(index, service, onset, at);
    const high = usual.get(service) ?? 0;
    return rise === null || high <= 0 ? rise : { ...rise, ratio: Math.min(rise.ratio, rise.now / high) };
  };
  const rises = index.services.map((service) => ({ service, rise: beyond(service) }));
  const measured = rises.filter(({ rise }) => rise !== null);
  const entries = measured.filter(({ service }) => !graph.known || graph.entries.has(service));
  if (entries.length === 0) return null;
  const typical = median(entries.map(({ rise }) => (rise === null || !rise.far ? 1 : rise.ratio)));
  if (typical >= LEAST_RATIO) return typical;
  const middle = median(entries.map(({ rise }) => rise?.ratio ?? 1));
  const more = measured.filter(({ rise }) => (rise?.ratio ?? 1) >= RISING_RATIO).length;
  const everywhere = measured.length >= 3 && more >= NEARLY_EVERY * measured.length;
  return everywhere && middle >= RISING_RATIO ? middle : null;
}

/**
 * The newest traffic of a service (or the level of all of it since the onset) over that of half an hour before the trouble (its last five minutes left out), and
 * whether it is far above (`far`) or below (`fell`). Null where one of the two is not known, or there was none.
 */
export function riseOf(
  index: SampleIndex,
  service: string,
  onset: Onset,
  at: number,
  of: "asked" | "answered" = "asked",
  when: "newest" | "since" = "newest",
): { readonly ratio: number; readonly now: number; readonly far: boolean; readonly fell: boolean } | null {
  const question = `${service}\n${of} ${when} ${onset.earliest} ${onset.at} ${at}`;
  return once(index, question, () => newRise(index, service, onset, at, of, when));
}

/**
 * Whether a surge of users, which is known by then, reaches a service: it answers more than usual. Whom it fails may ask again, but that
 * never raises how many are answered above that. Chance may do so in one look and not in the next ones.
 */
export function answersAlong(index: SampleIndex, service: string, onset: Onset, at: number): boolean {
  return (riseOf(index, service, onset, at, "answered")?.ratio ?? 0) > 1;
}

/**
 * Whether load alone may be what a service suffers from, without being told so surely that it explains it (`demand`): it is asked a
 * third more than in the half hour before, and answers more as well, by what a surge that still rises is known by; lately, or for most
 * of the time since the onset, so that single samples near the bound do not decide at one of many looks. A service that
 * is asked again because it fails answers no more than before.
 */
export function mayBeLoaded(index: SampleIndex, service: string, onset: Onset, at: number): boolean {
  return (["newest", "since"] as const).some((when) => {
    const [asked, answered] = (["asked", "answered"] as const).map((of) => riseOf(index, service, onset, at, of, when));
    return asked?.far === true && asked.ratio >= LEAST_RATIO && (answered?.ratio ?? 0) >= RISING_RATIO;
  });
}

const once = onceAnIndex<ReturnType<typeof riseOf>>();

function newRise(
  index: SampleIndex,
  service: string,
  onset: Onset,
  at: number,
  of: "asked" | "answered",
  when: "newest" | "since",
): ReturnType<typeof riseOf> {
  const read = of === "asked" ? askedBetween : answeredBetween;
  const before = read(index, service, onset.earliest - 2_100_000, onset.earliest - USUAL_UNTIL_MS);
  const after = read(index, service, onset.at, at);
  if (before.length < 4 || after.length === 0) return null;
  const usual = median(before);
  const now = median(when === "newest" ? after.slice(-2) : after);
  if (usual <= 0) return null;
  const deviations = LEAST_DEVIATIONS * robustScale(before, usual);
  return { ratio: now / usual, now, far: now - usual > deviations, fell: usual - now > deviations };
}

const askedBetween = (index: SampleIndex, service: string, from: number, to: number): readonly number[] =>
  valuesBetween(index.whole(service, "request_rate"), from, to);

/** Requests a second that succeeded, of the samples in which failures are measured; all of them where they never are. */
function answeredBetween(index: SampleIndex, service: string, from: number, to: number): readonly number[] {
  const [rate, errors] = [index.whole(service, "request_rate"), index.whole(service, "error_rate")];
  if (rate === undefined || errors === undefined) return askedBetween(index, service, from, to);
  const stepOf = (at: number) => Math.round(at / rate.stepMs);
  const failed = new Map(samplesBetween(errors, from, to).map(({ at, value }) => [stepOf(at), value]));
  return samplesBetween(rate, from, to).flatMap(({ at, value }) => {
    const share = failed.get(stepOf(at));
    return share === undefined ? [] : [value * (1 - Math.max(0, Math.min(1, share)))];
  });
}
