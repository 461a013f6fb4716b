import { isLatency } from "../detection/meaning.ts";
import { logSumExp, median, robustScale } from "../detection/robust.ts";
import { silentAfter } from "../detection/silence.ts";
import type { Change } from "../model/change.ts";
import { speaksOfErrors } from "./aliases.ts";
import { coldShare, WARM_MS } from "./cold-pods.ts";
import { isHurtSince, isOffSince } from "./harm.ts";
import type { CaseEvidence } from "./rank.ts";
import { type Sample, samplesBetween } from "./samples.ts";
import { showsAt } from "./shows-at.ts";
import { ORDINARY_ROLLOUT_MS } from "./timing.ts";

/**
 * Old pods may take so long to end after a rollout is done, and fail requests meanwhile. A rollout that replaced all of
 * its pods faster has faster pods: what replacing costs passes at the pace of replacing, two samples at least.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination (terminationGracePeriodSeconds)
 */
const GRACE_MS = 30_000;
/**
 * A rollout whose end nobody told is over or stuck after this long; either way it no longer replaces pods.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progress-deadline-seconds (default 600)
 */
const PROGRESS_DEADLINE_MS = 600_000;

/**
 * When the change was done, as far as it is known: null while it may still go on. An end that no source tells is unknown, and
 * no rollout for ever: where both versions are counted, it is when the one before was last seen to serve; else a rollout of
 * ordinary length is taken for over, unless its source says that it goes on or cannot say, or it begins with a share of the
 * traffic. Then it is over, or stuck, by the progress deadline.
 */
export function endOf(change: Change, { caseFile, index }: Pick<CaseEvidence, "caseFile" | "index">): number | null {
  const { finishedAt, startedAt, service, to, canary = 1 } = change;
  if (finishedAt !== null) return finishedAt;
  if (isToldToGoOn(change, caseFile)) return null;
  const rollouts = caseFile.rollouts.filter((rollout) => rollout.service === service);
  const own = rollouts.find(({ version }) => version === to);
  const lastServed = oldLastServed(change, index);
  const isServing = lastServed !== null && lastServed > caseFile.at - silentAfter(index.coarsestMs);
  const isOrdinary = canary >= 1 && !isServing && (own?.status === "complete" || rollouts.length === 0);
  if (isOrdinary && lastServed !== null) return Math.max(startedAt, lastServed);
  const over = startedAt + (isOrdinary ? ORDINARY_ROLLOUT_MS : PROGRESS_DEADLINE_MS);
  return caseFile.at > over ? over : null;
}

/** The change with its end as far as it is known (`endOf`). One that serves a share of the traffic, and a migration, go on until somebody ends them. */
export function withEnd(change: Change, seen: Pick<CaseEvidence, "caseFile" | "index">): Change {
  const goesOn = change.kind === "migration" || (change.canary ?? 1) < 1;
  return change.finishedAt !== null || goesOn ? change : { ...change, finishedAt: endOf(change, seen) };
}

/** Whether a source says that the rollout goes on, or waits between two stages. */
const isToldToGoOn = ({ service, to }: Change, { rollouts }: CaseEvidence["caseFile"]): boolean =>
  rollouts.some(
    (one) => one.service === service && one.version === to && (one.status === "progressing" || one.status === "paused"),
  );

/** When the version before the change last answered requests since the change began; null: nobody counts those of both. */
function oldLastServed({ service, from, to, startedAt }: Change, index: CaseEvidence["index"]): number | null {
  const rates = index.byVersion(service, "request_rate");
  if (!rates.has(to)) return null;
  const served = samplesBetween(rates.get(from), startedAt, Number.POSITIVE_INFINITY).filter(({ value }) => value > 0);
  return served.at(-1)?.at ?? null;
}

/**
 * Until when a rollout that goes on may be replacing pods without a pause: a canary's few take minutes; what lasts longer
 * than the progress deadline goes in stages, and stands still between them.
 */
export const replacedBy = ({ startedAt, canary }: Change): number =>
  startedAt + (canary !== undefined && canary < 1 ? ORDINARY_ROLLOUT_MS : PROGRESS_DEADLINE_MS);

/**
 * A rollout that goes in stages: it begins with a share of the traffic, or lasts longer than one that is not stuck may. Between
 * its stages its share stands still, and with it whatever the new version breaks.
 */
export const isStaged = ({ canary, startedAt, finishedAt }: Change, at: number): boolean =>
  (canary !== undefined && canary < 1) || Math.min(finishedAt ?? at, at) - startedAt > PROGRESS_DEADLINE_MS;

/** Odds of twenty to one, the usual meaning of "sure enough". */
export const SURE_NATS = Math.log(20);

