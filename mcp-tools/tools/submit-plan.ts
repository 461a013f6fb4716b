import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import { executedBy } from "../../core/guardrails/approved-by.ts";
import { type GateAnswer, GuardrailVerdict } from "../../core/model/plan.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cleanText, name } from "../../core/model/untrusted-text.ts";
import { defineTool } from "../define-tool.ts";
import { nextStep, RuleView, ruleViews, targetText } from "../plan-view.ts";

const ResultView = z.strictObject({
  target: z.string(),
  result: z.string(),
  detail: z.string(),
  warnings: z.array(z.string()).describe("What stays undone, or would bring the bad version back"),
});

export const submitPlan = defineTool({
  name: "submit_plan",
  title: "Submit a plan to the gate",
  effect: "submit",
  reach: "sources",
  description:
    "Asks the gate to execute a proposed plan. It checks every guardrail afresh and executes only its own decision " +
    "while an automatic policy holds, or what a person approved outside MCP; else the answer is held or denied. " +
    "`executed`: done at the target, not recovered.",
  input: z.strictObject({ plan_id: z.string().min(1).max(200).describe("From propose_plan") }),
  output: z.strictObject({
    plan_id: z.string(),
    outcome: z.string(),
    verdict: GuardrailVerdict,
    rules: z.array(RuleView),
    results: z.array(ResultView),
    approved_by: z.array(z.string()),
    executed_at: z.string().nullable(),
    next: z.string(),
  }),
  async run({ plan_id: planId }, { gate, ask, ledger }) {
    if (gate === null)
      throw new UnshipError("input.invalid", { what: "submit_plan", reason: "this server is read-only" });
    let answer = await gate.submit(planId);
    // The person at the client may fetch an approver; whatever they answer, the gate looks for the approval itself.
    if (answer.outcome === "held" && (await ask?.(requestFor(planId)))) answer = await gate.submit(planId);
    return {
      plan_id: answer.planId,
      outcome: answer.outcome,
      verdict: answer.review.verdict,
      rules: ruleViews(answer.review),
      results: answer.results.map(({ target, result, detail, warnings }) => ({
        target: targetText(target),
        result,
        detail: cleanText(detail, 300),
        warnings: warnings.slice(0, 5).map((warning) => cleanText(warning, 300)),
      })),
      approved_by: ((await executedBy(ledger, planId)) ?? []).map((one) => name(one)),
      executed_at: rfc3339(answer.executedAt),
      next: next(answer),
    };
  },
});

const requestFor = (planId: string) =>
  `The gate holds plan ${name(planId)} until an approver runs "unship approve ${name(planId)}" in a terminal, with a ` +
  "token of their own. Answering here approves nothing. Has it been approved there?";

function next({ planId, outcome, review }: GateAnswer): string {
  switch (outcome) {
    case "executed":
      return "call get_incident to see whether the service recovers; do not propose again meanwhile";
    case "held":
      return nextStep(planId, "require_approval");
    case "denied":
      return nextStep(planId, "deny");
    case "in-progress":
      return "another call executes it at this moment; call submit_plan again for its result, and propose nothing meanwhile";
    case "nothing-to-do":
      return "the target already stands at that version: the cause may lie elsewhere";
    case "stopped":
      return review.verdict === "deny"
        ? nextStep(planId, "deny")
        : "it stopped part way; read the results, call get_rollout, and tell a person";
  }
}
