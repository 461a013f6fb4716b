import { expect, it } from "vitest";
import { openIncident, withAssessment } from "../../../agent/watch/incident-state.ts";
import type { Baseline } from "../../../core/model/incident.ts";
import { assessmentOf } from "../../core/guardrails/rule-inputs.ts";

const baselineOf = (service: string, upper: number): Baseline => ({
  service,
  metric: "p99_latency",
  unit: "ms",
  center: 100,
  upper,
  lower: 50,
  requestRate: 20,
});

it("keeps the first baseline of each signal, and takes that of a service which joins later", () => {
  const opened = openIncident("inc-1", { ...assessmentOf({ targets: [] }), baselines: [baselineOf("checkout", 150)] });
  const later = [baselineOf("checkout", 900), baselineOf("cart", 200)];
  const spread = withAssessment(opened, { ...assessmentOf({ targets: [] }), baselines: later });
  expect(spread.baselines.map(({ service, upper }) => [service, upper])).toEqual([
    ["checkout", 150],
    ["cart", 200],
  ]);
});
