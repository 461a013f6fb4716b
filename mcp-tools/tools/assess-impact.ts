import { z } from "zod";
import { Impact } from "../../core/model/impact.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { incident, known, knownAnswers, limit } from "../arguments.ts";
import { defineTool } from "../define-tool.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { openCase } from "../open-case.ts";

export const assessImpact = defineTool({
  name: "assess_impact",
  title: "Assess impact",
  effect: "read",
  reach: "held",
  description:
    "Who is hurt and how much: level (low < medium < high < critical), affected services, failed share of requests " +
    "(0-1) and failed requests a second, revenue at risk a minute where it is configured, worst routes. null is a " +
    "figure that cannot be computed, and `unknown` says why.",
  input: z.strictObject({ incident, known, limit: limit(50, 10).describe("Routes, worst first") }),
  output: z.strictObject({ at: z.string(), impact: Impact, routes_left_out: z.number(), gaps }),
  async run(input, context) {
    const { file, answer } = await openCase(context, input.incident);
    const { impact } = answer("evaluate_business_impact", knownAnswers(input.known));
    const routes = impact.routes.toSorted((a, b) => b.failedShare - a.failedShare).slice(0, input.limit);
    return {
      at: rfc3339(file.at),
      impact: { ...impact, routes },
      routes_left_out: impact.routes.length - routes.length,
      gaps: gapViews(file.gaps),
    };
  },
});
