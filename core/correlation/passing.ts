import { isLatency } from "../detection/meaning.ts";
import { logSumExp, median, robustScale } from "../detection/robust.ts";
import type { Change } from "../model/change.ts";
import { speaksOfErrors } from "./aliases.ts";
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

/** When the change was done, as far as it is known: null while it may still go on. */
export function endOf(change: Change, { caseFile }: Pick<CaseEvidence, "caseFile">): number | null {
  if (change.finishedAt !== null) return change.finishedAt;
  const rollout = caseFile.rollouts.find(({ service, version }) => service === change.service && version === change.to);
  if (rollout?.status === "progressing" || rollout?.status === "paused") return null;
  const deadline = change.startedAt + PROGRESS_DEADLINE_MS;
  return caseFile.at > deadline ? deadline : null;
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

/** Whether what began during this rollout may still be nothing but the passing cost of replacing pods. */
export function mayPass(change: Change, evidence: CaseEvidence): boolean {
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
  if (!isMeasured(change, evidence)) return false;
  if (at < replaced + stepMs) return true;
  // It stayed only if what came after the rollout says so by itself.
  const since = Math.max(replaced, onset.at);
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
  isStaged(change, caseFile.at) &&
  onset.at > replacedBy(change) &&
  onset.earliest <= over &&
  ![...worse.values()].some((metrics) => [...metrics].some(speaksOfErrors));

/**
 * Errors or latency speak of what the change did at all. A drift, failing health or a stuck rollout do not pass with the
 * rollout: they are judged by their own findings.
 */
export function isMeasured(change: Change, evidence: CaseEvidence): boolean {
  const { worse, index, course } = evidence;
  if (course === "drift" || worse.get(change.service)?.has("health_check_failures") === true) return false;
  const metrics = showsAt(change, evidence).flatMap((service) => index.metrics(service));
  return metrics.some(({ metric }) => metric === "error_rate" || isLatency(metric));
}

/**
 * Log likelihood ratio of "it grows as the new version takes over" against "it is as bad as at once", whenever that was, from the errors
 * of the services where it shows (or, where errors are as usual, the latency that is surest) during its rollout. What a version
 * breaks grows with its share; the cost of replacing pods, or an outage elsewhere, does not. Null where it cannot be
 * told: no rollout to speak of, or fewer than three samples in it.
 */
export function rampEvidence(change: Change, evidence: CaseEvidence, places: readonly string[]): number | null {
  const { index, onset, caseFile, stepMs } = evidence;
  if (change.finishedAt === null && endOf(change, evidence) !== null) return null; // its real end is not known
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
  const sum = (of: (point: (typeof points)[number]) => number) => points.reduce((total, point) => total + of(point), 0);
  const slope = sum(({ x, y }) => x * y) / sum(({ x }) => x * x);
  const mean = sum(({ y }) => y) / points.length;
  const ramp = sum(({ x, y }) => (y - slope * x) ** 2);
  // Even about the right shape samples scatter by a tenth of the excess, and by what chance and habit add.
  const variance = (0.1 * mean) ** 2 + scatter(evidence, told.service, told.metric, Math.max(usual + mean, usual));
  if (!(variance > 0)) return null; // nothing is known from before
  const [dated = Number.NaN, ...later] = beginnings(points.map(({ y }) => y)).map((square) => -square / (2 * variance));
  // As likely as not the onset is dated rightly; if it is not, it is any later sample.
  const atOnce = logSumExp([dated, logSumExp(later) - Math.log(later.length)]) - Math.LN2;
  return Math.max(-MOST_SHAPE_NATS, Math.min(MOST_SHAPE_NATS, -ramp / (2 * variance) - atOnce));
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
 * its first samples a cold start is as slow as a fault; failed requests do not wait for that.
 */
export function newVersionStaysBad(change: Change, evidence: CaseEvidence): boolean {
  const metrics = [...(evidence.worse.get(change.service) ?? [])];
  const neededMs = metrics.some(speaksOfErrors) ? 0 : WARM_MS;
  return !metrics.some((metric) => {
    const course = newVersionCourse(change, metric, evidence);
    if (course === null) return false;
    return course.last < course.first / 2 || (isLatency(metric) && course.lastedMs < neededMs);
  });
}

interface Course {
  /** What the new version adds in its first two samples since the onset, and in its newest two. */
  readonly first: number;
  readonly last: number;
  readonly lastedMs: number;
}

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
  return { first: mean(fresh.slice(0, two)), last: mean(fresh.slice(-two)), lastedMs: newest.at - begun.at };
}

/**
 * Pods are warm, as a rule, after about a minute (class loading, caches, pools): so long is the time in which a cold
 * start falls to 1/e, and each such time for which the new version is no better speaks against it, up to e⁴.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/probes/ (startup probes: pods that need long to start)
 */
export const WARM_MS = 60_000;
const MOST_WARM_NATS = 4;
/** A cold start makes the new version slow nearly as surely as a fault does; failed requests are a rarer part of it. */
const COLD = { slow: 0.75, failing: 0.4 } as const;

/** What two versions side by side say for "it is a cold start" (the split of the versions in nats, if any is for the change). */
export function coldStartNats(change: Change, splitNats: number, evidence: CaseEvidence): number {
  if (splitNats <= 0) return 0;
  const metrics = [...(evidence.worse.get(change.service) ?? [])];
  const failing = metrics.includes("error_rate");
  const course = newVersionCourse(change, failing ? "error_rate" : (metrics.find(isLatency) ?? ""), evidence);
  const stays = course === null || course.first <= 0 ? 0 : course.last / course.first;
  const warm = course === null || stays < 0.75 ? 0 : Math.min(MOST_WARM_NATS, course.lastedMs / WARM_MS);
  return splitNats * (failing ? COLD.failing : COLD.slow) - warm;
}
