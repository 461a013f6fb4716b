import { z } from "zod";
import { othersLine } from "../../core/guardrails/incident-text.ts";
import { Decision } from "../../core/model/decision.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cleanText } from "../../core/model/untrusted-text.ts";
import { incident, known, knownAnswers } from "../arguments.ts";
import { defineTool } from "../define-tool.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { openCase } from "../open-case.ts";

export const explainDecision = defineTool({
  name: "explain_decision",
  title: "Explain the decision",
  effect: "read",
  reach: "held",
  description:
    "What unship's deterministic core decides on this evidence (rollback, feature_flag_disable, hotfix_recommendation " +
    "or no_action), why, and why a person must agree where one must. Calling it changes nothing: the gate decides " +
    "afresh before anything acts.",
  input: z.strictObject({ incident, known }),
  output: z.strictObject({ at: z.string(), decision: Decision, also_open: z.string().optional(), gaps }),
  async run(input, context) {
    const { file, answer, once } = await openCase(context, input.incident);
    const open = await context.ledger.incidents({ open: true });
    const others = othersLine({ id: input.incident ?? "" }, { open, services: context.config.services });
    const also = others === null ? {} : { also_open: cleanText(others, 600) };
    return once("explain_decision", [input, also], () => {
      const { decision } = answer("recommend_action", knownAnswers(input.known));
      return { at: rfc3339(file.at), decision: { ...decision }, ...also, gaps: gapViews(file.gaps) };
    });
  },
});
