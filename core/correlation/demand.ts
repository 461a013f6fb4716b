import { logAdd, median, robustScale } from "../detection/robust.ts";
import type { Onset } from "../model/finding.ts";
import type { CallGraph } from "./call-graph.ts";
import { HARM_CERTAIN, harmByClass } from "./harm.ts";
import { onceAnIndex } from "./once.ts";
import { countsBetween, type SampleIndex, samplesBetween } from "./samples.ts";
import { LEAST_DEVIATIONS, LEAST_RATIO, RISING_RATIO, riseByChance, USUAL_UNTIL_MS } from "./surge.ts";

/** A degraded service that is asked far more, since its trouble began, than is usual and than it ever served. */
export interface Demand {
  /** Requests at the onset over the usual ones, or over what comes at this time of other days if that is more. */
  readonly ratio: number;
  /** Services that the same callers ask less, by at least half of what this one is asked more. */
  readonly from: readonly string[];
  /**
   * Log chance of such a rise at that moment where the trouble itself does not bring it: by chance, or as retries where
   * these can make it up. Bounded like all that one source tells.
   */
  readonly nats: number;
  /** What it may explain: that the service fails or is slow, or no more than how much processor time it uses. */
  readonly explains: "harm" | "use";
}

export interface DemandInput {
  readonly index: SampleIndex;
  readonly graph: CallGraph;
  /** Log Bayes factors of "hurt" by service. */
  readonly harm: ReadonlyMap<string, number>;
  readonly onset: Onset;
  readonly at: number;
  /** Up to how many requests a second a service usually gets at this time, as far as known. */
  readonly usual: ReadonlyMap<string, number>;
}

/** As for floods: what is asked later than two samples after the onset may be what the trouble led to. */
const FIRST_SAMPLES = 2;
/** The level served is read over five samples: single ones wander. */
const SMOOTHED = 5;
/** The minutes of another trouble, of which `riseByChance` speaks: those about an onset that are left out of what is usual. */
const MINUTES_MS = USUAL_UNTIL_MS;

/**
 * Degraded services that are asked at least a third more than usual (or than at this time of other days) from about the onset on,
 * and clearly more than they ever served within the samples kept: load alone may explain that they are slow or fail. Every other
 * explanation must also say why so many more come at that moment.
 *
 * Failing services are asked again, and that excuses nothing: a request that is tried again until it is answered is
 * answered once, so that retries never raise how many are answered. Where no more are answered than before by a third, the
 * service is absent. Answers that come too late for whoever asks count as answered, and are asked for again: see `mayBeRetries`.
 */
export function demandAtOnset(input: DemandInput): ReadonlyMap<string, Demand> {
  const { index, harm } = input;
  const hurt = index.services.filter((service) => (harm.get(service) ?? 0) >= HARM_CERTAIN);
  return new Map(
    hurt.flatMap((service) => {
      const found = demandOf(input, service);
      return found === null ? [] : [[service, found] as const];
    }),
  );
}

function demandOf(input: DemandInput, service: string): Demand | null {
  const { index, onset, at, usual } = input;
  const first = Math.min(at, onset.latest + FIRST_SAMPLES * index.coarsestMs);
  const level = levelsOf(index, service, onset, first);
  if (level === null || level.now - level.usual <= LEAST_DEVIATIONS * level.scale) return null;
  const ratio = level.now / Math.max(level.usual, usual.get(service) ?? 0);
  if (level.now < RISING_RATIO * level.most || ratio < LEAST_RATIO) return null;
  if (ratio * answered(index, service, onset, first) < LEAST_RATIO) return null;
  const from = askedLess(input, service, level.now - level.usual, first);
  const retries = from.length === 0 && mayBeRetries(input, service, ratio, level.usual) ? RETRIES_NATS : -Infinity;
  const chance = logAdd(riseByChance(ratio) + Math.log(meets(level, onset)), retries);
  return { ratio, from, nats: Math.max(-HARM_CERTAIN, chance), explains: "harm" };
}

interface Levels {
  /** Requests a second: the usual ones, the most that were served for some samples, and those of the onset. */
  readonly usual: number;
  readonly most: number;
  readonly scale: number;
  readonly now: number;
  /** Between which two samples they rose. */
  readonly rose: readonly [number, number];
}

const once = onceAnIndex<Levels | null>();

/** Null where too little is known, or nobody asked. */
function levelsOf(index: SampleIndex, service: string, onset: Onset, until: number): Levels | null {
  return once(index, `${service}\n${onset.earliest} ${onset.at} ${until}`, () => {
    const series = index.whole(service, "request_rate");
    const before = samplesBetween(series, Number.NEGATIVE_INFINITY, onset.earliest - USUAL_UNTIL_MS).map(
      (one) => one.value,
    );
    const after = samplesBetween(series, onset.at, until).map(({ value }) => value);
    if (before.length < 2 * SMOOTHED || after.length === 0) return null;
    const usual = median(before);
    if (usual <= 0) return null;
    const smoothed = before.slice(SMOOTHED - 1).map((_, i) => median(before.slice(i, i + SMOOTHED)));
    // Of two samples the lower: a counter that jumps when its source comes back is one.
    const now = Math.min(...after.slice(-FIRST_SAMPLES));
    const half = Math.sqrt(usual * now);
    const about = samplesBetween(series, onset.earliest - USUAL_UNTIL_MS, until);
    const low = about.findLastIndex(({ value }) => (now > usual ? value < half : value > half));
    const since = about[low]?.at ?? onset.earliest - USUAL_UNTIL_MS;
    const rose = [since, about[low + 1]?.at ?? until] as const;
    return { usual, most: Math.max(...smoothed), scale: robustScale(before, usual), now, rose };
  });
}

