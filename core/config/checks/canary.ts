import { didYouMean } from "../nearest.ts";
import { type Check, isMap, keyTroubleAt, listAt, mapAt, valueTroubleAt } from "./check.ts";

const CANARY = ["rollback_policies", "canary_analysis"] as const;
const KAYENTA = [...CANARY, "kayenta"] as const;
/** What is compared where the file names nothing; the schema's default. */
const COMPARED = ["error_rate", "p99_latency"];

/** Options of a judge that is not chosen would be read by nobody. */
export const canaryJudgeIsChosen: Check = ({ file }) => {
  const canary = mapAt(file, ...CANARY);
  if (canary.kayenta === undefined || canary.judge === "kayenta") return [];
  return [keyTroubleAt(KAYENTA, "has no effect: the judge is another one", "write judge: kayenta beside it")];
};

/** Nothing is ever known for certain, and no confidence at all is no verdict. */
export const canaryConfidenceCanBeReached: Check = ({ file }) => {
  const { minimum_confidence: confidence } = mapAt(file, ...CANARY);
  if (confidence !== 0 && confidence !== 1) return [];
  const path = [...CANARY, "minimum_confidence"];
  const what = confidence === 1 ? "is 1, which no measurement reaches" : "is 0, with which anything passes";
  return [valueTroubleAt(path, what, "such as 0.95")];
};

/** An option of a metric that is not compared, or a weight of a group that holds no metric, would do nothing. */
export const kayentaNamesAreUsed: Check = ({ file }) => {
  const metrics = mapAt(file, ...KAYENTA, "metrics");
  const listed = listAt(file, ...CANARY, "comparison_metrics").map(({ value }) => String(value));
  const compared = listed.length > 0 ? listed : COMPARED;
  const groups = Object.values(metrics).flatMap((metric) =>
    isMap(metric) && Array.isArray(metric.groups) ? metric.groups.map(String) : [],
  );
  const used = [...new Set([...groups, DEFAULT_GROUP])];
  return [
    ...Object.keys(metrics)
      .filter((name) => !compared.includes(name))
      .map((name) =>
        keyTroubleAt([...KAYENTA, "metrics", name], "is not among comparison_metrics", didYouMean(name, compared)),
      ),
    ...Object.keys(mapAt(file, ...KAYENTA, "group_weights"))
      .filter((group) => !used.includes(group))
      .map((group) =>
        keyTroubleAt([...KAYENTA, "group_weights", group], "is the group of no metric", didYouMean(group, used)),
      ),
  ];
};

/** The group of metrics that name none. */
const DEFAULT_GROUP = "all";

/** Scores and weights are shares of 100, and marginal is less than pass. */
export const kayentaScoresFit: Check = ({ file }) => {
  const { pass = 95, marginal = 75 } = mapAt(file, ...KAYENTA);
  const weights = Object.values(mapAt(file, ...KAYENTA, "group_weights")).filter((one) => typeof one === "number");
  const sum = weights.reduce((total, one) => total + one, 0);
  return [
    ...(typeof pass === "number" && typeof marginal === "number" && marginal > pass
      ? [valueTroubleAt([...KAYENTA, "marginal"], `is ${marginal}, above pass, which is ${pass}`, "swap them")]
      : []),
    ...(sum > 100
      ? [keyTroubleAt([...KAYENTA, "group_weights"], `add up to ${sum}`, "they are per cent of the whole: 100 at most")]
      : []),
  ];
};
