import type { KayentaPolicy } from "../../config/config.ts";
import { withUnit } from "../../detection/meaning.ts";
import type { CanaryInput, CanaryJudgement, MetricJudgement, MetricVerdict, Pair } from "../model.ts";
import { pairUp } from "../pairing.ts";
import { type Classified, type ClassifyOptions, classifyByRanks, KAYENTA_DEFAULTS } from "./classify.ts";
import { iqrOutliers } from "./outliers.ts";
import { classifyScore, scoreMetrics } from "./score.ts";
import { mean } from "./statistics.ts";

/** The group of metrics that name none. */
const GROUP = "all";

/**
 * Kayenta's judge (NetflixACAJudge): each metric classified over the whole span, groups weighed, the score compared.
 * It has one look, at the end: a judgement that is not complete is `continue`. Its results are Kayenta's, also where no
 * data passes; whether that may promote is not decided here.
 */
export function judgeAsKayenta(input: CanaryInput, options: KayentaPolicy): CanaryJudgement {
  const paired = pairUp(input);
  const mostSamples = paired === null ? 0 : Math.max(1, Math.floor(input.boundMs / paired.stepMs));
  const base = { judge: "kayenta", confidence: input.confidence, mostSamples } as const;
  if (paired === null || paired.pairs.length === 0) {
    const why = ["the canary has no sample: nothing is known of it"];
    const verdict = input.complete ? "inconclusive" : "continue";
    return { ...base, verdict, since: null, until: null, samples: 0, metrics: [], score: null, why };
  }
  const { pairs, startAt, stepMs, length } = paired;
  const judged = pairs.map((pair) => ({ pair, ...judgeMetric(pair, options) }));
  const metrics = judged.map(({ judgement }) => judgement);
  const span = {
    since: startAt - stepMs,
    until: length === 0 ? null : startAt + (length - 1) * stepMs,
    samples: length,
  };
  if (!input.complete && length < mostSamples)
    return {
      ...base,
      ...span,
      verdict: "continue",
      metrics,
      score: null,
      why: [`Kayenta's judge evaluates once, at the end: ${length} of ${mostSamples} samples are there`],
    };
  const scored = judged.map(({ pair, classified }) => ({
    name: pair.metric,
    classification: classified.classification,
    groups: options.metrics[pair.metric]?.groups ?? [GROUP],
    critical: classified.critical,
    muted: options.metrics[pair.metric]?.muted ?? false,
  }));
  const score = scoreMetrics(scored, options.groupWeights);
  const said = classifyScore(score.summary, options.pass, options.marginal);
  const verdict = { Pass: "pass", Marginal: "marginal", Fail: "fail" } as const;
  const apart = judged.filter(({ classified }) => classified.classification !== "Pass");
  const why = [
    `score ${score.summary}: ${said} (pass from ${options.pass}, marginal from ${options.marginal})`,
    ...(score.reason === null ? [] : [score.reason]),
    ...apart.map(
      ({ pair, classified }) =>
        `${pair.metric} of ${pair.service} is ${classified.classification}: ${classified.reason}`,
    ),
  ];
  return { ...base, ...span, verdict: verdict[said], metrics, score: score.summary, why };
}

function judgeMetric(
  pair: Pair,
  options: KayentaPolicy,
): { readonly classified: Classified; readonly judgement: MetricJudgement } {
  const { groups: _, muted: __, outlierFactor, ...own } = options.metrics[pair.metric] ?? {};
  const direction = { up: "increase", down: "decrease", either: "either" } as const;
  const effect = own.measure === "cles" ? ([0.5, 0.5] as const) : KAYENTA_DEFAULTS.effect;
  const all = { ...KAYENTA_DEFAULTS, direction: direction[pair.worse], effect, criticalEffect: effect, ...own };
  const baseline = cleaned(pair.baseline, all.nanStrategy, outlierFactor);
  const canary = cleaned(pair.canary, all.nanStrategy, outlierFactor);
  const classified = classifyByRanks(baseline, canary, all);
  const means = {
    baseline: baseline.length === 0 ? null : mean(baseline),
    canary: canary.length === 0 ? null : mean(canary),
  };
  const sides =
    means.baseline === null || means.canary === null
      ? ""
      : `${withUnit(means.canary, pair.unit)} beside ${withUnit(means.baseline, pair.unit)}: `;
  return {
    classified,
    judgement: {
      service: pair.service,
      metric: pair.metric,
      labels: pair.labels,
      unit: pair.unit,
      verdict: verdictOf(classified, hasData(pair)),
      ...means,
      samples: pair.canary.filter((value, i) => !Number.isNaN(value) && !Number.isNaN(pair.baseline[i] ?? Number.NaN))
        .length,
      evidence: null,
      because: `${sides}${classified.classification}, ${classified.reason}`,
    },
  };
}

const hasData = ({ baseline, canary }: Pair): boolean =>
  [baseline, canary].every((side) => side.some((value) => !Number.isNaN(value)));

/** What was replaced by zeros, or passed for want of data, is not known to be well. */
function verdictOf({ classification }: Classified, measured: boolean): MetricVerdict {
  if (classification === "High" || classification === "Low") return "worse";
  return classification === "Pass" && measured ? "no-worse" : "unknown";
}

function cleaned(
  values: readonly number[],
  strategy: ClassifyOptions["nanStrategy"],
  factor?: number,
): readonly number[] {
  const known =
    strategy === "replace"
      ? values.map((value) => (Number.isNaN(value) ? 0 : value))
      : values.filter((value) => !Number.isNaN(value));
  if (factor === undefined) return known;
  const out = iqrOutliers(known, factor, true);
  return known.filter((_, i) => out[i] !== true);
}
