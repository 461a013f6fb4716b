import type { Path } from "../yaml-tree.ts";
import { type Fields, isMap, mapAt, type Placed } from "./check.ts";

/** Every entry of every policy's `conditions`, whatever it is. */
export function conditionsIn(file: unknown): readonly Placed<Fields>[] {
  const policies = mapAt(file, "rollback_policies");
  return Object.entries(policies).flatMap(([name, policy]) => {
    if (!isMap(policy) || !Array.isArray(policy.conditions)) return [];
    return policy.conditions.flatMap((condition: unknown, index) =>
      isMap(condition) ? [{ path: ["rollback_policies", name, "conditions", index], value: condition }] : [],
    );
  });
}

/** Every place in which policies name a metric. */
export function metricNamesIn(file: unknown): readonly Placed<string>[] {
  const fromConditions = conditionsIn(file).flatMap(({ path, value }): Placed<unknown>[] => [
    { path: [...path, "metric"], value: value.metric },
    { path: [...path, "regression", "metric"], value: mapAt(value, "regression").metric },
  ]);
  const canary: Path = ["rollback_policies", "canary_analysis", "comparison_metrics"];
  const compared = mapAt(file, ...canary.slice(0, -1)).comparison_metrics;
  const fromCanary = Array.isArray(compared)
    ? compared.map((value: unknown, index) => ({ path: [...canary, index], value }))
    : [];
  return [...fromConditions, ...fromCanary].flatMap(({ path, value }) =>
    typeof value === "string" ? [{ path, value }] : [],
  );
}
