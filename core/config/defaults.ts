import type { Condition, Config, Mode } from "./config.ts";
import { regressionCondition } from "./policies-to-config.ts";
import { deepFreeze } from "./written-values.ts";

/**
 * False alarms that a replay's statistical conditions may raise, for each change: the promise that the product makes
 * of its alarms (an upper limit of one in a thousand). It is shared equally by the metrics that have such a condition.
 */
const FALSE_ALARMS_A_CHANGE = 0.001;

/**
 * The configuration of a replay that is given none: a file (the seed's) as if it said `mode: auto`, with a statistical
 * condition beside each threshold, so that a recorded incident is judged by evidence and not by a figure alone.
 *
 * Its confidence is 1 − 0.001 / (metrics with a threshold), by the union bound: 0.9995 for the seed's two.
 */
export function replayConfig(file: Config): Config {
  const metrics = new Set(file.policies.flatMap(({ conditions }) => conditions.flatMap(thresholdMetric)));
  const confidence = 1 - FALSE_ALARMS_A_CHANGE / Math.max(1, metrics.size);
  return deepFreeze({
    ...file,
    mode: "auto",
    modeIsDefault: false,
    policies: file.policies.map((policy) => {
      const missing = [...new Set(policy.conditions.flatMap(thresholdMetric))].filter(
        (metric) => !policy.conditions.some((one) => one.kind === "regression" && one.metric === metric),
      );
      const added = missing.map((metric) => regressionCondition(metric, confidence));
      return { ...policy, conditions: [...policy.conditions, ...added] };
    }),
  });
}

const FREEDOM: Readonly<Record<Mode, number>> = { observe: 0, approve: 1, auto: 2 };

/**
 * A configuration as if its file said this mode (`--mode`). A service that the file lets do more is held to it; one
 * that may do less keeps its own mode.
 */
export function withMode(config: Config, mode: Mode): Config {
  const services = Object.entries(config.services).map(([name, service]) => {
    const isFreer = service.mode !== null && FREEDOM[service.mode] > FREEDOM[mode];
    return [name, isFreer ? { ...service, mode } : service] as const;
  });
  return deepFreeze({
    ...config,
    mode,
    modeIsDefault: false,
    modeIsAsked: true,
    services: Object.fromEntries(services),
  });
}

function thresholdMetric(condition: Condition): readonly string[] {
  return condition.kind === "threshold" ? [condition.metric] : [];
}
