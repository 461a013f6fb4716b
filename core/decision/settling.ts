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

/**
 * Why the trouble may still be the passing cost of replacing pods, or null where it cannot be: the rollout is over
 * and it stayed; the new version alone fails; or it grows as the new version takes over. A flag replaces no pods.
 */
export function stillSettling(change: Change, candidate: Candidate, evidence: CaseEvidence): string | null {
  if (change.kind === "flag") return null;
  const { at } = evidence.caseFile;
  const settled = (change.finishedAt ?? at) + GRACE_MS + 2 * evidence.stepMs;
  if (change.finishedAt !== null && at >= settled) return null;
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

/** Errors or latency of the changed service that rise with each sample as the new version takes over. */
function grows(change: Change, { index, worse, onset, caseFile }: CaseEvidence): boolean {
  for (const metric of worse.get(change.service) ?? []) {
    if (metric !== "error_rate" && !isLatency(metric)) continue;
    const series = index.whole(change.service, metric);
    const values = samplesBetween(series, onset.at, caseFile.at).map(({ value }) => value);
    const finding = caseFile.findings.find((one) => one.service === change.service && one.metric === metric);
    const usual = finding?.baseline ?? 0;
    // The first sample may lie partly before the onset; growth is read from the second one on.
    const excess = values.slice(1).map((value) => value - usual);
    const [first, last] = [excess[0], excess.at(-1)];
    if (excess.length < 3 || first === undefined || last === undefined || first <= 0) continue;
    if (last >= 1.5 * first && last >= 0.9 * Math.max(...excess)) return true;
  }
  return false;
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
