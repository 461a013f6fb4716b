import { isLatency } from "../detection/meaning.ts";
import type { Change } from "../model/change.ts";
import { isHurtSince } from "./harm.ts";
import type { CaseEvidence } from "./rank.ts";
import { samplesBetween } from "./samples.ts";

/**
 * Old pods may take so long to end after a rollout is done, and fail requests meanwhile. A rollout that replaced all of
 * its pods faster has faster pods: what replacing costs passes at the pace of replacing, two samples at least.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination (terminationGracePeriodSeconds)
 */
const GRACE_MS = 30_000;
/** Odds of twenty to one, the usual meaning of "sure enough". */
export const SURE_NATS = Math.log(20);

/** Whether what began during this rollout may still be nothing but the passing cost of replacing pods. */
export function mayPass(change: Change, evidence: CaseEvidence): boolean {
  if (change.kind === "flag" || change.kind === "migration") return false; // these replace no pods
  const { at } = evidence.caseFile;
  const { onset, stepMs, index } = evidence;
  const grace = Math.min(GRACE_MS, Math.max((change.finishedAt ?? at) - change.startedAt, 2 * stepMs));
  const replaced = (change.finishedAt ?? at) + grace;
  if (onset.at > replaced || onset.latest + stepMs < change.startedAt) return false;
  if (!isMeasured(change, evidence)) return false;
  if (change.finishedAt === null || at < replaced + stepMs) return true;
  // It stayed only if what came after the rollout says so by itself.
  return isHurtSince(index, change.service, onset, Math.max(replaced, onset.at), at) < SURE_NATS;
}

/**
 * Errors or latency speak of the changed service at all. A drift, failing health or a stuck rollout do not pass with the
 * rollout: they are judged by their own findings.
 */
function isMeasured(change: Change, { worse, index, course }: CaseEvidence): boolean {
  if (course === "drift" || worse.get(change.service)?.has("health_check_failures") === true) return false;
  return index.metrics(change.service).some(({ metric }) => metric === "error_rate" || isLatency(metric));
}

/**
 * Log likelihood ratio of "it grows as the new version takes over" against "it is as bad as at once", from the errors
 * of the changed service (or, where errors are as usual, the latency that is surest) during its rollout. What a version
 * breaks grows with its share; the cost of replacing pods, or an outage elsewhere, does not. Null where it cannot be
 * told: no rollout to speak of, or fewer than three samples in it.
 */
export function rampEvidence(change: Change, { index, onset, caseFile, stepMs }: CaseEvidence): number | null {
  const end = Math.min(change.finishedAt ?? caseFile.at, caseFile.at);
  if (change.kind === "flag" || end - change.startedAt < 3 * stepMs) return null;
  const told = caseFile.findings
    .filter((one) => one.service === change.service && one.verdict === "worse" && one.baseline !== null)
    .filter(({ metric, labels }) => (metric === "error_rate" || isLatency(metric)) && Object.keys(labels).length === 0)
    .sort(
      (a, b) => Number(b.metric === "error_rate") - Number(a.metric === "error_rate") || b.strength - a.strength,
    )[0];
  if (told === undefined || told.baseline === null) return null;
  const usual = told.baseline;
  // The first sample may lie partly before the onset, the last partly after the rollout.
  const samples = samplesBetween(index.whole(change.service, told.metric), onset.at, end).slice(1);
  if (samples.length < 3) return null;
  const points = samples.map(({ at, value }) => ({ x: at - stepMs / 2 - change.startedAt, y: value - usual }));
  const sum = (of: (point: (typeof points)[number]) => number) => points.reduce((total, point) => total + of(point), 0);
  const slope = sum(({ x, y }) => x * y) / sum(({ x }) => x * x);
  const mean = sum(({ y }) => y) / points.length;
  // Samples scatter by a tenth of the excess even about the right shape.
  const noise = points.length * (0.1 * mean) ** 2;
  const ramp = sum(({ x, y }) => (y - slope * x) ** 2) + noise;
  const flat = sum(({ y }) => (y - mean) ** 2) + noise;
  return Math.max(-SURE_NATS, Math.min(SURE_NATS, (points.length / 2) * Math.log(flat / ramp)));
}

/** A cold start passes while the new version goes on serving: it must still be at least half as bad as it began. */
export function newVersionStaysBad(change: Change, { index, worse, onset, caseFile }: CaseEvidence): boolean {
  for (const metric of worse.get(change.service) ?? []) {
    const fresh = samplesBetween(index.byVersion(change.service, metric).get(change.to), onset.at, caseFile.at);
    const [first, last] = [fresh[0]?.value, fresh.at(-1)?.value];
    if (first !== undefined && last !== undefined && last < first / 2) return false;
  }
  return true;
}
