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

  it("shows the worst routes first and goes on with the next", async () => {
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
    const of = context({ steps: many });
    const { structured: first } = await callTool(of, "assess_impact", { limit: 2 });
    const { structured: second } = await callTool(of, "assess_impact", { limit: 2, cursor: first?.more });
    expect(first).toMatchObject({ impact: { routes: [{ route: "/r29" }, { route: "/r28" }] } });
    expect(second).toMatchObject({ impact: { routes: [{ route: "/r27" }, { route: "/r26" }], affectedServices: [] } });
  });
});
