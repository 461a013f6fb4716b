import { expect, it } from "vitest";
import { createAssessor } from "../../../core/assessment/assessor.ts";
import type { MetricSource, Sources } from "../../../core/ports.ts";
import { seriesOf, T0 } from "../detection/series.ts";
import { testConfig } from "./config.ts";

const DAY = 86_400_000;

/** What is asked of a source that knows so many services, with one metric, at the first look. */
async function historyAsked(services: number): Promise<readonly number[]> {
  const days: number[] = [];
  const range: MetricSource["range"] = async ({ window, stepMs }) => {
    if (stepMs >= 300_000) days.push((window.to - window.from) / DAY);
    if (stepMs >= 300_000) return [];
    return Array.from({ length: services }, (_, i) =>
      seriesOf("p99_latency", [100], { service: `s${i}`, startAt: window.to, stepMs }),
    );
  };
  const rest = {
    changes: [{ name: "history", changes: async () => [] }],
    logs: [],
    traces: [],
    topology: [],
    flags: [],
    rollouts: [],
    alerts: [],
  };
  const sources: Sources = { ...rest, metrics: [{ name: "metrics", metrics: () => ["p99_latency"], range }] };
  await createAssessor({ sources, config: testConfig() }).tick(T0, new AbortController().signal);
  return days;
}

it("five weeks of history are read where signals are few, and two where they are many", async () => {
  expect(await historyAsked(3)).toEqual([35]);
  expect(await historyAsked(34_000)).toEqual([14]);
});
