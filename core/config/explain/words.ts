import type { Config } from "../config.ts";
import { unitOfConfigured, unitOfMetric } from "../units.ts";

/** One section of the explanation: a heading, and lines that are indented beneath it. */
export interface Section {
  readonly heading: string;
  readonly lines: readonly string[];
}

/** Sub-lines of a line. */
export function under(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

/** `["a", "b", "c"]` → "a, b and c". */
export function listed(words: readonly string[], joint = "and"): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} ${joint} ${words.at(-1)}`;
}

/** A figure of a metric with its unit, and in the words that people use: `2000 ms (2s)`, `0.05 (5 %)`. */
export function figure(value: number, metric: string, { dataSources }: Config): string {
  const { queries } = dataSources.metrics;
  const query = Object.hasOwn(queries, metric) ? queries[metric] : undefined;
  const unit = unitOfMetric(metric) ?? (query === undefined ? null : unitOfConfigured(metric, query));
  if (unit === "ratio") return `${value} (${Number((value * 100).toPrecision(6))} %)`;
  if (unit === "ms") return value >= 1000 ? `${value} ms (${value / 1000} s)` : `${value} ms`;
  return unit === null || unit === "count" ? String(value) : `${value} ${unit}`;
}

/** `1` → "1st", `4` → "4th". */
export function ordinal(count: number): string {
  const teens = count % 100 >= 11 && count % 100 <= 13;
  const ending = teens ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${count}${ending}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The gate's own process never acts with what the agent holds. */
const withoutCredential = (source: { readonly write?: unknown }, gate: Config["gate"]): string | null =>
  gate === undefined || source.write !== undefined ? null : "the gate has no credential of its own for it (write)";

/** Why nothing here could carry an action out; null: something can. */
export function missingHand(action: string, { dataSources, gate }: Config): string | null {
  switch (action) {
    case "rollout_abort":
    case "rollout_pause":
    case "rollout_promote":
    case "kubectl_rollout_undo": {
      const source = dataSources.deployments.find(({ type }) => type === "kubernetes");
      if (source === undefined) return "no deployments source of type kubernetes is configured";
      return withoutCredential(source, gate);
    }
    case "argocd_resume_auto_sync":
    case "argocd_sync_to_previous": {
      const source = dataSources.deployments.find(({ type }) => type === "argocd_webhook");
      if (source === undefined) return "no deployments source of type argocd_webhook is configured";
      return withoutCredential(source, gate);
    }
    case "feature_flag_disable":
      return dataSources.featureFlags === null
        ? "no feature_flags source is configured"
        : withoutCredential(dataSources.featureFlags, gate);
    case "database_migration_rollback": {
      const runs = dataSources.migrations.some(({ status, rollback }) => status !== null && rollback !== null);
      if (runs) return null;
      const steps = dataSources.migrations.length === 0 ? "" : "; the steps are handed over to a person";
      return `no entry of data_sources.migrations names both a status and a rollback command${steps}`;
    }
    default:
      return "nothing knows this action";
  }
}
