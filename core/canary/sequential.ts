import { withUnit } from "../detection/meaning.ts";
import { durationText } from "../model/time.ts";
import { neededNats, refused } from "./closed-testing.ts";
import { createMetricTest, type MetricTest } from "./metric-test.ts";
import type { CanaryInput, CanaryJudgement, CanaryVerdict, MetricJudgement, Pair, Paired } from "./model.ts";
import { pairUp } from "./pairing.ts";

interface Running {
  readonly pair: Pair;
  readonly test: MetricTest;
}

/**
 * The sequential judge: looks after every sample, and stops at the first verdict. The same samples give the same
 * verdict, and one that was given stays.
 *
 * - It fails as soon as closed testing refuses "not worse" for at least one metric, at 1 − `confidence` for all metrics
 *   and all looks together, if the shift also matters (a quarter of a level; of errors 0.6 % of requests or a doubling).
 * - It passes when every metric shows, at 1 − `confidence` each, that it is not worse by what matters. Together that
 *   needs no correction: a wrong pass is a wrong pass of the metric that is worse (intersection–union test).
 * - A metric that is missing, in whole or in one sample, can fail but not pass.
 *
 * @see Berger (1982), Technometrics 24(4):295–300, for the intersection–union test; `closed-testing.ts`, `shift-test.ts`
 *   and `error-counts.ts` for the rest
 */
export function judgeSequentially(input: CanaryInput): CanaryJudgement {
  const paired = pairUp(input);
  const mostSamples = paired === null ? 0 : Math.max(1, Math.floor(input.boundMs / paired.stepMs));
  const base = { judge: "sequential", confidence: input.confidence, score: null, mostSamples } as const;
  if (paired === null || paired.pairs.length === 0) {
    const verdict = input.complete ? "inconclusive" : "continue";
    const why = [
      paired === null ? "the canary has no sample yet: nothing is known of it" : "there is no metric to compare",
    ];
    return { ...base, verdict, since: null, until: null, samples: 0, metrics: [], why };
  }
  const alpha = 1 - input.confidence;
  const running = paired.pairs.map((pair) => ({ pair, test: createMetricTest(pair, mostSamples) }));
  for (let i = 0; i < paired.length; i++) {
    for (const { test } of running) test.take(i);
    const failed = failing(running, alpha);
    if (failed.some(Boolean)) return conclude("fail", i + 1, failed);
    if (running.every(({ test }) => test.noWorse() >= -Math.log(alpha))) return conclude("pass", i + 1, failed);
  }
  const over = input.complete || paired.length >= mostSamples;
  return conclude(
    over ? "inconclusive" : "continue",
    paired.length,
    running.map(() => false),
  );

  function conclude(verdict: CanaryVerdict, samples: number, failed: readonly boolean[]): CanaryJudgement {
    const metrics = running.map((one, i) => metricJudgement(one, failed[i] === true, samples, alpha, running.length));
    const { startAt, stepMs } = paired as Paired;
    const until = samples === 0 ? null : startAt + (samples - 1) * stepMs;
    const why = whyText(verdict, metrics, { samples, mostSamples, stepMs, confidence: input.confidence });
    return { ...base, verdict, since: startAt - stepMs, until, samples, metrics, why };
  }
}