/** The share of the minutes of another trouble in which a rise lies as near to the onset as this one does. */
function meets({ rose: [from, to] }: Levels, { earliest, latest }: Onset): number {
  const apart = Math.max(0, earliest - to, from - latest);
  return Math.min(1, (latest - earliest + (to - from) + 2 * apart) / MINUTES_MS);
}

/** How many of its requests it answers, over the share that it answered before; 1 where it is not measured. */
function answered(index: SampleIndex, service: string, onset: Onset, until: number): number {
  const [errors, rate] = [index.whole(service, "error_rate"), index.whole(service, "request_rate")];
  const before = countsBetween(errors, rate, Number.NEGATIVE_INFINITY, onset.earliest - USUAL_UNTIL_MS);
  const after = countsBetween(errors, rate, onset.at, until);
  if (before === null || after === null || before.k >= before.n) return 1;
  return (1 - after.k / after.n) / (1 - before.k / before.n);
}

/** Whom the same callers (or, where users come in, users) ask less since the same moment; empty where that is less than half of it. */
function askedLess(
  { index, graph, onset }: DemandInput,
  service: string,
  more: number,
  until: number,
): readonly string[] {
  const callers = [...graph.callers(service)];
  const beside = callers.length > 0 ? callers.flatMap((caller) => [...graph.callees(caller)]) : [...graph.entries];
  const less = [...new Set(beside)].flatMap((name) => {
    const level = name === service ? null : levelsOf(index, name, onset, until);
    if (level === null || level.now > level.usual / LEAST_RATIO) return [];
    return level.usual - level.now > LEAST_DEVIATIONS * level.scale ? [{ name, by: level.usual - level.now }] : [];
  });
  return less.reduce((sum, { by }) => sum + by, 0) < more / 2 ? [] : less.map(({ name }) => name).sort();
}

/** Those whom a change fails try again in such numbers one time in ten; see `refusedAtEntries`. */
const RETRIES_NATS = Math.log(0.1);
/**
 * Whoever retries gives up after five tries: more than that common clients do not allow.
 * @see gRPC proposal A6 "Client Retries" (maxAttempts: values above 5 are treated as 5)
 */
const MOST_TRIES = 5;

/**
 * Whether those who ask may do so again because answers come too late for them, so that a service is asked more for being
 * slow. Then each try is given up with some chance s, a request is tried 1 + s + … + s⁴ times, and s⁵ of the requests are given up for
 * good: callers that fail no such part of what they used to ask do not retry so often. Where users come in nobody
 * retries in such numbers (`surgeAtEntries`).
 */
function mayBeRetries(
  { index, graph, onset, at }: DemandInput,
  service: string,
  ratio: number,
  asked: number,
): boolean {
  const callers = [...graph.callers(service)].filter((one) => one !== service);
  if (callers.length === 0 || harmByClass(index, service, onset, at).slow <= 0) return false;
  const failing = callers.map((caller) => failsMore(index, caller, onset, at));
  if (failing.some((one) => one === null)) return true;
  return failing.reduce<number>((sum, one) => sum + (one ?? 0), 0) >= givenUp(ratio) * asked;
}

/** The share of requests that are given up for good where each is tried so many times in the mean. */
function givenUp(tries: number): number {
  if (tries >= MOST_TRIES) return 1;
  let [low, high] = [0, 1];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if ((1 - middle ** MOST_TRIES) / (1 - middle) < tries) low = middle;
    else high = middle;
  }
  return low ** MOST_TRIES;
}

/** Failed requests a second since the onset beyond the usual share, at most: two deviations of a count are granted. Null where not measured. */
function failsMore(index: SampleIndex, service: string, onset: Onset, at: number): number | null {
  const [errors, rate] = [index.whole(service, "error_rate"), index.whole(service, "request_rate")];
  const before = countsBetween(errors, rate, Number.NEGATIVE_INFINITY, onset.earliest - USUAL_UNTIL_MS);
  const after = countsBetween(errors, rate, onset.at, at);
  const seconds = (samplesBetween(rate, onset.at, at).length * (rate?.stepMs ?? 0)) / 1000;
  if (before === null || after === null || seconds === 0) return null;
  const more = after.k + 2 * Math.sqrt(after.k + 1) - (before.k / before.n) * after.n;
  return Math.max(0, more) / seconds;
}

/** "b is asked 1.9 times the usual since the trouble began, more than it ever served, and a less: requests moved". */
export function demandWords(service: string, { ratio, from, explains }: Demand): string {
  const times = `${service} is asked ${ratio.toFixed(1)} times`;
  if (explains === "use") return `${times} what it was, and a request costs it no more processor time`;
  const moved = from.length === 0 ? "" : `, and ${from.join(", ")} less: requests moved`;
  return `${times} the baseline since the onset, more than it ever served${moved}`;
}
