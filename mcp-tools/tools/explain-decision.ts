import { z } from "zod";
import { Coverage } from "../../core/decision/coverage.ts";
import { asOfNow } from "../../core/guardrails/as-of-now.ts";
import { othersLine } from "../../core/guardrails/incident-text.ts";
import { approvedIncidents } from "../../core/guardrails/open-incidents.ts";
import { standingLimits } from "../../core/guardrails/standing-limits.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import { Decision } from "../../core/model/decision.ts";
import { type AllFenced, ours, own } from "../../core/model/fenced.ts";
import { fencedIncident } from "../../core/model/fenced-incident.ts";
import type { SentenceFence } from "../../core/model/sentence-fence.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cleanText } from "../../core/model/untrusted-text.ts";
import { incident, known, knownAnswers } from "../arguments.ts";
import type { ToolContext } from "../context.ts";
import { defineTool } from "../define-tool.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { openAsked } from "../open-case.ts";
import { ruleViews } from "../plan-view.ts";

const Execution = z.strictObject({
  without_person: z.boolean(),
  held_by: z.array(z.string()),
});

export const explainDecision = defineTool({
  name: "explain_decision",
  title: "Explain the decision",
  effect: "read",
  reach: "held",
  description:
    "What unship's deterministic core decides on this evidence (rollback, feature_flag_disable, hotfix_recommendation " +
    "or no_action) and why. `execution`: whether it may run without a person, or what holds it; `automatic`: a policy " +
    "condition holds. Changes nothing: the gate decides afresh.",
  input: z.strictObject({ incident, known }),
  output: z.strictObject({
    at: z.string(),
    coverage: Coverage,
    execution: Execution.nullable(),
    decision: Decision,
    also_open: z.string().optional(),
    gaps,
  }),
  async run(input, context) {
    const { file, at: moment, recorded, answer, coverage, once, sentence } = await openAsked(context, input);
    const open = (await context.ledger.incidents({ open: true })).map((one) => fencedIncident(one).incident);
    const now = context.clock.now();
    const approved = await approvedIncidents(open, context.ledger, now);
    const { services } = context.config;
    const others = othersLine({ id: input.incident ?? "" }, { now, open, services, approved });
    const also = others === null ? {} : { also_open: ours(cleanText(others, 600)) };
    const { decision } = answer("recommend_action", knownAnswers(input.known));
    const execution =
      recorded !== null && recorded.execution !== "open"
        ? recorded.execution
        : await executionOf(decision, file, input.incident, context, sentence);
    return once("explain_decision", [input, also, execution], () => ({
      at: rfc3339(moment),
      coverage: coverage(),
      execution,
      decision: { ...decision },
      ...also,
      gaps: recorded?.gaps ?? gapViews(file.gaps, sentence),
    }));
  },
});

/** Whether the decision may run without a person, by what is known before the gate judges it, and what holds it. */
async function executionOf(
  decision: Decision,
  file: CaseFile,
  incidentId: string | undefined,
  { targetsFor, config, ledger, clock }: ToolContext,
  sentence: SentenceFence["sentence"],
): Promise<AllFenced<z.infer<typeof Execution>> | null> {
  if (decision.changeIds.length === 0) return null;
  const { targets } = await targetsFor(file, decision.changeIds);
  const now = clock.now();
  const pauses = await ledger.pauses();
  const standing = standingLimits(targets, config, pauses, now);
  const gate = incidentId === undefined ? null : ((await ledger.incident(incidentId))?.gate ?? null);
  const answered =
    gate !== null && (gate.outcome === "held" || gate.outcome === "denied")
      ? asOfNow(gate.review, { pauses, freezeWindows: config.freezeWindows, now }).rules
      : [];
  const rules = new Map([...answered, ...standing.rules].map((one) => [one.rule, one]));
  const against = [...rules.values()].filter(({ verdict }) => verdict !== "allow");
  const free = decision.automatic && decision.needsPerson.length === 0 && targets.length > 0;
  return {
    without_person: free && against.length === 0,
    held_by: ruleViews({ verdict: standing.verdict, rules: against }, sentence).map(
      ({ rule, reason }) => own`${rule}: ${reason}`,
    ),
  };
}
