import { createCallGraph } from "../correlation/call-graph.ts";
import { replaces } from "../correlation/replaced.ts";
import type { DetectionEngine, Signal } from "../detection/engine.ts";
import { ALARM_NATS } from "../detection/evidence.ts";
import { locateOnset } from "../detection/onset.ts";
import { slotOf, timeOf, valueAt } from "../detection/sample-grid.ts";
import { surprisesFrom } from "../detection/signal-watch.ts";
import type { Change } from "../model/change.ts";
import type { Topology } from "../model/evidence.ts";
import type { Finding, Onset } from "../model/finding.ts";
import type { Series } from "../model/signal.ts";
import { rfc3339 } from "../model/time.ts";
import { grownSince } from "./grown.ts";

/** A rollback of ours that has taken full effect. Unix ms. */
export interface OwnAct {
  readonly service: string;
  /** When the change that it undid began; null where nobody knows that change any more. */
  readonly began: number | null;
  /** When the rollback itself began. */
  readonly actedAt: number;
  readonly doneAt: number;
}

/** Histories of clusters keep whole seconds: what they date so may have been up to a second later. */
const SECOND_MS = 1000;

/** The latest moment (Unix ms) at which a rollback was complete whose end its history tells as `finishedAt`. */
export const inEffectAt = (finishedAt: number): number =>
  finishedAt + (finishedAt % SECOND_MS === 0 ? SECOND_MS - 1 : 0);

/** Own rollbacks that are complete, oldest first. One that still rolls out leaves the trouble what it was. */
export function ownActs(changes: readonly Change[]): readonly OwnAct[] {
  return changes
    .flatMap((own) => {
      if (own.ownRollback !== true || own.finishedAt === null) return [];
      const undone = changes
        .filter((change) => change.ownRollback !== true && change.to === own.from && replaces(own, change))
        .toSorted((a, b) => b.startedAt - a.startedAt)[0];
      const doneAt = inEffectAt(own.finishedAt);
      return [{ service: own.service, began: undone?.startedAt ?? null, actedAt: own.startedAt, doneAt }];
    })
    .toSorted((a, b) => a.doneAt - b.doneAt);
}

export interface AfterActs {
  readonly findings: readonly Finding[];
  readonly series: readonly Series[];
}

/**
 * What is known, without what a rollback of ours has dealt with: no onset lies before the moment from which our act
 * was in full effect, and the samples of the trouble that it ended are no part of what is usual.
 *
 * A test that alarmed before the act goes on alarming until it is sure of the recovery, and dates its trouble into the
 * time of the version that is gone. So a finding of the service that was taken back, or of one that calls it, whose
 * onset lies between the undone change and its end is asked again by the samples since: with as much evidence as a
 * new alarm needs it is dated among them; without, it is no evidence of trouble now. A signal without a test keeps
 * its finding, dated no earlier than the act. Trouble that is older than the undone change is none of it. What stays from
 * the act on and grows later is dated by its growth (`grownSince`).
 *
 * `topology`: who calls whom. What no call joins to the service is judged by itself.
 */
export function afterOwnActs(
  { findings, series }: AfterActs,
  changes: readonly Change[],
  topology: Topology | null,
  engine: Pick<DetectionEngine, "signal">,
): AfterActs {
  const acts = ownActs(changes);
  if (acts.length === 0) return { findings, series };
  const graph = createCallGraph(topology);
  const suffers = (service: string, act: OwnAct): boolean =>
    service === act.service || (act.began !== null && graph.ancestors(act.service).has(service));
  let asked = findings;
  let kept = series;
  for (const act of acts) {
    const ended = asked.filter((one) => suffers(one.service, act) && isOf(one, act));
    const stretches = new Map<string, number>();
    for (const { service, onset } of ended)
      if (onset !== null) stretches.set(service, Math.min(onset.earliest, stretches.get(service) ?? Infinity));
    kept = kept.map((one) => {
      const from = stretches.get(one.service);
      return from === undefined ? one : without(one, from, act.doneAt);
    });
    const again = new Set(ended.filter(({ verdict }) => verdict === "worse"));
    asked = asked.map((one) => {
      if (!again.has(one)) return one;
      const still = askedAgain(one, act, engine);
      return (still.verdict === "worse" ? grownOf(still, series, act) : null) ?? still;
    });
  }
  return { findings: asked, series: kept };
}

