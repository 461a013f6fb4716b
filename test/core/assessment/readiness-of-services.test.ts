import { describe, expect, it } from "vitest";
import { readinessOfServices } from "../../../core/assessment/readiness-of-services.ts";
import type { Series } from "../../../core/model/signal.ts";

const STEP = 15_000;
const series = (
  service: string,
  labels: Readonly<Record<string, string>>,
  firstStep: number,
  values: readonly (number | null)[],
  stepMs = STEP,
): Series => ({
  service,
  metric: "health_check_failures",
  unit: "count",
  worse: "up",
  labels,
  startAt: firstStep * STEP,
  stepMs,
  values,
});
const pod = (name: string, version = "v1"): Readonly<Record<string, string>> => ({ pod: `shop/${name}`, version });
const told = (all: readonly Series[]) =>
  readinessOfServices(all).map(({ service, labels, startAt, stepMs, values }) => ({
    service,
    labels,
    from: startAt / STEP,
    stepMs,
    values,
  }));

describe("the readiness of services", () => {
  it.each<[string, readonly Series[], ReturnType<typeof told>]>([
    [
      "is what its pods add up to, of whatever version, step by step",
      [series("cart", pod("a"), 2, [0, 1, 1]), series("cart", pod("b", "v2"), 3, [1, 0, 1])],
      [{ service: "cart", labels: {}, from: 2, stepMs: STEP, values: [0, 2, 1, 1] }],
    ],
    [
      "is missing where nobody saw a pod",
      [series("cart", pod("a"), 0, [1, null, null]), series("cart", pod("b"), 0, [null, null, 0])],
      [{ service: "cart", labels: {}, from: 0, stepMs: STEP, values: [1, null, 0] }],
    ],
    [
      "is told of each service by its own pods, whether their versions are known or not",
      [series("cart", { pod: "a" }, 0, [1]), series("mail", pod("a"), 0, [0])],
      [
        { service: "cart", labels: {}, from: 0, stepMs: STEP, values: [1] },
        { service: "mail", labels: {}, from: 0, stepMs: STEP, values: [0] },
      ],
    ],
    [
      "is also what is read of the whole, and nothing of sums by version",
      [series("cart", {}, 0, [3]), series("cart", { version: "v1" }, 0, [2]), series("cart", pod("a"), 0, [1])],
      [
        { service: "cart", labels: {}, from: 0, stepMs: STEP, values: [3] },
        { service: "cart", labels: {}, from: 0, stepMs: STEP, values: [1] },
      ],
    ],
    [
      "is added up within one step alone",
      [series("cart", pod("a"), 0, [1]), series("cart", pod("a"), 0, [1], 60_000)],
      [
        { service: "cart", labels: {}, from: 0, stepMs: STEP, values: [1] },
        { service: "cart", labels: {}, from: 0, stepMs: 60_000, values: [1] },
      ],
    ],
    ["is nothing where nothing tells it", [{ ...series("cart", {}, 0, [1]), metric: "error_rate" }], []],
  ])("%s", (_, all, expected) => {
    expect(told(all)).toEqual(expected);
  });
});
