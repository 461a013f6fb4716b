import { describe, expect, it } from "vitest";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import { pressedBy } from "../../../core/correlation/pressed.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import type { Finding } from "../../../core/model/finding.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const graph = createCallGraph({
  edges: [
    ["web", "shop"],
    ["shop", "store"],
    ["feed", "store"],
  ],
  external: [],
});

const series = (service: string, metric: string, before: number, since: number) => ({
  service,
  metric,
  unit: "",
  worse: "either" as const,
  labels: {},
  startAt: T0 - 159 * STEP,
  stepMs: STEP,
  values: Array.from({ length: 180 }, (_, i) => (i < 160 ? before : since) * (1 + 0.01 * Math.sin(i))),
});

const finding = (service: string, metric: string, baseline: number, current: number, at: number): Finding => ({
  detector: "change-point",
  service,
  metric,
  labels: {},
  unit: "",
  verdict: "worse",
  onset: onsetAt(at),
  detectedAt: at + MINUTE,
  baseline,
  current,
  samples: 4,
  strength: 40,
  because: `${metric} of ${service} is worse`,
});

/** The store waits from T0 on; what else is told of it: connections that rose to so many at a time, its requests since. */
function pressed(use: { metric?: string; to: number; at: number } | null, requests = 100, service = "store") {
  const metric = use?.metric ?? "open_connections";
  const all = [
    series(service, "request_rate", 100, requests),
    series(service, "p99_latency", 20, 200),
    series(service, metric, 10, use?.to ?? 10),
  ];
  const findings = [
    finding(service, "p99_latency", 20, 200, T0),
    ...(use === null ? [] : [finding(service, metric, 10, use.to, use.at)]),
  ];
  const found = pressedBy(findings, indexSeries(all, "version"), graph, onsetAt(T0), T0 + 5 * MINUTE);
  return [...found].map(([callee, by]) => `${callee} by ${[...by].sort().join()}`);
}

describe("a service of which somebody takes up more", () => {
  const both = ["store by feed,shop"];
  const rows: readonly (readonly [string, ReturnType<typeof pressed>, readonly string[]])[] = [
    ["is pressed by whoever asks it, where its connections rose before anybody waited", pressed(at(-STEP, 90)), both],
    ["is not, where they rose with the wait, or after it", [...pressed(at(0, 90)), ...pressed(at(STEP, 90))], []],
    ["is not, where they rose by little", pressed(at(-STEP, 18)), []],
    ["is not, where that was long before", pressed(at(-30 * MINUTE, 90)), []],
    ["is flooded rather than pressed, where more is asked as well", pressed(at(-STEP, 90), 200), []],
    ["is not, where it is its processor that is busy", pressed({ ...at(-STEP, 90), metric: "cpu_usage" }), []],
    ["is not, where nothing of it is in use more", pressed(null), []],
    ["is nobody's doing, where nobody asks it", pressed(at(-STEP, 90), 100, "web"), []],
  ];
  it.each(rows.map(([name, found, expected]) => ({ name, found, expected })))("$name", ({ found, expected }) => {
    expect(found).toEqual(expected);
  });
});

function at(lagMs: number, to: number) {
  return { at: T0 + lagMs, to };
}
