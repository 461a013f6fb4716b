import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import { executedBy, outcomeWords } from "../../core/guardrails/approved-by.ts";
import { livingYes, type PlanState, planCase } from "../../core/guardrails/waiting-plans.ts";
import { type Fenced, own } from "../../core/model/fenced.ts";
import { fencedIncident } from "../../core/model/fenced-incident.ts";
import { type GateAnswer, GuardrailVerdict } from "../../core/model/plan.ts";
import { namesIn, type SentenceFence, sentenceFence } from "../../core/model/sentence-fence.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { name, quote } from "../../core/model/untrusted-text.ts";
import type { ToolContext } from "../context.ts";
import { defineTool } from "../define-tool.ts";
import { needsPerson, nextStep, RuleView, ruleViews, targetText } from "../plan-view.ts";
import { answersOf, planState, until, waitSeconds } from "../waiting.ts";

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
    "`executed`: done at the target, not recovered. With `wait_seconds` it answers as soon as a held plan was answered, and an " +
    "executed one verified.",
  input: z.strictObject({
    plan_id: z.string().min(1).max(200).describe("From propose_plan"),
    wait_seconds: waitSeconds,
  }),
  output: z.strictObject({
    plan_id: z.string(),
    outcome: z.string(),
    verdict: GuardrailVerdict,
    rules: z.array(RuleView),
    results: z.array(ResultView),
    approved_by: z.array(z.string()),
    executed_at: z.string().nullable(),
    state: z.string().nullable(),
    recovery: z.string().nullable(),
    next: z.string(),
  }),
  async run({ plan_id: planId, wait_seconds: seconds }, context, abort) {
    const { gate, ask, ledger, clock } = context;
    if (gate === null)
      throw new UnshipError("input.invalid", { what: "submit_plan", reason: "this server is read-only" });
    let answer = await gate.submit(planId);
    // The person at the client may fetch an approver; whatever they answer, the gate looks for the approval itself.
    if (answer.outcome === "held" && (await ask?.(requestFor(planId)))) answer = await gate.submit(planId);
    if (seconds > 0) answer = await whenAnswered(answer, gate, seconds, context, abort);
    const state = await planState(planId, context);
    const recovery = answer.outcome === "executed" ? await recoveryOf(planId, ledger) : null;
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
      state: state === null ? null : name(state),
      recovery: recovery === null ? null : name(recovery),
      next: next(answer, by, state, recovery),
    };
  },
});

/** A plan is answered, carried out and verified at most once each; more turns than these lead nowhere. */
const TURNS = 4;

/**
 * Waits for what a plan waits for, and asks the gate again once that is there: an answer of a person, the end of another call that
 * carries it out, its verification. Nothing is asked again once whoever called has gone.
 */
async function whenAnswered(
  first: GateAnswer,
  gate: NonNullable<ToolContext["gate"]>,
  seconds: number,
  context: ToolContext,
  abort: AbortSignal,
): Promise<GateAnswer> {
  const { ledger, clock } = context;
  const { planId } = first;
  const end = clock.now() + seconds * 1_000;
  const left = () => Math.max(0, (end - clock.now()) / 1_000);
  let answer = first;
  for (let turn = 0; turn < TURNS; turn += 1) {
    if (answer.outcome === "executed") {
      await until(
        () => recoveryOf(planId, ledger),
        (verdict) => verdict !== "pending",
        left(),
        context,
        abort,
      );
      return answer;
    }
    if (answer.outcome === "held") {
      const state = await until(
        () => planState(planId, context),
        (one) => one !== "waiting",
        left(),
        context,
        abort,
      );
      if (state === null || !ANSWERED.has(state)) return answer;
    } else if (answer.outcome === "in-progress") {
      const before = await answersOf(planId, context);
      const after = await until(
        () => answersOf(planId, context),
        (many) => many !== before,
        left(),
        context,
        abort,
      );
      if (after === before) return answer;
    } else return answer;
    abort.throwIfAborted();
    answer = await gate.submit(planId);
  }
  return answer;
}

/** What the gate has something new to say of; a plan whose time is over it no longer judges. */
const ANSWERED: ReadonlySet<PlanState> = new Set(["approved", "submitted", "rejected"]);

/** What verification said of an executed plan, "pending" until it has; null: no incident is open that would be verified. */
async function recoveryOf(planId: string, ledger: ToolContext["ledger"]): Promise<string | null> {
  const plan = await ledger.plan(planId);
  const incident = plan === null ? null : await ledger.incident(plan.incidentId);
  if (incident === null || incident.plan?.id !== planId) return null;
  return incident.recovery?.verdict ?? (incident.stage === "closed" ? incident.outcome : "pending");
}

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

function next(
  { planId, outcome, review, results }: GateAnswer,
  by: readonly string[],
  state: PlanState | null,
  recovery: string | null,
): Fenced {
  switch (outcome) {
    case "executed":
      return afterwards(recovery);
    case "held":
      if (state === "expired" || state === "superseded")
        return own`it can no longer be approved: call get_situation for what waits by now`;
      return own`${needsPerson(planId)}; call submit_plan again with wait_seconds to wait for the answer`;
    case "denied":
      return nextStep(planId, review, by);
    case "in-progress":
      return own`another call executes it at this moment; call submit_plan again with wait_seconds for its result, and propose nothing meanwhile`;
    case "nothing-to-do":
      return own`the target is already at that version: the cause may lie elsewhere`;
    case "stopped":
      return review.verdict === "deny"
        ? nextStep(planId, review, by)
        : own`${name(outcomeWords({ outcome, results }))}; read the results, call get_rollout, and tell a person`;
  }
}

/** What to do once a plan was executed, by what its verification said so far. */
function afterwards(recovery: string | null): Fenced {
  if (recovery === "recovered") return own`it was verified: the services recovered; draft_postmortem has the record`;
  if (recovery === "not-recovered" || recovery === "unknown")
    return own`verification says ${recovery}: call get_findings for what is degraded still, and ask a person`;
  return own`call get_incident with wait_seconds to see whether the service recovers; do not propose again meanwhile`;
}