/**
 * Whether what began during this rollout may still be nothing but the passing cost of replacing pods; `until`: these are replaced,
 * or the last of them are warm as well, which late answers alone may wait for before anything is done.
 */
export function mayPass(change: Change, evidence: CaseEvidence, until: "replaced" | "warm" = "replaced"): boolean {
  if (change.kind === "flag" || change.kind === "migration") return false; // these replace no pods
  const { at } = evidence.caseFile;
  const { onset, stepMs } = evidence;
  const over = endOf(change, evidence) ?? at;
  const end = isLaterStage(change, evidence, over)
    ? Math.min(over, onset.latest + STAGE_MS)
    : Math.min(over, replacedBy(change));
  const grace = Math.min(GRACE_MS, Math.max(end - change.startedAt, 2 * stepMs));
  const replaced = end + grace;
  if (onset.at > replaced || onset.latest + stepMs < change.startedAt) return false;
  if (!isMeasured(change, evidence) && !onlyStarts(change, evidence)) return false;
  // Late answers alone end once the last pods are warm, however fast they were replaced.
  const passed = until === "warm" && isLateOnly(evidence) ? Math.max(replaced, end + WARM_MS) : replaced;
  if (at < passed + stepMs) return true;
  // It stayed only if what came after the rollout says so by itself.
  const since = Math.max(passed, onset.at);
  return showsAt(change, evidence).every((service) => staysSince(service, since, evidence) < SURE_NATS);
}

/**
 * Log Bayes factor of what a service suffers from being there by the samples since a moment alone: failed requests and late
 * answers, or where neither is worse, whatever level is (a queue that grows while nobody is hurt yet).
 */
function staysSince(service: string, since: number, { worse, index, onset, caseFile: { at } }: CaseEvidence): number {
  const metrics = [...(worse.get(service) ?? [])];
  if (metrics.length === 0 || metrics.some((metric) => speaksOfErrors(metric) || isLatency(metric)))
    return isHurtSince(index, service, onset, since, at);
  return Math.max(...metrics.map((metric) => isOffSince(index, service, metric, onset, since, at)));
}

/** A stage of a rollout replaces its pods within about a minute. */
const STAGE_MS = 60_000;

/**
 * Whether answers became late, and no request fails, while a rollout in stages went on after the first of them: then a
 * later stage may have begun with it, whose pods start cold. (Connections that a stage drops are gone within seconds.)
 */
const isLaterStage = (change: Change, { onset, caseFile, worse }: CaseEvidence, over: number): boolean =>
  isStaged(change, caseFile.at) && onset.at > replacedBy(change) && onset.earliest <= over && isLateOnly({ worse });

const isLateOnly = ({ worse }: Pick<CaseEvidence, "worse">): boolean =>
  [...worse.values()].some((metrics) => [...metrics].some(isLatency)) &&
  ![...worse.values()].some((metrics) => [...metrics].some(speaksOfErrors));

/**
 * Errors or latency speak of what the change did at all. A drift, failing health or a stuck rollout do not pass with the
 * rollout: they are judged by their own findings.
 */
export function isMeasured(change: Change, evidence: CaseEvidence): boolean {
  const { worse, course } = evidence;
  if (course === "drift" || worse.get(change.service)?.has("health_check_failures") === true) return false;
  return answersMeasured(change, evidence);
}

const answersMeasured = (change: Change, evidence: CaseEvidence): boolean =>
  showsAt(change, evidence)
    .flatMap((service) => evidence.index.metrics(service))
    .some(({ metric }) => metric === "error_rate" || isLatency(metric));

/**
 * Whether pods that start are all that late answers and pods that are not ready need: these are not ready until they are, and slow
 * until they are warm. Not where requests fail, or the rollout is stuck.
 */
export function onlyStarts(change: Change, evidence: CaseEvidence): boolean {
  const own = [...(evidence.worse.get(change.service) ?? [])];
  if (evidence.course === "drift" || !own.some(isLatency) || own.some(speaksOfErrors)) return false;
  const isStuck = evidence.caseFile.findings.some(
    ({ detector, service, verdict }) => detector === "rollout" && service === change.service && verdict === "worse",
  );
  return !isStuck && answersMeasured(change, evidence);
}

/**
 * Log likelihood ratio of "it grows as the new version takes over" against "it is as bad as at once", whenever that was, from the errors
 * of the services where it shows (or, where errors are as usual, the latency that is surest) during its rollout. What a version
 * breaks grows with its share; the cost of replacing pods, or an outage elsewhere, does not. Null where it cannot be
 * told: no rollout to speak of, or fewer than three samples in it.
 */
