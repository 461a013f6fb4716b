import { isLatency } from "../detection/meaning.ts";
import { silentAfter } from "../detection/silence.ts";
import type { ConditionState } from "../model/finding.ts";
import { type Baseline, overallVerdict, type Recovery } from "../model/incident.ts";
import { type Series, WELL_KNOWN_METRICS, type Worse } from "../model/signal.ts";
import { durationText } from "../model/time.ts";
import { type Bystander, commonSlowdown, type Slowdown } from "./common-mode.ts";
import { conditionChecks, type Found } from "./recovery-conditions.ts";
import { unmeasuredFor, withGap } from "./recovery-gaps.ts";
import { ENOUGH_SAMPLES, enoughRequests, quantileOf, upperRate } from "./recovery-statistics.ts";
import { count, figure, insideText, outsideText, percent } from "./recovery-text.ts";

export interface Unmeasured {
  readonly service: string;
  readonly metric: string;
  /**
   * For what a rollout or a health check found: do all pods of the service stand ready at one version now? null: could
   * not be read; absent: readiness proves nothing of this signal.
   */
  readonly ready?: boolean | null;
}

export interface RecoveryInput {
  /** What each signal that was wrong looked like before; `request_rate` rows tell whether traffic is back. */
  readonly baselines: readonly Baseline[];
  /** Signals that were wrong and have no baseline: nothing but a proof of their own can show that they recovered. */
  readonly unmeasured?: readonly Unmeasured[];
  /** What the policies' conditions say now of the affected services and of those that were taken back. */
  readonly conditions: readonly ConditionState[];
  /** Unsmoothed series that reach from `executedAt` to now, `request_rate` of each service among them. */
  readonly series: readonly Series[];
  /** Latencies of services that the acts cannot reach: what slowed them all meanwhile is no failed act. */
  readonly bystanders?: readonly Bystander[];
  /**
   * Latencies of services that were well, of which nobody knows whether the acts reach them. They excuse nothing; but
   * what is slow only as much as they are is not known to be the act's failure.
   */
  readonly neighbours?: readonly Bystander[];
  /**
   * Whether each target that was taken back stands at its restored version, completely; null: could not be read; "untold": whether
   * it was taken back at all is not known.
   */
  readonly acts: readonly {
    readonly service: string;
    readonly complete: boolean | null | "untold";
    /** A flag that was switched off, which has no rollout; absent: a version that was restored. */
    readonly isFlag?: boolean;
  }[];
  /** The rate from which people call a ratio broken (a policy's threshold), by metric; see `enoughRequests`. */
  readonly brokenAt: Readonly<Record<string, number>>;
  /** When the last target was taken back, the latest it can have been; Unix ms. What was measured before proves nothing. */
  readonly executedAt: number;
  /** The same, as early as it can have been; absent: `executedAt`. What was not measured since then is missing. */
  readonly executedFrom?: number;
  /** Since when somebody looks at it without a break, where that is later: a watch that was started again. */
  readonly lookingSince?: number;
  readonly now: number;
  /** How long recovery may take before it counts as not recovered. */
  readonly timeoutMs: number;
}

type Check = Recovery["checks"][number];

/** Newer than this many steps, the newest sample speaks of the present. */
const FRESH_STEPS = 3;
/** Traffic that is down by more than half within minutes is drained, not quieter: daily curves are slower than that. */
const DRAINED_SHARE = 0.5;

/**
 * Whether the system recovered after its rollback: the rollout finished, every signal that was wrong is back inside
 * its own baseline, for long enough and over enough requests, the traffic is there again, and no condition of a policy holds
 * or is pending. Before the time is
 * over what is not yet so is `pending`; afterwards it is `not-recovered`, or `unknown` where data was missing, which
 * is not recovered either (S9). What was measured until shortly before is not missing yet: for as long as a signal may
 * pause before it counts as silent (`silentAfter`), such a check is `pending` beyond the time-out, too. Pure.
 */
