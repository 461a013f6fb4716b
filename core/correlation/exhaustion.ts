import { type Point, placeBreak } from "../detection/broken-stick.ts";
import { formOf, isLatency, isResource } from "../detection/meaning.ts";
import { mannKendall, median, robustScale } from "../detection/robust.ts";
import type { Change } from "../model/change.ts";
import type { Finding, Onset } from "../model/finding.ts";
import type { Series } from "../model/signal.ts";
import { speaksOfErrors } from "./aliases.ts";
import { creeps } from "./harm.ts";
import { onceAnIndex } from "./once.ts";
import { type SampleIndex, samplesBetween } from "./samples.ts";
import { ORDINARY_ROLLOUT_MS } from "./timing.ts";

/** Something that a service has only so much of, and that was used up more and more until the service failed. */
export interface Exhaustion {
  readonly service: string;
  readonly metric: string;
  /** When it began to be used up. */
  readonly onset: Onset;
}

/** As far back as a drift is looked for: somebody noticed it late. */
const LOOKED_BACK_MS = 6 * 3_600_000;
/** As many points as a drift's onset is read from. */
const BLOCKS = 64;
/** Fewer points of a rise than this are a jump, which has a time of its own. */
const LEAST_RISING = 8;
/** It at least doubles, and by far more than it wanders. */
const LEAST_RATIO = 2;
const LEAST_DEVIATIONS = 6;
/** z of eight points of which nearly every pair rises (the most possible is 3.3): one-sided p < 10⁻³. */
const STEADY_Z = 3;
/** The rise leads up to the failing: the last part of it is no older than this part of its length. */
const LEADS_UP = 1 / 4;

/**
 * What was used up before the services that fail (or answer late) began to: a metric of theirs that is neither harm nor
 * traffic (connections, threads, the length of a queue; nobody needs to know its limit), level at first and then rising
 * steadily until that time. Then the trouble began when the rise did. Of several, the earliest. Null where there is none.
 * Memory and CPU, whose limit is known, are judged as drifts. Nothing was used up where the service itself was being
 * changed as it began to fail (what is restarted gives back what it held, and the rise goes on for other reasons), nor
 * where what rose rose for the most part with its traffic, as every morning makes sessions and connections do.
 */
export function exhaustion(
  findings: readonly Finding[],
  index: SampleIndex,
  changes: readonly Change[] = [],
): Exhaustion | null {
  const began = new Map<string, Onset>();
  for (const finding of findings) {
    const { service, onset, verdict, metric } = finding;
    if (onset === null || verdict !== "worse" || creeps(finding)) continue;
    if (!speaksOfErrors(metric) && !isLatency(metric)) continue;
    const known = began.get(service);
    if (known === undefined || onset.at < known.at) began.set(service, onset);
  }
  const found = [...began].flatMap(([service, since]) =>
    (changes.some((change) => isUnderWay(change, service, since)) ? [] : index.metrics(service))
      .filter((series) => isUse(series))
      .flatMap((series) => {
        const onset = once(index, `${service}\n${series.metric}\n${since.earliest}`, () =>
          roseUntil(series, since.earliest),
        );
        const isOwn = onset !== null && !followsTraffic(series, index.whole(service, "request_rate"), onset, since);
        return isOwn ? [{ service, metric: series.metric, onset }] : [];
      }),
  );
  return found.toSorted((a, b) => a.onset.at - b.onset.at)[0] ?? null;
}

const once = onceAnIndex<Onset | null>();

/** Whether somebody was changing this service as its trouble began, with the time that pods take to follow. */
const isUnderWay = ({ service, ownRollback, startedAt, finishedAt }: Change, of: string, began: Onset): boolean =>
  service === of &&
  ownRollback !== true &&
  startedAt <= began.latest &&
  began.earliest - startedAt <= FOLLOWS_MS &&
  (finishedAt === null || finishedAt + ORDINARY_ROLLOUT_MS >= began.earliest);
/** @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progress-deadline-seconds (default 600) */
const FOLLOWS_MS = 600_000;

/** What rises for the most part with the traffic is the traffic's, as for the drift of a use. */
const FOR_THE_MOST_PART = 0.5;

/** Whether a request holds less than half as much more than it did before the rise, on the scale of ratios; false where nobody counts. */
function followsTraffic(series: Series, rate: Series | undefined, rise: Onset, until: Onset): boolean {
  const long = (until.earliest - rise.at) / 4;
  const middle = (of: Series | undefined, from: number, to: number) =>
    median(samplesBetween(of, from, to).map(({ value }) => value));
  const ratio = (of: Series | undefined) =>
    middle(of, until.earliest - long, until.earliest) / middle(of, rise.at - 4 * long, rise.at);
  const [use, traffic] = [Math.log(ratio(series)), Math.log(ratio(rate))];
  return use - traffic < FOR_THE_MOST_PART * use; // not so where either is unknown
}

/** Whether a metric counts what is in use of something: neither harm nor traffic, and no resource that every request takes. */
export const isUse = ({ metric, worse }: Series): boolean =>
  worse !== "down" &&
  !isResource(metric) &&
  !isLatency(metric) &&
  !speaksOfErrors(metric) &&
  formOf(metric) === "level";

/** When the steady rise that led up to this moment began; null where nothing rose steadily, or it had ended before. */
function roseUntil(series: Series, until: number): Onset | null {
  const samples = samplesBetween(series, until - LOOKED_BACK_MS, until);
  const size = Math.max(1, Math.ceil(samples.length / BLOCKS));
  const points: Point[] = [];
  for (let end = samples.length; end - size >= 0; end -= size) {
    const block = samples.slice(end - size, end);
    points.unshift({ x: median(block.map(({ at }) => at)), y: median(block.map(({ value }) => value)) });
  }
  const spacing = size * series.stepMs;
  const found = points.length < 2 * LEAST_RISING ? null : placeBreak(points, spacing);
  if (found === null || found.older || found.slope <= 0) return null;
  const rising = points.filter(({ x }) => x > found.at);
  const last = rising.at(-1);
  if (last === undefined || rising.length < LEAST_RISING || points.length - rising.length < LEAST_RISING) return null;
  const line = ({ x }: Point) => found.level + found.slope * Math.max(0, x - found.at);
  const scatter = robustScale(
    points.map((point) => point.y - line(point)),
    0,
  );
  const rise = line(last) - found.level;
  const tail = rising.filter(({ x }) => x > last.x - LEADS_UP * (last.x - found.at));
  const led = tail.length < 2 || (tail.at(-1)?.y ?? 0) > (tail[0]?.y ?? 0);
  if (!led || rise < LEAST_DEVIATIONS * scatter || line(last) < LEAST_RATIO * found.level) return null;
  if (mannKendall(rising.map(({ y }) => y)) < STEADY_Z) return null;
  return {
    at: Math.round(found.at),
    earliest: Math.round(found.early - spacing / 2),
    latest: Math.round(found.late + spacing / 2),
  };
}
