import { speaksOfErrors } from "../correlation/aliases.ts";
import {
  endOf,
  isMeasured,
  mayPass,
  newVersionStaysBad,
  onlyStarts,
  replacedBy,
  SURE_NATS,
} from "../correlation/passing.ts";
import { passedBefore } from "../correlation/past-rollouts.ts";
import type { CaseEvidence } from "../correlation/rank.ts";
import { valuesBetween } from "../correlation/samples.ts";
import { ofGravestClass, troubleClass } from "../correlation/trouble.ts";
import { tellsItsVersion } from "../correlation/version-signs.ts";
import { MATERIAL_ERROR_RATIO, MATERIAL_LEVEL } from "../detection/evidence.ts";
import { isLatency } from "../detection/meaning.ts";
import { mannKendall, median } from "../detection/robust.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Candidate } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { nameOfChange } from "../model/change-name.ts";
import type { Finding } from "../model/finding.ts";
import { durationText } from "../model/time.ts";

/** Odds of four to one by the shape alone, near the most that a shape can say: it surely grows with the rollout. */
const GROWS_NATS = Math.log(4);

/**
 * Why the trouble may still be the passing cost of replacing pods, or null where it cannot be: the rollout is over
 * and it stayed; the new version alone fails, and goes on failing; or it grows as the new version takes over (all the
 * surer with an error of its own, which a cold start may log too). A flag replaces no pods.
 */
export function stillSettling(change: Change, candidate: Candidate, evidence: CaseEvidence): string | null {
  const before = asTheLastTime(change, evidence);
  if (before !== null) return before;
  if (maybeStarts(change, candidate, evidence))
    return `${nameOfChange(change)} is still replacing pods, and pods that start are not ready: nothing tells those of ${change.to} from them`;
  if (!mayPass(change, evidence, "warm")) return null;
  const nats = (name: string) => candidate.reasons.find((reason) => reason.name === name)?.logOdds ?? 0;
  if (candidate.probability >= SURE_TO_STAY || (failsRequests(evidence) && !onlyStarts(change, evidence))) {
    if (nats("versions") >= SURE_NATS && newVersionStaysBad(change, evidence)) return null;
    if (nats("logs") > 0 && nats("growth") > 0 && nats("versions") >= 0) return null;
    if (nats("growth") >= GROWS_NATS && nats("versions") >= 0) return null;
  }
  const since = durationText(Math.max(0, evidence.caseFile.at - evidence.onset.at));
  const rest = endOf(change, evidence) === null ? "is still replacing pods" : "has only just replaced its pods";
  return `${nameOfChange(change)} ${rest}, and what began ${since} ago may pass with it`;
}

/**
 * Whether pods that are not ready are all that is wrong anywhere, while the rollout replaces pods and nothing tells those of
 * the new version: a pod is not ready until its probe succeeds, and more of them start the further a rollout is. Nobody fails
 * by it meanwhile, and a revision that does not become ready is told by the rollout itself, or by its deadline.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes
 */
function maybeStarts(change: Change, { reasons }: Candidate, evidence: CaseEvidence): boolean {
  const { worse, caseFile, stepMs } = evidence;
  if (change.kind === "flag" || change.kind === "migration") return false; // these replace no pods
  if ([...worse.values()].some((metrics) => [...metrics].some((metric) => metric !== HEALTH))) return false;
  if (tellsItsVersion(change, reasons, evidence)) return false;
  return caseFile.at < (endOf(change, evidence) ?? replacedBy(change)) + stepMs;
}

/**
 * Late answers that may pass by themselves within minutes, while no request fails, do not call for haste: then the odds
 * must be twenty to one that they stay, whatever confidence is configured; each minute of waiting tells more.
 */
const SURE_TO_STAY = 0.95;
const failsRequests = ({ worse }: CaseEvidence): boolean =>
  [...worse.values()].some((metrics) => [...metrics].some((metric) => speaksOfErrors(metric) || metric === HEALTH));
const HEALTH = "health_check_failures";

/**
 * The last rollout of the service cost as much, and that passed: this one gets as long to pass, and two samples to be
 * seen. A rollout that goes on gets no longer than it may replace pods without a pause: where it stands still, no pod
 * starts. The evidence of versions side by side is of no help meanwhile, since pods that start cold are slower than warm
 * ones whatever they run.
 */
function asTheLastTime(change: Change, evidence: CaseEvidence): string | null {
  const { index, worse, onset, stepMs, caseFile } = evidence;
  const metrics = worse.get(change.service);
  if (metrics === undefined || onset.latest + stepMs < change.startedAt || !isMeasured(change, evidence)) return null;
  const past = passedBefore(index, change, caseFile.changes, metrics, onset, caseFile.at);
  if (past === null) return null;
  const end = endOf(change, evidence) ?? Math.min(caseFile.at, replacedBy(change));
  const until = end + past.overAfterMs + 2 * stepMs;
  if (caseFile.at > until || onset.at > until) return null;
  const over = past.overAfterMs === 0 ? "with it" : `within ${durationText(past.overAfterMs)} after it`;
  return `the last rollout of ${change.service}, ${nameOfChange(past.change)}, cost as much in ${past.metric}, and that passed ${over}`;
}

