import type { CanaryPolicy, Config } from "../config/config.ts";
import { CANARY_POLICY } from "../config/policies-to-config.ts";
import { silentAfter } from "../detection/silence.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Change } from "../model/change.ts";
import type { Rollout } from "../model/evidence.ts";
import type { ConditionState, Finding } from "../model/finding.ts";
import type { Series } from "../model/signal.ts";
import { type CanaryConsequence, consequenceOf, judgeCanary } from "./judge.ts";
import type { CanaryJudgement } from "./model.ts";
import { PAST_SAMPLES } from "./pairing.ts";
import { metricName } from "./sequential.ts";

/** A new version that serves beside the stable one right now. */
export interface LiveCanary {
  readonly change: Change;
  readonly service: string;
  readonly version: string;
  readonly stable: string;
  /** It is meant to be judged: a change with a share of the traffic, or a workload of its own beside the stable one's. */
  readonly declared: boolean;
  /** From here on it is judged; Unix ms. */
  readonly since: number;
}

export interface LiveJudgement extends LiveCanary {
  readonly judgement: CanaryJudgement;
  readonly consequence: CanaryConsequence;
}

/** The share of the analysis that is left to a canary's cold start: caches, connections and compilers are no regression. */
const WARM_UP = 0.1;

type Seen = Pick<CaseFile, "at" | "series" | "changes" | "rollouts">;

/**
 * The canaries that live at the moment, each with its judgement: versions that a deploy brought and that serve beside
 * another one, by series that carry the version label. Empty where canaries are not to be judged. Pure.
 */
export function judgeLiveCanaries(
  seen: Seen,
  config: Pick<Config, "canary" | "versionLabel">,
): readonly LiveJudgement[] {
  const policy = config.canary;
  if (policy === null || !policy.enabled) return [];
  if (!seen.series.some(({ labels }) => labels[config.versionLabel] !== undefined)) return [];
  return liveCanaries(seen, policy, config.versionLabel).map((canary) => {
    const judgement = judgeOne(canary, seen, policy, config.versionLabel);
    return { ...canary, judgement, consequence: consequenceOf(judgement, policy) };
  });
}

/** Changes whose versions may still be on trial. */
export const recentEnough = (changes: readonly Change[], policy: CanaryPolicy, now: number): readonly Change[] =>
  changes.filter(({ startedAt }) => now - startedAt <= 2 * policy.baselineDurationMs);

/** How far back samples are read for these changes: their baseline's past included. Unix ms. */
export function canaryWindowStart(changes: readonly Change[], stepMs: number, now: number): number {
  return Math.min(now, ...changes.map(({ startedAt }) => startedAt)) - PAST_SAMPLES * stepMs;
}

function liveCanaries(
  { at, series, changes, rollouts }: Seen,
  policy: CanaryPolicy,
  label: string,
): readonly LiveCanary[] {
  return recentEnough(changes, policy, at).flatMap((change) => {
    if (change.ownRollback === true || change.kind === "flag" || change.to === change.from) return [];
    if (replaced(change, changes)) return [];
    const serving = newestByVersion(series, change.service, label, at);
    if (!serving.has(change.to)) return [];
    const others = [...serving.keys()].filter((version) => version !== change.to).sort();
    const stable = others.includes(change.from) ? change.from : others[0];
    if (stable === undefined) return [];
    const beside = rollouts.some((one) => one.service === change.service && isCanaryOf(change, one));
    const declared = (change.canary !== undefined && change.canary < 1) || beside;
    const since = change.startedAt + WARM_UP * policy.baselineDurationMs;
    return [{ change, service: change.service, version: change.to, stable, declared, since }];
  });
}

/**
 * Whether the change is of a canary's own workload beside that of the stable version: by the word in its name, or as
 * Flagger names the stable one, "-primary".
 * @see https://docs.flagger.app/usage/how-it-works
 */
function isCanaryOf({ workload, to }: Change, { workload: other, version }: Rollout): boolean {
  if (workload === undefined || workload.name === other.name || version === to) return false;
  if (workload.namespace !== other.namespace) return false;
  return other.name === `${workload.name}-primary` || /(^|-)canary(-|$)/.test(workload.name);
}

/** Another change of the same object came after it: it is no longer the one that serves. */
function replaced(change: Change, all: readonly Change[]): boolean {
  const same = (other: Change) =>
    change.workload === undefined || other.workload === undefined
      ? other.service === change.service && other.kind === change.kind
      : other.workload.name === change.workload.name && other.workload.namespace === change.workload.namespace;
  return all.some((other) => other.startedAt > change.startedAt && other.kind !== "flag" && same(other));
}

