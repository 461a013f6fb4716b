import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rfc3339 } from "../../core/model/time.ts";
import type { ChangeRcaCase, EdgeSamples } from "./changerca-data.ts";

const STEP = 60;
/** So much of each recording is history; what follows is watched. The rollouts begin about two minutes later. */
const HISTORY = 14 * STEP;

/** What the monitoring and the log of changes tell. */
export interface Telling {
  readonly name: string;
  /** Whether errors and latency of the two versions stand side by side. */
  readonly versions: boolean;
  /**
   * How a rollout in stages stands in the log of changes: with the share of its first stage, until its last is done; or as
   * if its first stage were the whole.
   */
  readonly rollouts: "staged" | "first stage";
}

interface Line {
  readonly service: string;
  readonly metric: string;
  readonly unit: string;
  readonly labels?: { readonly version: string };
  readonly start: number;
  readonly step: number;
  readonly values: readonly (number | null)[];
}

/**
 * Writes one case as an incident bundle. A service's error rate is the mean over the edges into it (of the frontend, which
 * nobody in the system calls: over the edges out of it), its latency the mean over its pods. There are no request rates,
 * logs or traces in the data set. The truth's onset is when the defective version's rollout began: when its first pod served is not recorded.
 */
export function writeChangeRcaBundle(directory: string, one: ChangeRcaCase, telling: Telling): void {
  mkdirSync(directory, { recursive: true });
  const minutes = one.pods.flatMap(({ samples }) => samples.map(({ at }) => minuteOf(at)));
  const start = Math.min(...minutes);
  const end = Math.min(Math.max(...minutes), minuteOf(one.endedAt));
  const services = [...new Set(one.pods.map(({ service }) => service))].sort();
  const lines = services.flatMap((service) => linesOf(one, service, { start, end }, telling.versions));
  const changes = one.rollouts
    .map(({ service, replicas, startedAt, stagesDoneAt }) => ({
      id: `deploy-${service}`,
      kind: "deploy",
      service,
      from: "v1",
      to: "v2",
      started_at: rfc3339(startedAt * 1000),
      finished_at: rfc3339(
        ((telling.rollouts === "staged" ? stagesDoneAt.at(-1) : stagesDoneAt[0]) ?? startedAt) * 1000,
      ),
      source: "argocd",
      reversible: true,
      ...(telling.rollouts === "staged" ? { canary: 1 / replicas } : {}),
    }))
    .sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
  const guilty = one.rollouts.find(({ service }) => service === one.culprit);
  const culprit = `deploy-${one.culprit}`;
  const write = (file: string, text: string) => writeFileSync(join(directory, file), `${text}\n`);
  write(
    "incident.json",
    JSON.stringify({
      schema: 1,
      id: `changerca-${one.name}`,
      title: `ChangeRCA ${one.name}`,
      watch: { start: rfc3339((start + HISTORY) * 1000), end: rfc3339((end + STEP) * 1000) },
      services: services.map((name) => ({ name, namespace: "production", criticality: "medium" })),
    }),
  );
  write("series.jsonl", lines.map((line) => JSON.stringify(line)).join("\n"));
  write("changes.jsonl", changes.map((change) => JSON.stringify(change)).join("\n"));
  write("topology.json", JSON.stringify({ edges: one.called.map(({ caller, callee }) => [caller, callee]) }));
  write(
    "truth.json",
    JSON.stringify({
      faulty: true,
      action: "rollback",
      acceptable: ["rollback"],
      culprit,
      targets: [culprit],
      onset: rfc3339((guilty?.startedAt ?? start) * 1000),
      family: one.kind,
    }),
  );
}

/** A sample that was taken at the end of a minute stands, in a bundle, at that minute's start. */
const minuteOf = (at: number): number => (Math.round(at / STEP) - 1) * STEP;

const METRICS = [
  { metric: "error_rate", unit: "ratio" },
  { metric: "p99_latency", unit: "ms" },
  { metric: "cpu_usage", unit: "ratio" },
  { metric: "memory_usage", unit: "ratio" },
] as const;
type Metric = (typeof METRICS)[number]["metric"];

function linesOf(
  one: ChangeRcaCase,
  service: string,
  { start, end }: { readonly start: number; readonly end: number },
  split: boolean,
): readonly Line[] {
  const values = (of: (minute: number) => number | null) =>
    Array.from({ length: (end - start) / STEP + 1 }, (_, i) => of(start + i * STEP));
  const versions = [...new Set(one.pods.filter((pod) => pod.service === service).map(({ version }) => version))];
  const edges = edgeErrors(one, service);
  return METRICS.flatMap(({ metric, unit }) => {
    const pods = podSamples(one, service, metric);
    const base = { service, metric, unit, start, step: STEP };
    const whole = metric === "error_rate" ? edges : pods(null);
    const sides = split && versions.length > 1 && (metric === "error_rate" || metric === "p99_latency") ? versions : [];
    const all: Line[] = [
      { ...base, values: values((minute) => mean(whole.get(minute))) },
      ...sides.map((version) => {
        const side = pods(version);
        return { ...base, labels: { version }, values: values((minute) => mean(side.get(minute))) };
      }),
    ];
    return all.filter((line) => line.values.some((value) => value !== null));
  });
}

type ByMinute = ReadonlyMap<number, readonly number[]>;

function edgeErrors({ called, calling }: ChangeRcaCase, service: string): ByMinute {
  const into = called.filter(({ callee }) => callee === service);
  const edges: readonly EdgeSamples[] = into.length > 0 ? into : calling.filter(({ caller }) => caller === service);
  return byMinute(edges.flatMap(({ samples }) => samples.map(({ at, success }) => [at, 1 - success / 100])));
}

/** What the pods of a service (of one version, or of all) measured. Errors and latency are of what they answered. */
const podSamples =
  ({ pods }: ChangeRcaCase, service: string, metric: Metric) =>
  (version: string | null): ByMinute => {
    const mine = pods.filter((pod) => pod.service === service && (version === null || pod.version === version));
    return byMinute(
      mine.flatMap(({ callee, samples }) =>
        samples.flatMap(({ at, success, latency, memory, cpu }): (readonly [number, number])[] => {
          const answered = callee === service;
          const value = {
            error_rate: answered && success !== null ? 1 - success / 100 : null,
            p99_latency: answered ? latency : null,
            cpu_usage: cpu,
            memory_usage: memory,
          }[metric];
          return value === null ? [] : [[at, value]];
        }),
      ),
    );
  };

function byMinute(samples: readonly (readonly [number, number])[]): ByMinute {
  const found = new Map<number, number[]>();
  for (const [at, value] of samples) {
    const minute = minuteOf(at);
    found.set(minute, [...(found.get(minute) ?? []), value]);
  }
  return found;
}

const mean = (values: readonly number[] | undefined): number | null =>
  values === undefined ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
