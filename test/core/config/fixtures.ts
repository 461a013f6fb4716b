import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import type { Config } from "../../../core/config/config.ts";
import { formatProblem, loadConfig } from "../../../core/config/load.ts";

const EXAMPLES = join(import.meta.dirname, "../../../examples");

export const example = (name: string): string => readFileSync(join(EXAMPLES, name), "utf8");

export const SEED = example("openclaw-agent-config.yaml");
export const UNSHIP = example("unship.yaml");

export type Variables = Readonly<Record<string, string | undefined>>;

/** The configuration of a text that must be right; throws its problems otherwise. */
export function loaded(text: string, variables: Variables = { LD_API_KEY: "secret-of-launchdarkly" }): Config {
  const result = loadConfig(text, "u.yaml", variables);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
  return result.config;
}

/** The problems of a text, one line each; empty where it is right. */
export function problems(
  text: string,
  variables: Variables = { LD_API_KEY: "secret-of-launchdarkly" },
): readonly string[] {
  const result = loadConfig(text, "u.yaml", variables);
  return result.ok ? [] : result.problems.map(formatProblem);
}

/** A YAML text with other values at some paths ("a.b.0.c"); undefined removes what is there. */
export function changed(text: string, ...changes: readonly (readonly [path: string, value: unknown])[]): string {
  const document = parseDocument(text);
  for (const [path, value] of changes) {
    const steps = path.split(".").map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    if (value === undefined) document.deleteIn(steps);
    else document.setIn(steps, value);
  }
  return document.toString();
}

/** A rule of what is refused: its sentence, a text that breaks it, and the problems, one line each. */
export type Row = readonly [sentence: string, text: string, ...lines: unknown[]];

/** Beginnings of a file; what a test adds to SOURCES begins in line 2. */
export const SOURCES = 'data_sources: {metrics: {type: prometheus, endpoint: "http://p:9090"}}\n';
export const CONDITIONS = `${SOURCES}rollback_policies:
  auto:
    action: rollback_immediate
    conditions:
`;
export const CONDITION = "rollback_policies.auto.conditions[0]";
export const STEPS = `${SOURCES}reasoning_chain:
  on_anomaly_detected:
`;
export const QUERIES = `data_sources:
  metrics:
    type: prometheus
    endpoint: "http://p:9090"
    queries:
`;

/** A policy on p99_latency with this query and threshold. */
export const latency = (query: string, threshold: number) =>
  `${QUERIES}      p99_latency: ${query}\nrollback_policies:\n  auto:\n    action: rollback_immediate\n    conditions: [{metric: p99_latency, threshold: ${threshold}, duration: 3m}]\n`;