export function judgeRecovery(input: RecoveryInput): Recovery {
  const unmeasured = (input.unmeasured ?? []).map(unmeasuredCheck);
  const found: Found[] = [
    ...actChecks(input),
    ...input.baselines.map((baseline) => signalCheck(baseline, input)),
    ...unmeasured,
  ];
  if (input.baselines.length === 0 && unmeasured.length === 0) found.push(nothingToCompare(input));
  const isOf = (service: string, metric: string) => (one: Unmeasured) =>
    one.service === service && one.metric === metric;
  const signals = [...found];
  const stepMs = Math.max(0, ...input.series.map((series) => series.stepMs));
  found.push(
    ...conditionChecks(input.conditions, {
      isBack: (...signal) => signals.filter(isOf(...signal)).some(({ verdict }) => verdict === "recovered"),
      isMeasured: (...signal) => [...input.baselines, ...(input.unmeasured ?? [])].some(isOf(...signal)),
      isCurrent: (at) => at - stepMs >= input.executedAt && input.now - at <= FRESH_STEPS * stepMs,
    }),
  );
  const checks = found.map(({ momentary = false, isPartly = false, ...check }) => {
    // Of what is missing, whoever was started again has to have had the time to see it.
    const since = isPartly || check.verdict === "unknown" ? lookedSince(input) : input.executedAt;
    const isOver = input.now >= since + input.timeoutMs + (momentary ? silentAfter(stepMs) : 0);
    return isOver ? check : { ...check, verdict: waiting(check.verdict) };
  });
  const verdict = overallVerdict(checks.map((check) => check.verdict));
  return { verdict, at: verdict === "pending" ? null : input.now, checks };
}

const lookedSince = ({ executedAt, lookingSince }: RecoveryInput): number =>
  Math.max(executedAt, lookingSince ?? executedAt);

const waiting = (verdict: Check["verdict"]): Check["verdict"] => (verdict === "recovered" ? verdict : "pending");

function actChecks({ acts }: RecoveryInput): readonly Found[] {
  if (acts.length === 0) return [{ ...actCheck({ service: "", complete: null }), momentary: false }];
  return acts.map(actCheck);
}

function actCheck({ service, complete, isFlag = false }: RecoveryInput["acts"][number]): Found {
  const check = { service, metric: "rollout" };
  if (complete === "untold")
    return { ...check, verdict: "unknown", because: "whether the act was carried out is not known" };
  if (complete === null)
    return {
      ...check,
      verdict: "unknown",
      because: isFlag ? "the flag could not be read" : "the rollout could not be read",
      momentary: true,
    };
  const done = isFlag ? "the flag is off" : "the rollout of the restored version finished";
  const missing = isFlag ? "the flag is on" : "the rollout of the restored version is not finished";
  return complete
    ? { ...check, verdict: "recovered", because: done }
    : { ...check, verdict: "not-recovered", because: missing };
}

const nothingToCompare = (_: RecoveryInput): Check => ({
  service: "",
  metric: "baseline",
  verdict: "unknown",
  because: "no baseline was kept, so nothing can show that it recovered",
});

/** A healthy signal beside it vouches for nothing: without a proof of its own it stays unknown (S9). */
function unmeasuredCheck({ service, metric, ready }: Unmeasured): Found {
  const check = { service, metric };
  switch (ready) {
    case true:
      return {
        ...check,
        verdict: "recovered",
        because: `the rollout of ${service} is complete and its pods are ready`,
      };
    case false:
      return { ...check, verdict: "not-recovered", because: `not every pod of ${service} is ready` };
    case null:
      return {
        ...check,
        verdict: "unknown",
        because: `nobody could say whether the pods of ${service} are ready`,
        momentary: true,
      };
    default:
      return { ...check, verdict: "unknown", because: "no baseline was kept, so nothing can show that it recovered" };
  }
}

