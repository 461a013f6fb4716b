import { ALARM_NATS } from "../detection/evidence.ts";
import { isHarm, withUnit } from "../detection/meaning.ts";
import { median } from "../detection/robust.ts";
import { createRunningMedian } from "../detection/running-median.ts";
import type { Change } from "../model/change.ts";
import type { Decision } from "../model/decision.ts";
import type { Finding } from "../model/finding.ts";
import type { Series } from "../model/signal.ts";
import { rfc3339 } from "../model/time.ts";
import type { OwnAct } from "./own-acts.ts";
import { LEAST_SAMPLES, symptomFinding } from "./point-at.ts";

/** The detector's name of what stayed through an act of ours and grew since. */
export const GROWN = "grown";

/** As far again from the usual level as the trouble that is known: a shift of the same trouble is less than that. */
export const AS_MUCH_AGAIN = 2;
/**
 * What stayed through an act has a level once it has been seen for so long: as long as trouble must be gone to be over, in
 * samples, since what an act ends goes on falling for a while. Where only somebody changed the service, as many as a level
 * needs at all.
 */
const LEAST_STAYED = { act: 10, change: LEAST_SAMPLES } as const;
/** A growth that half of all samples would show by chance: 2⁻⁵ ≈ 3 %, as little as verification believes. */
const LEAST_GROWN = 5;

/**
 * Of the samples since the growth so many are as far up, and of those before it so many lie nearer to what stayed: what comes
 * and goes is none.
 */
export const GROWN_SHARE = 0.9;

/**
 * The finding of a trouble that stayed through an act of ours and has grown since, dated by the growth; null where it
 * has not. What stayed is taken for the usual level then, with as much evidence against it as a new alarm needs; and the
 * growth must be at least as much as what stayed is above the level before all of it, so that a trouble
 * which wavers, or slowly gets worse, is not dated anew. `series`: the whole service's, unsmoothed. Pure.
 */
export function grownSince(finding: Finding, series: Series | undefined, act: OwnAct, at: number): Finding | null {
  const stayed = `after our own rollback of ${act.service}`;
  return grownFrom(finding, series, { sinceMs: act.doneAt, least: LEAST_STAYED.act, stayed }, at);
}

/**
 * The finding of a degradation that was there before a change of its own service began, and has grown since: dated by the
 * growth, as above; null where nobody changed the service meanwhile, or where it did not grow after that. A service that has
 * been degraded for weeks does not hide what its next deploy does. `series`: the whole service's, unsmoothed. Pure.
 */
export function grownAfterChange(
  finding: Finding,
  series: Series | undefined,
  changes: readonly Change[],
  at: number,
): Finding | null {
  const { onset, verdict, service, labels } = finding;
  if (onset === null || verdict !== "worse" || Object.keys(labels).length > 0 || series === undefined) return null;
  const later = changes.filter(
    (one) => one.service === service && one.ownRollback !== true && one.startedAt > onset.latest && one.startedAt <= at,
  );
  if (later.length === 0) return null;
  const since = { sinceMs: onset.at, least: LEAST_STAYED.change, stayed: "since it began" };
  const grown = grownFrom(finding, series, since, at);
  const follows = later.some(
    ({ startedAt }) => grown?.onset != null && grown.onset.latest >= startedAt - series.stepMs,
  );
  return follows ? grown : null;
}

interface Stayed {
  /** From when on what stayed is read, Unix ms. */
  readonly sinceMs: number;
  /** How many samples of it have a level. */
  readonly least: number;
  /** That moment in words. */
  readonly stayed: string;
}