/** Which metrics are refused as "not worse". What does not matter has no say. */
function failing(running: readonly Running[], alpha: number): readonly boolean[] {
  const tests = running.map(({ test }) => ({ nats: test.worse(), weight: 1 }));
  const least = -Math.log(alpha);
  if (tests.every(({ nats }) => nats < least)) return tests.map(() => false);
  const counted = tests.map((one, i) =>
    running[i]?.test.matters() === true ? one : { ...one, nats: Math.min(0, one.nats) },
  );
  return refused(counted, alpha);
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

function metricJudgement(
  { pair, test }: Running,
  failed: boolean,
  samples: number,
  alpha: number,
  metrics: number,
): MetricJudgement {
  const { service, metric, labels, unit } = pair;
  const both = Array.from({ length: samples }, (_, i) => i).filter(
    (i) => !Number.isNaN(pair.baseline[i] ?? Number.NaN) && !Number.isNaN(pair.canary[i] ?? Number.NaN),
  );
  const baseline = mean(both.map((i) => pair.baseline[i] ?? 0));
  const canary = mean(both.map((i) => pair.canary[i] ?? 0));
  const evidence = { worse: test.worse(), noWorse: test.noWorse() };
  const base = { service, metric, labels, unit, baseline, canary, samples: both.length, evidence };
  if (baseline === null || canary === null)
    return { ...base, verdict: "unknown", because: `${absent(pair, samples)}: unknown, not healthy` };
  const sides = `${withUnit(canary, unit)} beside ${withUnit(baseline, unit)}`;
  const needed = neededNats(1, metrics, alpha);
  if (failed)
    return {
      ...base,
      verdict: "worse",
      because: `${sides}: worse, e-value e^${evidence.worse.toFixed(1)} (needed e^${needed.toFixed(1)})`,
    };
  const enough = -Math.log(alpha);
  if (evidence.noWorse >= enough)
    return {
      ...base,
      verdict: "no-worse",
      because: `${sides}: within baseline by what matters, e-value e^${evidence.noWorse.toFixed(1)} (needed e^${enough.toFixed(1)})`,
    };
  const gaps = samples - both.length;
  const open =
    gaps > 0
      ? `${gaps} of ${samples} samples are missing`
      : (test.obstacle() ??
        `e-value e^${evidence.worse.toFixed(1)} for worse (needed e^${needed.toFixed(1)}), e^${evidence.noWorse.toFixed(1)} for within baseline (needed e^${enough.toFixed(1)})`);
  return { ...base, verdict: "inconclusive", because: `${sides}: not sure; ${open}` };
}

function absent({ baseline, canary }: Pair, samples: number): string {
  const has = (side: readonly number[]) => side.slice(0, samples).some((value) => !Number.isNaN(value));
  if (!has(baseline) && !has(canary)) return "neither version has a sample";
  if (!has(baseline)) return "the baseline has no sample";
  return has(canary) ? "the two have no sample of the same time" : "the canary has no sample";
}

interface Course {
  readonly samples: number;
  readonly mostSamples: number;
  readonly stepMs: number;
  readonly confidence: number;
}

function whyText(
  verdict: CanaryVerdict,
  metrics: readonly MetricJudgement[],
  { samples, mostSamples, stepMs, confidence }: Course,
): readonly string[] {
  const early = samples < mostSamples;
  const when = `after ${samples} of ${mostSamples} samples (${durationText(samples * stepMs)})`;
  const named = (kind: MetricJudgement["verdict"]) =>
    metrics.filter((one) => one.verdict === kind).map((one) => `${metricName(one)}: ${one.because}`);
  if (verdict === "fail")
    return [
      `worse in ${named("worse").length} of ${metrics.length} metrics ${when}${early ? ", stopped early" : ""}`,
      ...named("worse"),
    ];
  if (verdict === "pass")
    return [
      `all ${metrics.length} metrics are shown to be within baseline, each with confidence ${confidence}, ${when}${early ? ", stopped early" : ""}`,
    ];
  const open = [...named("unknown"), ...named("inconclusive")];
  return [
    `${verdict === "continue" ? "not sure yet" : "not sure at the end"} ${when}: ${open.length} of ${metrics.length} metrics are open`,
    ...open,
  ];
}

/** A metric with its service and labels, as people read it. */
export function metricName({
  service,
  metric,
  labels,
}: Pick<MetricJudgement, "service" | "metric" | "labels">): string {
  const rest = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const whose = service === "" ? "" : ` of ${service}`; // a CSV names no service
  return `${metric}${whose}${rest.length === 0 ? "" : ` {${rest.join(", ")}}`}`;
}