export function rampEvidence(change: Change, evidence: CaseEvidence, places: readonly string[]): number | null {
  const { index, onset, caseFile, stepMs } = evidence;
  const end = Math.min(change.finishedAt ?? caseFile.at, caseFile.at);
  if (change.kind === "flag" || end - change.startedAt < 3 * stepMs) return null;
  const told = caseFile.findings
    .filter((one) => places.includes(one.service) && one.verdict === "worse" && one.baseline !== null)
    .filter(({ metric, labels }) => (metric === "error_rate" || isLatency(metric)) && Object.keys(labels).length === 0)
    .sort(
      (a, b) => Number(b.metric === "error_rate") - Number(a.metric === "error_rate") || b.strength - a.strength,
    )[0];
  if (told === undefined || told.baseline === null) return null;
  const usual = told.baseline;
  // Only samples that lie wholly after the onset: one that lies partly before it would look like growth.
  const samples = samplesBetween(index.whole(told.service, told.metric), onset.latest + stepMs - 1, end);
  if (samples.length < 3) return null;
  const points = samples.map(({ at, value }) => ({ x: at - stepMs / 2 - change.startedAt, y: value - usual }));
  const mean = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  // Even about the right shape samples scatter by a tenth of the excess, and by what chance and habit add.
  const variance = (0.1 * mean) ** 2 + scatter(evidence, told.service, told.metric, Math.max(usual + mean, usual));
  if (!(variance > 0)) return null; // nothing is known from before
  const [dated = Number.NaN, ...later] = beginnings(points.map(({ y }) => y)).map((square) => -square / (2 * variance));
  // As likely as not the onset is dated rightly; if it is not, it is any later sample.
  const atOnce = logSumExp([dated, logSumExp(later) - Math.log(later.length)]) - Math.LN2;
  // Where nobody tells the end, it may have come with any sample from the third on: each is as likely.
  const isUnknown = change.finishedAt === null && !isToldToGoOn(change, caseFile);
  const ends = isUnknown ? points.slice(2).map(({ x }) => x) : [Number.POSITIVE_INFINITY];
  const ramps = ends.map((done) => -squaresOff(points, done) / (2 * variance));
  const ramp = logSumExp(ramps) - Math.log(ramps.length);
  return Math.max(-MOST_SHAPE_NATS, Math.min(MOST_SHAPE_NATS, ramp - atOnce));
}

/** Squares of what is left of values that grow with the time since the rollout began, and stay level once it is done. */
function squaresOff(points: readonly { readonly x: number; readonly y: number }[], done: number): number {
  const share = ({ x }: { readonly x: number }) => Math.min(x, done);
  const slope =
    points.reduce((sum, point) => sum + share(point) * point.y, 0) /
    points.reduce((sum, point) => sum + share(point) ** 2, 0);
  return points.reduce((sum, point) => sum + (point.y - slope * share(point)) ** 2, 0);
}

/**
 * Squares of what is left of values that stand at zero and from some sample on at their mean, for each such sample: an onset
 * may be dated too early, by a stray error before it, and what then jumps is no growth. The sample in which it jumps may
 * show a part of it.
 */
function beginnings(values: readonly number[]): readonly number[] {
  return values.flatMap((_, first) => {
    const after = values.slice(first);
    const mean = after.reduce((sum, value) => sum + value, 0) / after.length;
    const since = after.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const before = values.slice(0, first).map((value) => value ** 2);
    const whole = before.reduce((sum, square) => sum + square, since);
    return first === 0 ? [whole] : [whole, whole - (before.at(-1) ?? 0)];
  });
}

/** Shapes tell no more than this: beyond it something else explains them. */
const MOST_SHAPE_NATS = 6;

/**
 * How often trouble grows with a rollout: mostly where the new version is bad (unless it is replaced at once, or one bad
 * pod hurts all), seldom by chance, hardly ever where replacing pods itself is what costs.
 */
const GROWS = { bad: 0.75, otherwise: 0.15, passing: 0.05 } as const;

/** Log likelihood of the shape under one explanation against "it has nothing to do with the rollout". */
export function shapeNats(ramp: number, why: "bad" | "passing"): number {
  const of = (grows: number) => grows * Math.exp(ramp) + 1 - grows;
  return Math.log(of(GROWS[why]) / of(GROWS.otherwise));
}

/** Variance of one sample about its mean: of a share of so many requests, or as the level scattered before the onset. */
function scatter({ index, onset, stepMs }: CaseEvidence, service: string, metric: string, level: number): number {
  const before = samplesBetween(index.whole(service, metric), onset.earliest - 1_800_000, onset.earliest);
  const usual = median(before.map(({ value }) => value));
  const spread = robustScale(before.map(({ value }) => value));
  if (metric !== "error_rate") return (usual > 0 ? (spread / usual) * level : spread) ** 2;
  const rates = samplesBetween(index.whole(service, "request_rate"), onset.earliest - 1_800_000, onset.earliest);
  const requests = rates.length === 0 ? Number.NaN : median(rates.map(({ value }) => value)) * (stepMs / 1000);
  return requests > 0 ? (2 * level * (1 - level)) / requests : spread ** 2;
}