function grownFrom(
  finding: Finding,
  series: Series | undefined,
  { sinceMs, least, stayed }: Stayed,
  at: number,
): Finding | null {
  const { baseline: usual, metric } = finding;
  if (series === undefined || usual === null || series.worse !== "up" || !isHarm(metric, series.worse)) return null;
  // The first sample after the act may hold some of what was before it.
  const from = Math.max(0, Math.ceil((sinceMs - series.startAt) / series.stepMs) + 2);
  const since = { ...series, startAt: series.startAt + from * series.stepMs, values: series.values.slice(from) };
  const growth = growthIn(since.values, usual, least);
  if (growth === null) return null;
  const found = symptomFinding(since, at, since.values.slice(0, growth.index))[0];
  if (found === undefined || found.onset === null || found.strength < ALARM_NATS) return null;
  const [was, is] = [withUnit(growth.stayed, series.unit), withUnit(growth.grown, series.unit)];
  const because = `${metric} of ${finding.service} stayed at ${was} ${stayed}, and went to ${is} about ${rfc3339(found.onset.at)}`;
  return {
    ...finding,
    detector: GROWN,
    onset: found.onset,
    baseline: growth.stayed,
    current: growth.grown,
    samples: growth.samples,
    strength: found.strength,
    because,
  };
}

interface Growth {
  /** The first sample that may be part of it: the one after the last that is not. */
  readonly index: number;
  readonly stayed: number;
  readonly grown: number;
  readonly samples: number;
}

interface Known {
  readonly value: number;
  readonly index: number;
}

/**
 * The first place from which nearly all samples lie at least twice as far above the usual level as those before it did.
 * What most places fail by is looked at first: work of O(n log n) where trouble stays and does not grow.
 */
function growthIn(values: readonly (number | null)[], usual: number, leastStayed: number): Growth | null {
  const known = values.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
  const least = Math.min(...known.slice(-LEAST_GROWN).map(({ value }) => value));
  const before = createRunningMedian();
  for (const [place, { value }] of known.entries()) {
    const stayed = before.middle();
    const limit = usual + AS_MUCH_AGAIN * (stayed - usual);
    const hasLevels = place >= leastStayed && known.length - place >= LEAST_GROWN;
    if (hasLevels && stayed > usual && value >= limit && least >= limit) {
      const growth = growthAt(known, place, { usual, stayed });
      if (growth !== null) return growth;
    }
    before.add(value);
  }
  return null;
}

function growthAt(
  known: readonly Known[],
  place: number,
  { usual, stayed }: { readonly usual: number; readonly stayed: number },
): Growth | null {
  const [before, after] = [known.slice(0, place), known.slice(place)];
  const limit = usual + AS_MUCH_AGAIN * (Math.max(stayed, onTheWayTo(before)) - usual);
  const grown = median(after.map(({ value }) => value));
  const wasThere = before.filter(({ value }) => value > (stayed + grown) / 2).length;
  const isThere = after.filter(({ value }) => value >= limit).length;
  if (wasThere > (1 - GROWN_SHARE) * before.length || isThere < GROWN_SHARE * after.length) return null;
  if ((known[place]?.value ?? 0) < limit) return null;
  return { index: (before.at(-1)?.index ?? -1) + 1, stayed, grown, samples: after.length };
}

/**
 * Where what stayed would be now, had it gone on as it went from its earlier half to its later one: trouble that still rises
 * evenly to its size has not grown anew.
 */
function onTheWayTo(before: readonly Known[]): number {
  const half = Math.floor(before.length / 2);
  const [earlier = 0, later = 0] = [before.slice(0, half), before.slice(-half)].map((part) =>
    median(part.map(({ value }) => value)),
  );
  const apart = before.length - half;
  return later + (Math.max(0, later - earlier) / apart) * ((half + 1) / 2);
}

/**
 * The decision, with a reason for a person where it rests on trouble that was there before and has only grown: what
 * grows by itself may be put down to whoever happened to deploy then. Not where the new version itself is seen to fail beside
 * the old one (`seen`). Pure.
 */
export function withGrown(
  decision: Decision,
  findings: readonly Finding[],
  seen: ReadonlySet<string> = new Set(),
): Decision {
  if (decision.changeIds.length > 0 && decision.changeIds.every((id) => seen.has(id))) return decision;
  const grown = findings.find(({ detector, verdict }) => detector === GROWN && verdict === "worse");
  if (grown === undefined || decision.action === "no_action") return decision;
  return {
    ...decision,
    needsPerson: [
      ...decision.needsPerson,
      `${grown.because}: whether ${decision.culprit?.changeId ?? "a change"} is behind that is for people to say`,
    ],
  };
}
