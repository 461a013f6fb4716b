import { parseArgs } from "node:util";
import { judgeSequentially } from "../../core/canary/sequential.ts";
import { clopperPearson } from "../bench/intervals.ts";
import { createRandom } from "../bench/random.ts";
import { drawCanary, type NullSetting } from "./null-canary.ts";

/**
 * How often the sequential judge fails a canary that is no worse, in whole runs that are looked at after every sample.
 * `node evals/canary/null-trials.ts --trials 1000 --metrics 300 --seed 1 --confidence 0.95`
 */
const { values } = parseArgs({
  options: {
    trials: { type: "string", default: "1000" },
    metrics: { type: "string", default: "300" },
    samples: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    confidence: { type: "string", default: "0.95" },
    history: { type: "string" },
    share: { type: "string" },
    rate: { type: "string" },
    errors: { type: "string" },
    latency: { type: "string" },
  },
});
const trials = Number(values.trials);
const confidence = Number(values.confidence);
const setting: NullSetting = {
  metrics: Number(values.metrics),
  samples: Number(values.samples),
  history: values.history === undefined ? null : Number(values.history),
  share: values.share === undefined ? null : Number(values.share),
  leastRate: values.rate === undefined ? null : Number(values.rate),
};
const harm =
  values.errors === undefined && values.latency === undefined
    ? null
    : { errors: Number(values.errors ?? 0), latency: Number(values.latency ?? 1) };
const counts = { pass: 0, fail: 0, marginal: 0, inconclusive: 0, continue: 0 };
const delays: number[] = [];
const blamed = new Map<string, number>();
const started = performance.now();
for (let trial = 0; trial < trials; trial++) {
  const random = createRandom(Number(values.seed) + trial * 7919);
  const result = judgeSequentially(drawCanary(random, setting, confidence, harm));
  counts[result.verdict] += 1;
  if (result.verdict !== "fail") continue;
  delays.push(result.samples);
  for (const { metric, verdict } of result.metrics)
    if (verdict === "worse") blamed.set(metric, (blamed.get(metric) ?? 0) + 1);
}
const { rate, lower, upper } = clopperPearson(counts.fail, trials);
const median = delays.sort((a, b) => a - b)[Math.floor(delays.length / 2)];
process.stdout.write(
  `${trials} canaries of ${setting.metrics} metrics, ${setting.samples} samples, confidence ${confidence}, seed ${values.seed}${harm === null ? ", none worse" : `, one service worse by ${JSON.stringify(harm)}`}\n` +
    `${counts.fail} failed: ${rate.toFixed(4)}, 95 % interval ${lower.toFixed(4)} to ${upper.toFixed(4)} (Clopper–Pearson)${median === undefined ? "" : `; median after ${median} samples`}\n` +
    `pass ${counts.pass}, inconclusive ${counts.inconclusive}; named ${JSON.stringify(Object.fromEntries(blamed))}; ${((performance.now() - started) / 1000).toFixed(1)} s\n`,
);