/** So many of the newest samples tell whether it goes on easing: their trend, at one chance in forty. */
const EASING_SAMPLES = 8;
const EASING_Z = -1.96;
/** What has not halved yet may go on for long. */
const EASED = 1 / 2;

/**
 * Why what is worse seems to pass by itself: each signal of the gravest class, whosever it is, has come down to less than
 * half of its worst and goes on falling, or has all but come back; and one of them falls still, or is off by less than what
 * matters. Taking a version back would only start cold pods again, while caches fill, queues drain and pools warm up at
 * their own pace. Null where anything stays where it is.
 * @see Beyer et al. (2016), Site Reliability Engineering, ch. 22 "Addressing Cascading Failures" (slow startup and cold caching)
 */
export function isEasing({ index, worse, caseFile, onset }: CaseEvidence): string | null {
  const told = caseFile.findings.filter(
    (one) => one.verdict === "worse" && one.detector !== "version" && worse.get(one.service)?.has(one.metric) === true,
  );
  const eased = ofGravestClass(facingUsers(told)).map(({ service, metric, baseline }) => {
    const since = valuesBetween(index.whole(service, metric), onset.at, caseFile.at);
    if (baseline === null || since.length < EASING_SAMPLES) return null;
    const off = since.map((value) => Math.abs(value - baseline));
    // A worst that one sample alone shows is none.
    const worst = Math.max(...off.slice(1).map((one, i) => Math.min(one, off[i] ?? one)));
    const newest = off.slice(-EASING_SAMPLES);
    const now = median(newest.slice(-3));
    const falls = mannKendall(newest) <= EASING_Z;
    const small = now < (metric === "error_rate" ? MATERIAL_ERROR_RATIO : MATERIAL_LEVEL * baseline);
    const left = now / worst;
    const what = `${metric} of ${service}`;
    return left < (falls || small ? EASED : NEARLY_USUAL) ? { what, left, passes: falls || small } : null;
  });
  const first = eased.find((one) => one?.passes === true);
  if (first === undefined || first === null || eased.includes(null)) return null;
  return `${first.what} has come down to ${Math.round(100 * first.left)} % of its worst by itself`;
}

/**
 * Where users have felt it (errors, waiting, pods that do not answer), whether it is over is theirs to say: a cache that still
 * fills, or a queue, hurts nobody any more once answers are as they were. What creeps hurts later.
 */
function facingUsers(told: readonly Finding[]): readonly Finding[] {
  const facing = told.filter((one) => {
    const { metric } = one;
    return speaksOfErrors(metric) || isLatency(metric) || metric === HEALTH || troubleClass(one) === "creeping";
  });
  return facing.length > 0 ? facing : told;
}

/** A third of the way and no more is left: what scatters about half of the way is not taken for over. */
const NEARLY_USUAL = 0.35;

/**
 * Whether the newest sample of most signals that are worse lies far nearer to its usual value than to what it was for most
 * of the time since the onset. Signals of the gravest class alone are asked: requests that fail go on failing when a
 * slowness beside them has passed.
 */
export function seemsOver({ index, worse, caseFile, onset }: CaseEvidence): boolean {
  let signals = 0;
  let back = 0;
  const told = [...worse].flatMap(([service, metrics]) =>
    [...metrics].flatMap((metric) => {
      // What one version alone shows, the service as a whole may hide: it cannot say that it is over.
      const finding = caseFile.findings.find(
        (one) => one.service === service && one.metric === metric && one.detector !== "version",
      );
      return finding === undefined ? [] : [finding];
    }),
  );
  for (const { service, metric, baseline, current } of ofGravestClass(facingUsers(told))) {
    const since = valuesBetween(index.whole(service, metric), onset.at, caseFile.at);
    const last = since.at(-1) ?? index.whole(service, metric)?.values.findLast((value) => value !== null) ?? null;
    if (last === null || baseline === null || current === null) continue;
    const off = Math.max(Math.abs(current - baseline), Math.abs(median(since) - baseline) || 0);
    signals += 1;
    if (Math.abs(last - baseline) < NEARLY_USUAL * off) back += 1;
  }
  return signals > 0 && back > signals / 2;
}

/**
 * Why an incident whose samples are nearly back is looked at again: what was measured, and each condition of its services that still
 * holds or is pending, since a policy reads over a window of its own.
 */
export function easedText({ conditions }: Pick<CaseFile, "conditions">, services: readonly string[]): string {
  const active = conditions.filter(
    ({ service, state }) => (state === "firing" || state === "pending") && services.includes(service),
  );
  const still = active.map(
    ({ text, service, state }) => `${text} of ${service} ${state === "firing" ? "still holds" : "is pending"}`,
  );
  const but = still.length === 0 ? "" : `, but ${[...new Set(still)].join("; ")}`;
  return `the newest samples are far nearer to the baseline than to the degradation${but}: looking again`;
}