/** One signal, and whether its evidence since the act is whole: what was not measured meanwhile is unknown (S9). */
function signalCheck(baseline: Baseline, input: RecoveryInput): Found {
  const found = slowedCheck(baseline, input);
  const series = wholeOf(input.series, baseline.service, baseline.metric);
  if (series === undefined) return found;
  const { executedAt, executedFrom = executedAt, now } = input;
  const gapMs = unmeasuredFor(series, executedFrom, now);
  if (gapMs === null) return found;
  const worse = directionOf(series, baseline);
  const wasBack = samplesSince(series, input).some(({ value }) => isInside(value, baseline, worse));
  return { ...withGap(found, gapMs, wasBack), isPartly: true };
}

/**
 * One signal. Where it has not recovered, but would have if all that became slower meanwhile were slowed by the same
 * cause, and nobody can tell whether it is so, that is unknown: neither a failed act nor a recovery (S9).
 */
function slowedCheck(baseline: Baseline, input: RecoveryInput): Found {
  const found = judgedSignal(baseline, input);
  const { bystanders = [], neighbours = [] } = input;
  const all = [...bystanders, ...neighbours].filter(({ since }) => since.metric === baseline.metric);
  if (found.verdict !== "not-recovered" || !isLatency(baseline.metric) || all.length === 0) return found;
  // One that is surely out of reach is a hint by itself; of those that may be in reach, one may suffer with the service.
  const least = bystanders.length > 0 ? 1 : 2;
  if (judgedSignal(baseline, { ...input, bystanders: all }, least).verdict !== "recovered") return found;
  const names = [...new Set(all.map(({ since }) => since.service))].sort();
  const because = `${found.because}; ${namesText(names)} became slower by as much meanwhile, and nobody can tell whether one cause slows them all`;
  return { ...found, verdict: "unknown", because };
}

/** The series of a service as a whole, not of one of its pods or versions. */
const wholeOf = (all: readonly Series[], service: string, metric: string): Series | undefined =>
  all.find((one) => one.service === service && one.metric === metric && Object.keys(one.labels).length === 0);

function judgedSignal(baseline: Baseline, input: RecoveryInput, leastBystanders?: number): Found {
  const { service, metric } = baseline;
  const check = (verdict: Check["verdict"], because: string): Check => ({ service, metric, verdict, because });
  const series = wholeOf(input.series, service, metric);
  if (series === undefined) return check("unknown", "there is no data since the rollback");
  const worse = directionOf(series, baseline);
  const { series: own, note } = withoutCommonSlowdown(series, baseline, input, leastBystanders);
  const run = goodRun(own, baseline, worse, input);
  const say = (verdict: Check["verdict"], because: string): Check => check(verdict, because + note);
  if (run.newest === null) return say("unknown", "there is no sample since the rollback");
  const ageMs = input.now - run.newest.at;
  if (ageMs > FRESH_STEPS * series.stepMs) {
    const stale = say("unknown", `the newest sample is ${durationText(ageMs)} old`);
    return { ...stale, momentary: ageMs <= silentAfter(series.stepMs) };
  }
  if (run.good.length === 0) return say("not-recovered", outsideText(run.newest.value, baseline, worse));
  if (run.good.length < ENOUGH_SAMPLES) {
    return say("not-recovered", `inside its baseline for ${run.good.length} of ${ENOUGH_SAMPLES} samples`);
  }
  if (metric === "request_rate" || (baseline.requestRate === null && !speaksOfRequests(metric))) {
    return say("recovered", insideText(run.newest.value, run.good.length, baseline, worse));
  }
  if (baseline.requestRate === null) return say("unknown", "the baseline number of requests is not known");
  return trafficCheck(baseline, run, trafficOver(run, service, series.stepMs, input), input, say);
}

/**
 * A latency as it would be had not everything slowed meanwhile, and the fact in words where that decides about a sample.
 * Other signals are left as they are: a machine that is short of CPU slows requests and fails none of them.
 */
