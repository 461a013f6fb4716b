import { STEP_ANSWERS } from "../../../core/model/step-answers.ts";
import { NO_CLAIMS, type StepSpec } from "../step.ts";

/** Which change is to blame, with what probability, "no change" always among the answers. */
export const correlateTiming: StepSpec<"correlate_timing"> = {
  step: "correlate_timing",
  prompt: "correlate-timing",
  tools: ["rank_candidates", "get_commits", "query_metric", "search_logs", "get_traces"],
  answer: STEP_ANSWERS.correlate_timing,
  needs: {
    identify_recent_deployments: "no suspects were identified, so it can be attributed to no change",
  },
  claims: ({ ranking: { candidates, rootCauses, noChangeReasons } }) => ({
    ...NO_CLAIMS,
    changeIds: candidates.map(({ changeId }) => changeId),
    services: [...candidates.map(({ service }) => service), ...rootCauses.map(({ service }) => service)],
    prose: [...candidates.flatMap(({ reasons }) => reasons), ...noChangeReasons].map(({ sentence }) => sentence),
  }),
};
