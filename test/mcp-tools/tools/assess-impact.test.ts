import { describe, expect, it } from "vitest";
import { callTool } from "../call-tool.ts";
import { context, steps } from "../scenario.ts";

describe("assess_impact", () => {
  it("gives level and figures, null for what cannot be computed, and why", async () => {
    const { structured } = await callTool(context(), "assess_impact");
    expect(structured?.impact).toMatchObject({
      level: "high",
      failedShare: 0.31,
      revenuePerMinute: null,
      unknown: ["revenue: not configured"],
    });
  });

  it("shows the worst routes first and counts those that it leaves out", async () => {
    const routes = Array.from({ length: 30 }, (_, index) => ({
      service: "checkout",
      route: `/r${index}`,
      failedShare: index / 100,
    }));
    const impact = steps.evaluate_business_impact;
    const many: typeof steps = {
      ...steps,
      evaluate_business_impact: (...args) => ({ impact: { ...impact(...args).impact, routes } }),
    };
    const { structured } = await callTool(context({ steps: many }), "assess_impact", { limit: 2 });
    expect(structured).toMatchObject({
      impact: { routes: [{ route: "/r29" }, { route: "/r28" }] },
      routes_left_out: 28,
    });
  });
});
