import { expect, it } from "vitest";
import { openIncident, substance, withAssessment } from "../../../agent/watch/incident-state.ts";
import type { Baseline, Incident } from "../../../core/model/incident.ts";
import { assessmentOf, planOf } from "../../core/guardrails/rule-inputs.ts";

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

it("S9: takes the limits of a later baseline where they are stricter: it knows the onset and the culprit better", () => {
  const wide = { ...baselineOf("checkout", 900), lower: 20 };
  const opened = openIncident("inc-1", { ...assessmentOf({ targets: [] }), baselines: [wide] });
  const later = withAssessment(opened, {
    ...assessmentOf({ targets: [] }),
    baselines: [{ ...baselineOf("checkout", 150), center: 120, requestRate: 3 }],
  });
  expect(later.baselines).toEqual([baselineOf("checkout", 150)]);
});

const incident = openIncident("inc-1", assessmentOf());
const signal = { service: "cart", metric: "error_rate", usual: 0.001, bad: 0.3, well: 0 };

it.each<readonly [string, Partial<Incident>]>([
  ["a service that its group brought", { trouble: ["checkout", "cart"] }],
  ["the incident that it goes on in", { joined: "inc-0" }],
  ["a service that was changed again", { superseded: [{ service: "checkout", what: "deploy-2" }] }],
  ["what people were told", { told: ["error_rate of checkout"] }],
  ["one more signal of its own", { signals: [signal] }],
  ["when it was judged", { judged: { at: 1, basis: "abc" } }],
  ["its stage", { stage: "verifying" }],
  ["its plan", { plan: planOf() }],
  ["a service that is affected", { affectedServices: ["checkout", "web"] }],
  ["how a verification ended", { recovery: { verdict: "not-recovered", at: 1, checks: [] } }],
  ["a line in the place of another", { timeline: [{ at: 1, event: "quiet since", detail: "" }] }],
])("has something new to keep: %s", (_, change) => {
  const before = { ...incident, timeline: [{ at: 1, event: "detected", detail: "" }] };
  expect(substance({ ...before, ...change })).not.toBe(substance(before));
});

it("has something new to keep where a test found a signal of its own over, not where it was measured back once more", () => {
  const kept = (one: NonNullable<Incident["signals"]>[number]) => substance({ ...incident, signals: [one] });
  expect(kept({ ...signal, over: true })).not.toBe(kept(signal));
  expect(kept({ ...signal, well: 3, bad: 0.31 })).toBe(kept(signal));
});