/**
 * A cold start passes while the new version goes on serving: what it adds to the usual must still be at least half of
 * what it added first. Where no request fails the new version is followed for as long as pods take to warm up, since in
 * its first samples a cold start is as slow as a fault, and it must be slower than the pods that have only just
 * started make it (`coldShare`): half of the way from that to what it was. Failed requests do not wait for that.
 */
export function newVersionStaysBad(change: Change, evidence: CaseEvidence): boolean {
  const metrics = [...(evidence.worse.get(change.service) ?? [])];
  const neededMs = metrics.some(speaksOfErrors) ? 0 : WARM_MS;
  const courses = metrics.flatMap((metric) => {
    const course = newVersionCourse(change, metric, evidence);
    return course === null ? [] : [{ metric, course }];
  });
  // What is measured of no version shows nothing of how the new one goes on.
  if (courses.length === 0 && neededMs > 0) return false;
  return !courses.some(({ metric, course }) => {
    const cold = neededMs > 0 && isLatency(metric) ? course.cold : 0;
    return course.last < (course.first * (1 + cold)) / 2 || (isLatency(metric) && warmMs(course) < neededMs);
  });
}

interface Course {
  /** What the new version adds in its first two samples since the onset, and in its newest two. */
  readonly first: number;
  readonly last: number;
  readonly lastedMs: number;
  /** The share of its requests that pods answer which have only just started, in its newest sample. */
  readonly cold: number;
}

/** For how long it was followed as far as its pods were warm, ms. */
const warmMs = ({ lastedMs, cold }: Course): number => lastedMs * (1 - cold);

/**
 * What the new version adds to the old one that serves beside it, or to the usual once none does: what slows or fails both
 * is no part of it. A share of late answers' time, since whatever else slows a service slows what a version adds as well.
 */
function newVersionCourse(change: Change, metric: string, { index, onset, caseFile }: CaseEvidence): Course | null {
  const told = caseFile.findings.find(
    (one) => one.service === change.service && one.metric === metric && one.verdict === "worse",
  );
  const usual = told?.baseline ?? null;
  const versions = index.byVersion(change.service, metric);
  const fresh = samplesBetween(versions.get(change.to), onset.earliest, caseFile.at);
  const beside = new Map(
    samplesBetween(versions.get(change.from), onset.earliest, caseFile.at).map(({ at, value }) => [at, value]),
  );
  const [begun, newest] = [fresh[0], fresh.at(-1)];
  if (usual === null || begun === undefined || newest === undefined) return null;
  const adds = ({ at, value }: Sample): number => {
    const old = beside.get(at) ?? usual;
    return isLatency(metric) && old > 0 ? value / old - 1 : value - old;
  };
  const mean = (samples: readonly Sample[]) => samples.reduce((sum, one) => sum + adds(one), 0) / samples.length;
  const two = Math.min(2, fresh.length);
  const until = endOf(change, { caseFile, index }) ?? replacedBy(change);
  return {
    first: mean(fresh.slice(0, two)),
    last: mean(fresh.slice(-two)),
    lastedMs: newest.at - begun.at,
    cold: coldShare(change, newest.at, until, index),
  };
}

/** Each time in which a cold start falls to 1/e (`WARM_MS`) for which the new version is no better speaks against it, up to e⁴. */
const MOST_WARM_NATS = 4;
/** A cold start makes the new version slow nearly as surely as a fault does; failed requests are a rarer part of it. */
const COLD = { slow: 0.75, failing: 0.4 } as const;

/** What two versions side by side say for "it is a cold start" (the split of the versions in nats, if any is for the change). */
export function coldStartNats(change: Change, splitNats: number, evidence: CaseEvidence): number {
  if (splitNats <= 0) return 0;
  const metrics = [...(evidence.worse.get(change.service) ?? [])];
  const failing = metrics.includes("error_rate");
  // Of late answers the percentile that rose most, of those that are measured by version.
  const courses = (failing ? ["error_rate"] : metrics.filter(isLatency)).flatMap(
    (metric) => newVersionCourse(change, metric, evidence) ?? [],
  );
  const course = courses.toSorted((a, b) => b.first - a.first)[0] ?? null;
  const stays = course === null || course.first <= 0 ? 0 : course.last / course.first;
  const warm =
    course === null || stays < 0.75
      ? 0
      : Math.min(MOST_WARM_NATS, (failing ? course.lastedMs : warmMs(course)) / WARM_MS);
  return splitNats * (failing ? COLD.failing : COLD.slow) - warm;
}
