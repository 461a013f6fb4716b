import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rfc3339 } from "../../core/model/time.ts";
import type { PetshopCase, PetshopGraph, PetshopTable } from "./petshop-data.ts";

const STEP_SECONDS = 300;

interface Reading {
  readonly metric: string;
  readonly unit: string;
  readonly worse: "up" | "either";
  readonly of: (value: number) => number;
}

/** What each metric of the data set is in ours; seconds become ms, a sum of requests a rate, availability its complement. */
const READINGS: Readonly<Record<string, Reading>> = {
  "latency|Average": { metric: "average_latency", unit: "ms", worse: "up", of: (seconds) => seconds * 1000 },
  "latency|p50": { metric: "p50_latency", unit: "ms", worse: "up", of: (seconds) => seconds * 1000 },
  "latency|p90": { metric: "p90_latency", unit: "ms", worse: "up", of: (seconds) => seconds * 1000 },
  "latency|p95": { metric: "p95_latency", unit: "ms", worse: "up", of: (seconds) => seconds * 1000 },
  "latency|p99": { metric: "p99_latency", unit: "ms", worse: "up", of: (seconds) => seconds * 1000 },
  "requests|Sum": { metric: "request_rate", unit: "req/s", worse: "either", of: (sum) => sum / STEP_SECONDS },
  "availability|Average": { metric: "error_rate", unit: "ratio", worse: "up", of: (percent) => 1 - percent / 100 },
};

/** What a symptom's metric is called in the bundle: the average of latency, as its objective is written. */
export const symptomMetric = (metric: string): string => (metric === "latency" ? "average_latency" : "error_rate");

/**
 * Writes one case as an incident bundle into a folder. The normal part is from another date: it is shifted to end one
 * step before the abnormal one, which the watch spans. Nothing of the truth is written, and no change: which parameter
 * was set when is not in the data set's observations.
 */
export function writePetshopBundle(
  directory: string,
  { name, abnormal }: PetshopCase,
  normal: PetshopTable,
  { nodes, edges }: PetshopGraph,
): void {
  mkdirSync(directory, { recursive: true });
  const [first = 0] = abnormal.times;
  const last = abnormal.times.at(-1) ?? first;
  const measured = nodes.filter((node) => [...normal.columns.keys()].some((column) => column.startsWith(`${node}|`)));
  const incident = {
    schema: 1,
    id: `petshop-${name}`,
    title: `PetShop ${name}`,
    watch: { start: rfc3339(first * 1000), end: rfc3339(last * 1000) },
    services: measured.map((node) => ({ name: node, namespace: "petshop", criticality: "medium" })),
  };
  const external = nodes.filter((node) => !measured.includes(node));
  const start = first - normal.times.length * STEP_SECONDS;
  const series = measured.flatMap((service) =>
    Object.entries(READINGS).flatMap(([column, { metric, unit, worse, of }]) => {
      const before = normal.columns.get(`${service}|${column}`);
      if (before === undefined) return [];
      const after = abnormal.columns.get(`${service}|${column}`) ?? abnormal.times.map(() => Number.NaN);
      const values = [...before, ...after].map((value) => (Number.isNaN(value) ? null : of(value)));
      return [{ service, metric, unit, worse, start, step: STEP_SECONDS, values }];
    }),
  );
  const write = (file: string, text: string) => writeFileSync(join(directory, file), `${text}\n`);
  write("incident.json", JSON.stringify(incident, null, 1));
  write("topology.json", JSON.stringify({ edges, external }, null, 1));
  write("series.jsonl", series.map((line) => JSON.stringify(line)).join("\n"));
}
