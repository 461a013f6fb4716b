import { STEP_ANSWERS } from "../../../core/model/step-answers.ts";
import { NO_CLAIMS, type StepSpec } from "../step.ts";

/** Who is hurt and how much. */
export const evaluateBusinessImpact: StepSpec<"evaluate_business_impact"> = {
  step: "evaluate_business_impact",
  prompt: "evaluate-business-impact",
  tools: ["assess_impact", "query_metric"],
  answer: STEP_ANSWERS.evaluate_business_impact,
  needs: {
    check_affected_services: "the affected services are not known, so the impact may be understated",
  },
  claims: ({ impact }) => ({
    ...NO_CLAIMS,
    services: [...impact.affectedServices, ...impact.routes.map(({ service }) => service)],
    figures: [
      impact.failedShare,
      impact.failedRequestsPerSecond,
      impact.revenuePerMinute,
      ...impact.routes.map(({ failedShare }) => failedShare),
    ].filter((value) => value !== null),
    prose: impact.sentences,
  }),
};
