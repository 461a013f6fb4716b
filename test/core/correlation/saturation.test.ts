import { describe, expect, it } from "vitest";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { isSaturatedByCost } from "../../../core/correlation/saturation.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const series = (metric: string, before: number, since: number) => ({
  service: "cart",
  metric,
  unit: "",
  worse: "up" as const,
  labels: {},
  startAt: T0 - 119 * STEP,
  stepMs: STEP,
  values: [...Array.from({ length: 120 }, () => before), ...Array.from({ length: 20 }, () => since)],
});

describe("a service that has run out of CPU", () => {
  const rows: readonly (readonly [string, [number, number], [number, number] | null, boolean, [number, number]?])[] = [
    ["because each request costs more", [0.3, 1], [100, 100], true],
    ["because there are more requests is not so by cost", [0.3, 1], [100, 330], false],
    ["hardly, though requests cost more, is not saturated", [0.3, 0.6], [100, 100], false],
    ["by who knows how many requests may be so by cost", [0.3, 1], null, true],
    ["by who knows how many requests, though hardly more than before, is not", [0.8, 0.95], null, false],
    [
      "because each request that it serves costs more, and the rest is turned away",
      [0.6, 1],
      [100, 120],
      true,
      [0, 0.5],
    ],
    ["all along has not run out of it now", [0.95, 0.95], [100, 100], false],
  ];
  it.each(rows.map(([name, cpu, requests, saturated, fails]) => ({ name, cpu, requests, saturated, fails })))(
    "$name",
    ({ cpu, requests, saturated, fails }) => {
      const all = [
        series("cpu_usage", ...cpu),
        ...(requests === null ? [] : [series("request_rate", ...requests)]),
        ...(fails === undefined ? [] : [series("error_rate", ...fails)]),
      ];
      expect(isSaturatedByCost(indexSeries(all, "version"), "cart", onsetAt(T0), T0 + 5 * MINUTE)).toBe(saturated);
    },
  );
});