/** Versions of the service that are measured now, with the time of their newest sample. */
export function newestByVersion(
  series: readonly Series[],
  service: string,
  label: string,
  at: number,
): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const one of series) {
    const version = one.labels[label];
    if (one.service !== service || version === undefined || Object.keys(one.labels).length > 1) continue;
    const last = one.values.findLastIndex((value) => value !== null);
    const time = one.startAt + last * one.stepMs;
    if (last < 0 || at - time > silentAfter(one.stepMs)) continue;
    newest.set(version, Math.max(time, newest.get(version) ?? 0));
  }
  return newest;
}

/** The canary as the configured judge sees it beside the stable version, from `canary.since` on. */
export function judgeOne(
  canary: Pick<LiveCanary, "change" | "service" | "version" | "stable" | "since">,
  { at, series }: Pick<Seen, "at" | "series">,
  policy: CanaryPolicy,
  label: string,
): CanaryJudgement {
  const own = series.filter(({ service }) => service === canary.service);
  const of = (version: string) =>
    own.filter(({ labels }) => labels[label] === version && Object.keys(labels).length === 1);
  const stepMs = Math.max(1, ...own.map((one) => one.stepMs));
  const end = canary.since + policy.baselineDurationMs;
  const whole = own.filter(({ labels }) => Object.keys(labels).length === 0);
  return judgeCanary(
    {
      baseline: of(canary.stable).map((one) => withPast(one, whole, canary.change.startedAt)),
      canary: of(canary.version),
      since: canary.since,
      now: at,
      complete: at >= end + 2 * stepMs,
      versionLabel: label,
    },
    policy,
  );
}

/** The stable version's series; before the canary began the whole service was the stable version. */
function withPast(stable: Series, whole: readonly Series[], began: number): Series {
  const before = whole.find(({ metric, stepMs }) => metric === stable.metric && stepMs === stable.stepMs);
  if (before === undefined || before.startAt >= stable.startAt) return stable;
  const offset = Math.round((stable.startAt - before.startAt) / stable.stepMs);
  const past = before.values
    .slice(0, offset)
    .map((value, i) => (before.startAt + i * before.stepMs <= began ? value : null));
  return { ...stable, startAt: stable.startAt - past.length * stable.stepMs, values: [...past, ...stable.values] };
}

/** A canary that is to be taken back, as a condition that policy set and as findings of what is worse with it. */
export function canarySignals(
  live: readonly LiveJudgement[],
  now: number,
): { readonly conditions: readonly ConditionState[]; readonly findings: readonly Finding[] } {
  const failed = live.filter(isFailed);
  return {
    conditions: failed.flatMap(({ service, version, stable, judgement }) =>
      judgement.metrics
        .filter(({ verdict }) => verdict === "worse")
        .map(
          ({ metric, canary: value, because }, condition) =>
            ({
              policy: CANARY_POLICY,
              condition,
              text: `${metric} of the canary ${version} worse than that of ${stable}, confidence ${judgement.confidence}`,
              service,
              metric,
              state: "firing",
              since: judgement.since,
              firesAt: null,
              value,
              because,
            }) as const,
        ),
    ),
    findings: failed.flatMap(({ service, change, version, stable, judgement }) =>
      judgement.metrics
        .filter(({ verdict }) => verdict === "worse")
        .map(
          ({ metric, unit, baseline, canary: current, samples, evidence, because }) =>
            ({
              detector: "canary",
              service,
              metric,
              labels: {},
              unit,
              verdict: "worse",
              onset: { at: change.startedAt, earliest: change.startedAt, latest: judgement.since ?? change.startedAt },
              detectedAt: judgement.until ?? now,
              baseline,
              current,
              samples,
              strength: Math.min(700, evidence?.worse ?? Math.log(1 / Math.max(1e-9, 1 - judgement.confidence))),
              because: `${version} beside ${stable}: ${metricName({ service, metric, labels: {} })} ${because}`,
            }) as const,
        ),
    ),
  };
}

/** A judge that is sure, of a canary that was meant as one: a rolling update is judged too, but its pods come and go. */
export const isFailed = ({ declared, judgement }: LiveJudgement): boolean =>
  declared && judgement.verdict === "fail" && judgement.metrics.some(({ verdict }) => verdict === "worse");
