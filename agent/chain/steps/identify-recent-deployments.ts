import { STEP_ANSWERS } from "../../../core/model/step-answers.ts";
import { NO_CLAIMS, type StepSpec } from "../step.ts";

/** Which changes lie in the window before the trouble began. */
export const identifyRecentDeployments: StepSpec<"identify_recent_deployments"> = {
  step: "identify_recent_deployments",
  prompt: "identify-recent-deployments",
  tools: ["list_changes", "get_findings"],
  answer: STEP_ANSWERS.identify_recent_deployments,
  needs: {},
  claims: ({ changeIds, widened, onset }) => ({
    ...NO_CLAIMS,
    changeIds,
    figures: onset === null ? [] : [onset.at, onset.earliest, onset.latest],
    prose: widened === null ? [] : [widened],
  }),
};
