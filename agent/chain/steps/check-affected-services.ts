import { STEP_ANSWERS } from "../../../core/model/step-answers.ts";
import { NO_CLAIMS, type StepSpec } from "../step.ts";

/** Which services are hurt, and where it starts. */
export const checkAffectedServices: StepSpec<"check_affected_services"> = {
  step: "check_affected_services",
  prompt: "check-affected-services",
  tools: ["get_findings", "get_traces", "search_logs"],
  answer: STEP_ANSWERS.check_affected_services,
  needs: {
    correlate_timing: "the origin cannot be distinguished from the services that it affects by the ranking of causes",
  },
  claims: ({ services, origin }) => ({ ...NO_CLAIMS, services: origin === null ? services : [...services, origin] }),
};
