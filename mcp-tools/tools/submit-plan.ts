import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import { executedBy, outcomeWords } from "../../core/guardrails/approved-by.ts";
import { livingYes, planCase } from "../../core/guardrails/waiting-plans.ts";
import { type Fenced, own } from "../../core/model/fenced.ts";
import { fencedIncident } from "../../core/model/fenced-incident.ts";
import { type GateAnswer, GuardrailVerdict } from "../../core/model/plan.ts";
import { namesIn, type SentenceFence, sentenceFence } from "../../core/model/sentence-fence.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { name, quote } from "../../core/model/untrusted-text.ts";
import type { ToolContext } from "../context.ts";
import { defineTool } from "../define-tool.ts";
import { needsPerson, nextStep, RuleView, ruleViews, targetText } from "../plan-view.ts";

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
  async run({ plan_id: planId }, { gate, ask, ledger, clock }) {
    if (gate === null)
      throw new UnshipError("input.invalid", { what: "submit_plan", reason: "this server is read-only" });
    let answer = await gate.submit(planId);
    // The person at the client may fetch an approver; whatever they answer, the gate looks for the approval itself.
    if (answer.outcome === "held" && (await ask?.(requestFor(planId)))) answer = await gate.submit(planId);
    const by = await approversOf(planId, ledger, clock.now());
    return {
      plan_id: name(answer.planId),
      outcome: name(answer.outcome),
      verdict: answer.review.verdict,
      rules: ruleViews(answer.review, await sentenceAbout(answer, ledger)),
      results: answer.results.map(({ target, result, detail, warnings }) => ({
        target: targetText(target),
        result: name(result),
        detail: quote(detail, 300),
        warnings: warnings.slice(0, 5).map((warning) => quote(warning, 300)),
      })),
      approved_by: by.map((one) => name(one)),
      executed_at: rfc3339(answer.executedAt),
      next: next(answer, by),
    };
  },
});

/** By whose approval a plan was executed; of one that was not, who has approved it so far. */
async function approversOf(planId: string, ledger: ToolContext["ledger"], now: number): Promise<readonly string[]> {
  const by = await executedBy(ledger, planId);
  if (by !== null) return by;
  const known = await planCase(planId, ledger);
  return known === null ? [] : livingYes(known, now);
}

const requestFor = (planId: string) =>
  `The gate holds plan ${name(planId)} until an approver runs "unship approve ${name(planId)}" in a terminal, with a ` +
  "token of their own. Answering here approves nothing. Has it been approved there?";

/** The fence of what the incident of a plan names; of a plan outside any, of the plan itself. */
async function sentenceAbout(answer: GateAnswer, ledger: ToolContext["ledger"]): Promise<SentenceFence["sentence"]> {
  const plan = await ledger.plan(answer.planId);
  const incident = plan === null ? null : await ledger.incident(plan.incidentId);
  return incident === null
    ? sentenceFence(namesIn([plan, answer.results])).sentence
    : fencedIncident(incident).fence.sentence;
}

function next({ planId, outcome, review, results }: GateAnswer, by: readonly string[]): Fenced {
  switch (outcome) {
    case "executed":
      return own`call get_incident to see whether the service recovers; do not propose again meanwhile`;
    case "held":
      return needsPerson(planId);
    case "denied":
      return nextStep(planId, review, by);
    case "in-progress":
      return own`another call executes it at this moment; call submit_plan again for its result, and propose nothing meanwhile`;
    case "nothing-to-do":
      return own`the target is already at that version: the cause may lie elsewhere`;
    case "stopped":
      return review.verdict === "deny"
        ? nextStep(planId, review, by)
        : own`${name(outcomeWords({ outcome, results }))}; read the results, call get_rollout, and tell a person`;
  }
}
