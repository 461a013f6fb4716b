import { isHurtSince } from "../correlation/harm.ts";
import type { CaseEvidence } from "../correlation/rank.ts";
import { samplesBetween } from "../correlation/samples.ts";
import { isLatency } from "../detection/meaning.ts";
import type { Candidate } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { durationText } from "../model/time.ts";

/**
 * Old pods may take so long to end after a rollout is done, and fail requests meanwhile.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination (terminationGracePeriodSeconds)
 */
const GRACE_MS = 30_000;
const SURE_NATS = Math.log(20);
/** A rollout that ended longer ago than this is no longer what is settling. */
const RECENT_MS = 600_000;

/**
 * Why the trouble may still be the passing cost of replacing pods, or null where it cannot be: the rollout is over
 * and it stayed; the new version alone fails; or it grows as the new version takes over. A flag replaces no pods.
 */
export function stillSettling(change: Change, candidate: Candidate, evidence: CaseEvidence): string | null {
  if (change.kind === "flag") return null;
  const { at } = evidence.caseFile;
  const settled = (change.finishedAt ?? at) + GRACE_MS + 2 * evidence.stepMs;
  if (change.finishedAt !== null && at >= settled) {
    // It only stayed if what came after the rollout says so by itself.
    const since = Math.max(change.finishedAt, evidence.onset.at);
    if (isHurtSince(evidence.index, change.service, evidence.onset, since, at) >= SURE_NATS) return null;
    return evidence.worse.has(change.service) && change.finishedAt + RECENT_MS > at && !notMeasured(change, evidence)
      ? `since ${change.id} finished there is too little to say that it stayed`
      : null;
  }
  const nats = (name: string) => candidate.reasons.find((reason) => reason.name === name)?.logOdds ?? 0;
  if (nats("versions") >= SURE_NATS && staysBad(change, evidence)) return null;
  if (nats("logs") > 0 && nats("versions") >= 0) return null;
  if (grows(change, evidence) && nats("versions") >= 0) return null;
  const since = durationText(Math.max(0, at - evidence.onset.at));
  const rest = change.finishedAt === null ? "is still replacing pods" : "has only just replaced its pods";
  return `${change.id} ${rest}, and what began ${since} ago may pass with it`;
}

/** A cold start passes while the new version goes on serving: it must still be at least half as bad as it began. */
function staysBad(change: Change, { index, worse, onset, caseFile }: CaseEvidence): boolean {
  for (const metric of worse.get(change.service) ?? []) {
    const fresh = samplesBetween(index.byVersion(change.service, metric).get(change.to), onset.at, caseFile.at);
    const [first, last] = [fresh[0]?.value, fresh.at(-1)?.value];
    if (first === undefined || last === undefined) continue;
    if (last < first / 2) return false;
  }
  return true;
}

/** Errors (or the latency that is worst, where errors are as usual) rise with nearly each sample as the new version takes over. */
function grows(change: Change, { index, onset, caseFile }: CaseEvidence): boolean {
  const told = caseFile.findings
    .filter((one) => one.service === change.service && one.verdict === "worse" && one.baseline !== null)
    .filter(({ metric }) => metric === "error_rate" || isLatency(metric))
    .sort(
      (a, b) => Number(b.metric === "error_rate") - Number(a.metric === "error_rate") || b.strength - a.strength,
    )[0];
  if (told === undefined) return false;
  const samples = samplesBetween(index.whole(change.service, told.metric), onset.at, caseFile.at);
  // The first sample may lie partly before the onset; growth is read from the second one on.
  const excess = samples.slice(1).map(({ value }) => value - (told.baseline ?? 0));
  const [first, last] = [excess[0], excess.at(-1)];
  if (excess.length < 4 || first === undefined || last === undefined || first <= 0) return false;
  const rises = excess.filter((value, i) => i > 0 && value > (excess[i - 1] ?? value)).length;
  return last >= 1.5 * first && last >= 0.9 * Math.max(...excess) && rises >= 0.7 * (excess.length - 1);
}

/** Nothing but drifts, health or rollouts: those are judged by their own findings. */
function notMeasured(change: Change, { worse }: CaseEvidence): boolean {
  const metrics = [...(worse.get(change.service) ?? [])];
  return !metrics.some((metric) => metric === "error_rate" || isLatency(metric));
}

/** Whether the newest sample of every signal that is worse lies nearer to its usual value than to its worst. */
export function seemsOver({ index, worse, caseFile }: CaseEvidence): boolean {
  let signals = 0;
  let back = 0;
  for (const [service, metrics] of worse) {
    for (const metric of metrics) {
      const finding = caseFile.findings.find((one) => one.service === service && one.metric === metric);
      const last = index.whole(service, metric)?.values.findLast((value) => value !== null) ?? null;
      if (last === null || finding === undefined || finding.baseline === null || finding.current === null) continue;
      signals += 1;
      if (Math.abs(last - finding.baseline) < 0.35 * Math.abs(finding.current - finding.baseline)) back += 1;
    }
  }
  return signals > 0 && back > signals / 2;
}