/** What stayed through the act from its first sample on, and has grown since. */
function grownOf(finding: Finding, series: readonly Series[], act: OwnAct): Finding | null {
  if (finding.onset === null || finding.onset.earliest > act.doneAt || Object.keys(finding.labels).length > 0)
    return null;
  const own = series.find(
    ({ service, metric, labels }) =>
      service === finding.service && metric === finding.metric && Object.keys(labels).length === 0,
  );
  const at = own === undefined ? act.doneAt : own.startAt + (own.values.length - 1) * own.stepMs;
  return grownSince(finding, own, act, at);
}

/** Whether a finding's trouble began while what the act undid was running. A stuck rollout is dated by itself. */
function isOf({ onset, detector }: Finding, { began, doneAt }: OwnAct): boolean {
  if (onset === null || detector === "rollout") return false;
  return onset.earliest < doneAt && (began === null || onset.latest >= began);
}

/**
 * The whole-service series without its samples of a stretch, which stay in `asMeasured`; a sample covers the step that
 * ends at its time.
 */
function without(series: Series, from: number, until: number): Series {
  if (Object.keys(series.labels).length > 0 || series.metric === "request_rate") return series;
  const { startAt, stepMs } = series;
  const values = series.values.slice();
  const first = Math.max(0, Math.floor((from - startAt) / stepMs));
  for (let i = first; i < values.length && startAt + (i - 1) * stepMs < until + stepMs; i++)
    if (startAt + i * stepMs > from) values[i] = null;
  return { ...series, values, asMeasured: series.asMeasured ?? series.values };
}

function askedAgain(finding: Finding, act: OwnAct, engine: Pick<DetectionEngine, "signal">): Finding {
  const signal = engine.signal(finding.service, finding.metric);
  const since = `our own rollback of ${act.service} was in effect at ${rfc3339(act.doneAt)}`;
  const surprises = signal === undefined ? null : surprisesSince(signal, act.doneAt, engine);
  if (surprises === null) {
    const because = `${finding.because}; ${since}: not dated before that`;
    return { ...finding, onset: notBefore(finding.onset, act.doneAt), because };
  }
  const onset = onsetIn(surprises, act.doneAt);
  if (onset === null) {
    const because = `${finding.because}; ${since}, and the samples since then do not show it`;
    return { ...finding, verdict: "inconclusive", onset: null, because };
  }
  return { ...finding, onset, because: `${finding.because}; ${since}, and it is so since` };
}

interface Surprises {
  readonly nats: readonly number[];
  readonly firstAt: number;
  readonly stepMs: number;
}

/**
 * Evidence of each sample after the act that it is not as usual; null where the signal has no test. A rate may be read
 * over one scrape more than its step, so that the first step after the act still holds some of what was before it.
 */
function surprisesSince(signal: Signal, doneAt: number, engine: Pick<DetectionEngine, "signal">): Surprises | null {
  const { grid, watch } = signal;
  const { normal } = watch;
  if (normal === null) return null;
  const rate = engine.signal(signal.service, "request_rate");
  const requests = (at: number): number => {
    if (rate === undefined) return Number.NaN;
    const slot = slotOf(rate.grid, at);
    const value = valueAt(rate.grid, slot);
    return ((Number.isNaN(value) ? valueAt(rate.grid, slot - 1) : value) * grid.stepMs) / 1000;
  };
  const first = Math.max(grid.first, Math.ceil((doneAt - grid.originMs) / grid.stepMs) + 2);
  const nats = surprisesFrom(normal, grid, requests, first, grid.next);
  return { nats, firstAt: timeOf(grid, first), stepMs: grid.stepMs };
}

/** When it began again, if the evidence since is as much as a new alarm needs, wherever it began; else null. */
function onsetIn({ nats, firstAt, stepMs }: Surprises, doneAt: number): Onset | null {
  let sum = 0;
  let most = 0;
  for (const one of nats.toReversed()) {
    if (!Number.isNaN(one)) sum += one;
    most = Math.max(most, sum);
  }
  if (most < ALARM_NATS) return null;
  const onset = locateOnset(nats, firstAt, stepMs);
  // What is so from the first sample on may have begun with the act itself.
  return onset === null ? null : { ...onset, earliest: onset.earliest < firstAt ? doneAt : onset.earliest };
}

function notBefore(onset: Onset | null, doneAt: number): Onset | null {
  if (onset === null) return null;
  const { at, earliest, latest } = onset;
  return { at: Math.max(at, doneAt), earliest: Math.max(earliest, doneAt), latest: Math.max(latest, doneAt) };
}
