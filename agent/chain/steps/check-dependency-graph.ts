import { STEP_ANSWERS } from "../../../core/model/step-answers.ts";
import { NO_CLAIMS, type StepSpec } from "../step.ts";

/** Which changes must be rolled back together, and in which order. */
export const checkDependencyGraph: StepSpec<"check_dependency_graph"> = {
  step: "check_dependency_graph",
  prompt: "check-dependency-graph",
  tools: ["get_dependencies", "list_changes"],
  answer: STEP_ANSWERS.check_dependency_graph,
  needs: {
    identify_recent_deployments: "changes that depend on the culprit are not known",
    correlate_timing: "there is no culprit whose dependants could be listed",
  },
  claims: ({ order, because }) => ({ ...NO_CLAIMS, changeIds: order, prose: because }),
};
