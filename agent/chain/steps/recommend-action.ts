import { STEP_ANSWERS } from "../../../core/model/step-answers.ts";
import { NO_CLAIMS, type StepSpec } from "../step.ts";

/** Which of the four actions. */
export const recommendAction: StepSpec<"recommend_action"> = {
  step: "recommend_action",
  prompt: "recommend-action",
  tools: ["explain_decision", "get_rollout", "search_incidents"],
  answer: STEP_ANSWERS.recommend_action,
  needs: {
    identify_recent_deployments: "no changes are known that could be rolled back",
    correlate_timing: "no change has a probability, so none can be acted on",
    check_affected_services: "how many services are affected is unknown, which counts as too many",
    check_dependency_graph: "changes that must be rolled back together are unknown, so that nobody checked the order",
    evaluate_business_impact: "the business impact is unknown, so a person must agree",
  },
  claims: ({ decision }) => ({
    ...NO_CLAIMS,
    changeIds: [
      ...decision.changeIds,
      ...(decision.culprit === null ? [] : [decision.culprit.changeId]),
      ...(decision.hotfix === null ? [] : [decision.hotfix.changeId, ...(decision.hotfix.changeIds ?? [])]),
    ],
    services: [decision.service],
    prose: [...decision.why, ...decision.needsPerson],
  }),
};
