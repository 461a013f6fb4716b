import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import { caseAt } from "./case-at.ts";
import { testConfig } from "./config.ts";
import { base } from "./trap.ts";
import { atS, deploy } from "./world.ts";

const HOUR = 3_600_000;
const STEP = 15_000;

/** The case with a gauge of cart that rises from 100 to 250 in the hours before its errors began, and goes on so. */
function withSessions(file: CaseFile, hours: number): CaseFile {
  const began = atS(310) - hours * HOUR;
  const values = Array.from({ length: 4 * 240 }, (_, i) => {
    const at = file.at - (4 * 240 - 1 - i) * STEP;
    return (100 + (150 * Math.max(0, at - began)) / (hours * HOUR)) * (1 + 0.02 * Math.sin(i * 13));
  });
  const startAt = file.at - (values.length - 1) * STEP;
  const gauge = { service: "cart", metric: "active_sessions", unit: "", worse: "either", labels: {} } as const;
  return { ...file, series: [...file.series, { ...gauge, startAt, stepMs: STEP, values }] };
}

describe("a gauge that happens to rise while a bad deploy breaks its service", () => {
  const world = {
    ...base,
    changes: [deploy("cart", 300), deploy("pay", 200)],
    effects: [{ service: "cart", fromS: 310, errors: 0.3, rampS: 110 }],
  };

  it.each([0.75, 1, 1.5, 2])("takes nothing from the deploy: %d hours", async (hours) => {
    const file = await caseAt(world, 460);
    const decided = (one: CaseFile) => assess(one, testConfig()).decision;
    expect(decided(file).changeIds).toEqual(["deploy-cart-300"]);
    expect(decided(withSessions(file, hours)).changeIds).toEqual(["deploy-cart-300"]);
  });
});
