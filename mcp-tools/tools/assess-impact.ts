import { z } from "zod";
import { Coverage } from "../../core/decision/coverage.ts";
import { Impact, KnownLevel } from "../../core/model/impact.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cursor, incident, known, knownAnswers, limit, more } from "../arguments.ts";
import { defineTool } from "../define-tool.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { openAsked } from "../open-case.ts";
import { page } from "../page.ts";

/** So many affected services come with the first answer; the rest follow the last route. */
const SERVICES_FIRST = 200;

export const assessImpact = defineTool({
  name: "assess_impact",
  title: "Assess impact",
  effect: "read",
  reach: "held",
  description:
    "Who is affected and how much: level (low < medium < high < critical, or unknown), affected services, failed share of " +
    "requests (0-1), failed requests a second, revenue at risk a minute if configured, worst routes. null: cannot be " +
    "computed; `unknown` says why.",
  input: z.strictObject({ incident, known, limit: limit(50, 10).describe("Routes, worst first"), cursor }),
  output: z.strictObject({
    at: z.string(),
    coverage: Coverage,
    level: KnownLevel,
    impact: Impact,
    more,
    gaps,
  }),
  async run(input, context) {
    const { file, at: moment, recorded, answer, coverage, once, sentence } = await openAsked(context, input);
    return once("assess_impact", input, () => {
      const { impact } = answer("evaluate_business_impact", knownAnswers(input.known));
      const rows = [
        ...impact.routes.toSorted((a, b) => b.failedShare - a.failedShare).map((route) => ({ route, service: null })),
        ...impact.affectedServices.slice(SERVICES_FIRST).map((service) => ({ route: null, service })),
      ];
      const { cursor: at, limit: most, ...question } = input;
      const shown = page(rows, { cursor: at, limit: most, question });
      const first = at === undefined ? impact.affectedServices.slice(0, SERVICES_FIRST) : [];
      const later = shown.items.flatMap(({ service }) => (service === null ? [] : [service]));
      return {
        at: rfc3339(moment),
        coverage: coverage(),
        level: impact.level,
        impact: {
          ...impact,
          affectedServices: [...first, ...later],
          routes: shown.items.flatMap(({ route }) => (route === null ? [] : [route])),
        },
        more: shown.more,
        gaps: recorded?.gaps ?? gapViews(file.gaps, sentence),
      };
    });
  },
});