function withoutCommonSlowdown(
  series: Series,
  baseline: Baseline,
  { bystanders = [], executedAt }: RecoveryInput,
  least?: number,
): { readonly series: Series; readonly note: string } {
  const same = bystanders.filter(({ since }) => since.metric === series.metric);
  if (!isLatency(series.metric) || same.length === 0) return { series, note: "" };
  const slowdownAt = commonSlowdown(same, least);
  const samples = series.values.map((measured, index) => {
    const at = series.startAt + index * series.stepMs;
    if (measured === null || at - series.stepMs < executedAt) return { value: measured, decisive: null };
    const slowdown = slowdownAt(at);
    const value = measured / slowdown.factor;
    const decides = measured > baseline.upper && value <= baseline.upper;
    return { value, decisive: decides ? { measured, slowdown } : null };
  });
  const decisive = samples.findLast((sample) => sample.decisive !== null)?.decisive ?? null;
  return {
    series: { ...series, values: samples.map(({ value }) => value) },
    note: decisive === null ? "" : slowdownText(decisive, baseline.unit),
  };
}

/** So many services are named. */
const NAMED = 3;

function slowdownText(
  { measured, slowdown }: { readonly measured: number; readonly slowdown: Slowdown },
  unit: string,
): string {
  const { services, factor } = slowdown;
  return `; measured ${figure(measured)} ${unit}, of which a factor of ${figure(factor)} is discounted: what the act cannot reach (${namesText(services)}) became slower by as much meanwhile`;
}

function namesText(services: readonly string[]): string {
  const more = services.length > NAMED ? ` and ${services.length - NAMED} more` : "";
  return `${services.slice(0, NAMED).join(", ")}${more}`;
}

interface Sample {
  readonly at: number;
  readonly value: number;
}
interface GoodRun {
  readonly newest: Sample | null;
  /** The unbroken stretch inside the baseline that ends with the newest sample; missing samples do not break it. */
  readonly good: readonly Sample[];
  /** When the last sample outside the baseline ended, or the act was done. */
  readonly since: number;
}

/** Only samples whose whole step lies after the rollback count: an earlier one still holds the bad version. */
function goodRun(series: Series, baseline: Baseline, worse: Worse, input: RecoveryInput): GoodRun {
  const samples = samplesSince(series, input);
  const bad = samples.findLastIndex(({ value }) => !isInside(value, baseline, worse));
  const since = samples[bad]?.at ?? input.executedAt;
  return { newest: samples.at(-1) ?? null, good: samples.slice(bad + 1), since };
}

const samplesSince = ({ values, startAt, stepMs }: Series, { executedAt, now }: RecoveryInput): readonly Sample[] =>
  values.flatMap((value, index) => {
    const at = startAt + index * stepMs;
    return value === null || at - stepMs < executedAt || at > now ? [] : [{ at, value }];
  });

interface Traffic {
  /** Requests over the good run, and the mean rate a second; null: not measured. */
  readonly requests: number | null;
  readonly rate: number | null;
  readonly failed: number;
}

/**
 * Requests count where a sample of the signal vouches for them. How much traffic there is does not depend on which
 * samples of the signal arrived: leaving some out must not make a drained service look busy (S9).
 */
function trafficOver(run: GoodRun, service: string, stepMs: number, { series, now }: RecoveryInput): Traffic {
  const rates = wholeOf(series, service, "request_rate");
  if (rates === undefined) return { requests: null, rate: null, failed: 0 };
  const rateAt = (at: number): number | null => rates.values[Math.round((at - rates.startAt) / rates.stepMs)] ?? null;
  const measured = run.good.flatMap(({ at, value }) => {
    const rate = rateAt(at);
    return rate === null ? [] : [{ requests: (rate * stepMs) / 1000, value }];
  });
  if (measured.length === 0) return { requests: null, rate: null, failed: 0 };
  return {
    requests: measured.reduce((sum, one) => sum + one.requests, 0),
    rate: rateSince(rates, run.since, now),
    failed: measured.reduce((sum, one) => sum + one.requests * one.value, 0),
  };
}

