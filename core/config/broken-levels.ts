import type { Config } from "./config.ts";

/** The lowest threshold of any policy, by metric: from there on people call it broken. */
export function brokenLevels(policies: Config["policies"]): Readonly<Record<string, number>> {
  const levels: Record<string, number> = {};
  for (const condition of policies.flatMap(({ conditions }) => conditions)) {
    if (condition.kind !== "threshold" || condition.comparison !== "greater_than") continue;
    levels[condition.metric] = Math.min(levels[condition.metric] ?? Number.POSITIVE_INFINITY, condition.threshold);
  }
  return levels;
}
