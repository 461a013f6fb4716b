import type { CallGraph } from "../correlation/call-graph.ts";
import { LEAST_PART } from "../correlation/harm.ts";
import { ALARM_NATS } from "../detection/evidence.ts";
import { isHarm, withUnit } from "../detection/meaning.ts";
import { median } from "../detection/robust.ts";
import type { Change } from "../model/change.ts";
import type { Finding } from "../model/finding.ts";
import type { Series } from "../model/signal.ts";
import { rfc3339 } from "../model/time.ts";
import { GROWN, GROWN_SHARE } from "./grown.ts";
import { symptomFinding } from "./point-at.ts";

/** As long as trouble must be gone to be over, in samples; what goes on without it is seen for as long. */
const LEAST_OVER = 10;
/** What was usual is read from so long before the trouble. */
const BEFORE_MS = 1_800_000;

/**
 * The finding of a service that goes on failing after the callee that explained it is well, where the service was changed
 * meanwhile: dated anew, since what is over explains nothing that goes on. What goes on began, unseen beside the callee's
 * trouble, at some time between the first change and the callee's end, and was surely there after that. Null where no callee
 * was in trouble before the change, where one of them still is or has not been well for ten samples, or where what goes on
 * is not told by those samples alone, with as much evidence as a new alarm needs. `seriesOf`: the whole service's samples of
 * the finding's metric, unsmoothed. Pure.
 */
export function goesOnAlone(
  finding: Finding,
  seriesOf: (service: string) => Series | undefined,
  graph: CallGraph,
  changes: readonly Change[],
  at: number,
): Finding | null {
  const { onset, verdict, service, metric, labels } = finding;
  const own = seriesOf(service);
  if (onset === null || verdict !== "worse" || Object.keys(labels).length > 0 || own === undefined) return null;
  if (own.worse !== "up" || !isHarm(metric, own.worse)) return null;
  const began = Math.min(
    ...changes
      .filter((one) => one.service === service && one.ownRollback !== true && one.startedAt > onset.latest)
      .map(({ startedAt }) => startedAt),
  );
  if (!(began <= at)) return null;
  const explained = troubleIn(own, onset.earliest, began);
  if (explained === null) return null;
  const over = [...graph.callees(service)].flatMap((callee) => {
    const theirs = callee === service ? undefined : seriesOf(callee);
    const trouble = theirs === undefined ? null : troubleIn(theirs, onset.earliest, began);
    if (theirs === undefined || trouble === null || trouble.by < LEAST_PART * explained.by) return [];
    return [{ callee, end: endOf(theirs, trouble, began) }];
  });
  const last = over.toSorted((a, b) => b.end - a.end)[0];
  if (last === undefined || last.end < began - own.stepMs) return null;
  // The first sample after the end may hold some of what was before it.
  const after = between(own, last.end + 2 * own.stepMs, at);
  const known = after.values.filter((value) => value !== null);
  if (known.length < LEAST_OVER) return null;
  const usual = between(own, onset.earliest - BEFORE_MS, onset.earliest).values;
  const found = symptomFinding(after, at, usual)[0];
  const level = median(known);
  const isThere = known.filter((value) => value > (level + explained.usual) / 2).length;
  if (found === undefined || found.strength < ALARM_NATS || isThere < GROWN_SHARE * known.length) return null;
  const because = `${metric} of ${service} rose with that of ${last.callee}, which is well since about ${rfc3339(last.end)}, and is still ${withUnit(level, own.unit)}`;
  return {
    ...finding,
    detector: GROWN,
    onset: { at: Math.max(began, last.end), earliest: began, latest: Math.max(began, last.end) + own.stepMs },
    baseline: explained.usual,
    current: level,
    samples: known.length,
    strength: found.strength,
    because,
  };
}

interface Trouble {
  readonly usual: number;
  readonly level: number;
  /** How far the level is above the usual one. */
  readonly by: number;
}

/** What a signal was off by between the two moments, as surely as an alarm needs; null where it was not. */
function troubleIn(series: Series, from: number, to: number): Trouble | null {
  const before = between(series, from - BEFORE_MS, from).values;
  const during = between(series, from, to);
  const known = during.values.filter((value) => value !== null);
  const found = symptomFinding(during, to, before)[0];
  if (found === undefined || found.strength < ALARM_NATS || known.length === 0) return null;
  const usual = median(before.filter((value) => value !== null));
  // The sample in which it began holds some of what was before; the later half is its level.
  const level = median(known.slice(-Math.ceil(known.length / 2)));
  return level > usual ? { usual, level, by: level - usual } : null;
}

/**
 * The time of the last sample that lies nearer to the trouble than to the usual level, no earlier than `from`; infinite where
 * fewer than ten were measured since.
 */
function endOf(series: Series, { usual, level }: Trouble, from: number): number {
  const known = series.values.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
  const last = known.findLastIndex(({ value }) => value > (usual + level) / 2);
  if (known.length - 1 - last < LEAST_OVER) return Number.POSITIVE_INFINITY;
  const end = known[last];
  return end === undefined ? from : Math.max(from - series.stepMs, series.startAt + end.index * series.stepMs);
}

/** The samples with times in `from` < … ≤ `to`. */
function between(series: Series, from: number, to: number): Series {
  const first = Math.max(0, Math.floor((from - series.startAt) / series.stepMs) + 1);
  const end = Math.max(first, Math.floor((to - series.startAt) / series.stepMs) + 1);
  const startAt = series.startAt + first * series.stepMs;
  return { ...series, startAt, values: series.values.slice(first, end) };
}