/** The mean rate since then, or lately where that is more: pods that were away for long are back once requests are. */
function rateSince(rates: Series, since: number, now: number): number | null {
  const known = rates.values.flatMap((rate, index) => {
    const at = rates.startAt + index * rates.stepMs;
    return rate === null || at - rates.stepMs < since || at > now ? [] : [{ at, rate }];
  });
  const mean = (some: typeof known) => some.reduce((sum, { rate }) => sum + rate, 0) / some.length;
  if (known.length === 0) return null;
  const lately = known.filter(({ at }) => at > now - ENOUGH_SAMPLES * rates.stepMs);
  return Math.max(mean(known), lately.length === 0 ? 0 : mean(lately));
}

function trafficCheck(
  baseline: Baseline,
  run: GoodRun,
  { requests, rate, failed }: Traffic,
  input: RecoveryInput,
  say: (verdict: Check["verdict"], because: string) => Check,
): Check {
  if (requests === null || rate === null) return say("unknown", "the number of requests is unknown");
  const floor = trafficFloor(baseline, input);
  if (rate < floor) {
    return say(
      "not-recovered",
      `only ${rate.toFixed(2)} requests a second, at least ${floor.toFixed(2)} are the baseline`,
    );
  }
  const newest = run.newest?.value ?? 0;
  const inside = insideText(newest, run.good.length, baseline);
  if (baseline.unit === "ratio" && baseline.metric === "error_rate") {
    const limit = Math.max(baseline.upper, input.brokenAt[baseline.metric] ?? 0);
    const upper = upperRate(failed, requests);
    return upper <= limit
      ? say("recovered", `${inside}; over all ${count(requests)} requests at most ${percent(upper)} (95 %)`)
      : say(
          failed / requests > limit ? "not-recovered" : "unknown",
          `${count(requests)} requests are too few to exclude ${percent(limit)}; about ${enoughRequests(limit)} without failures would do`,
        );
  }
  const quantile = quantileOf(baseline.metric);
  const needed = quantile === null ? 0 : enoughRequests(1 - quantile);
  return requests >= needed
    ? say("recovered", `${inside}; over ${count(requests)} requests`)
    : say("unknown", `${inside}; ${count(requests)} of the ${count(needed)} requests that ${baseline.metric} needs`);
}

/** Where nobody sends requests, nothing fails and nothing is slow: such a signal is worth what its traffic is. */
const speaksOfRequests = (metric: string): boolean => metric === "error_rate" || isLatency(metric);

/** The least traffic that counts as back: its own baseline where one was kept, else half of what it was. */
function trafficFloor(baseline: Baseline, { baselines }: RecoveryInput): number {
  const own = baselines.find(({ service, metric }) => service === baseline.service && metric === "request_rate");
  return own?.lower ?? (baseline.requestRate ?? 0) * DRAINED_SHARE;
}

/**
 * A series says itself in which direction it hurts; a well-known metric always hurts the same way. Where neither has a
 * direction, what policy declared bad counts; traffic of which nothing is declared has recovered when it is back.
 */
function directionOf(series: Series, { worse }: Baseline): Worse {
  const known: Readonly<Record<string, { readonly worse: Worse }>> = WELL_KNOWN_METRICS;
  const own = Object.hasOwn(known, series.metric) ? (known[series.metric]?.worse ?? series.worse) : series.worse;
  if (own !== "either") return own;
  return worse ?? (series.metric === "request_rate" ? "down" : own);
}

function isInside(value: number, { lower, upper }: Baseline, worse: Worse): boolean {
  return (worse === "down" || value <= upper) && (worse === "up" || value >= lower);
}
