import { z } from "zod";
import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import { GuardrailVerdict, NO_INCIDENT } from "../../core/model/plan.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cleanText, name } from "../../core/model/untrusted-text.ts";
import { autoSyncTarget } from "../../core/planning/auto-sync-target.ts";
import { trialTargets } from "../../core/planning/trial-targets.ts";
import { defineTool } from "../define-tool.ts";
import { answerFence } from "../fence-answer.ts";
import { nextStep, RuleView, ruleViews, targetText } from "../plan-view.ts";

export const proposePlan = defineTool({
  name: "propose_plan",
  title: "Propose a plan",
  effect: "propose",
  reach: "held",
  description:
    "Files a plan that rolls changes back (undo, sync to previous, abort of a trial, flag off) in the order given, or " +
    "pauses or promotes their trials, and says what every guardrail thinks of it. Executes nothing. A plan other than unship's own decision, or outside an incident, is " +
    "held until a person approves it outside MCP. Targets and versions come from unship.",
  input: z.strictObject({
    incident: z.string().min(1).max(200).optional().describe("Leave out where there is none"),
    change_ids: z
      .array(z.string().min(1).max(200))
      .max(20)
      .default([])
      .describe("As list_changes spells them, in order"),
    act: z
      .enum(["take_back", "pause", "promote"])
      .default("take_back")
      .describe("pause, promote: Argo Rollouts on trial"),
    resume_auto_sync: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe(
        "Instead of changes: a service whose Argo CD auto-sync goes on again, after a rollback and the Git revert",
      ),
    reason: z.string().min(20).max(500).describe("What you saw, for the person who reads the plan"),
  }),
  output: z.strictObject({
    plan_id: z.string(),
    hash: z.string(),
    expires_at: z.string(),
    targets: z.array(z.string()),
    verdict: GuardrailVerdict,
    rules: z.array(RuleView),
    next: z.string(),
  }),
  async run(input, { gate, caseFile, targetsFor, config, caller }) {
    if (gate === null)
      throw new UnshipError("input.invalid", { what: "propose_plan", reason: "this server is read-only" });
    const service = input.resume_auto_sync;
    if (input.change_ids.length > 0 === (service !== undefined)) {
      const reason = "name change_ids or resume_auto_sync, one of the two";
      throw new UnshipError("input.invalid", { what: "propose_plan", reason });
    }
    const file = await caseFile(input.incident);
    const known = new Set(file.changes.map(({ id }) => id));
    const unknown = input.change_ids.filter((id) => !known.has(id));
    if (unknown.length > 0) {
      throw new UnshipError("input.invalid", {
        what: "change_ids",
        reason: `there is no change ${unknown.map((id) => name(id)).join(", ")}; take ids from list_changes`,
      });
    }
    const { act, change_ids: changeIds } = input;
    const { targets, obstacles } =
      service !== undefined
        ? autoSyncTargets(service, file, config)
        : act === "take_back"
          ? await targetsFor(file, changeIds)
          : trialTargets(file, config, changeIds, act);
    if (targets.length === 0) {
      const reason = answerFence(file).sentence(obstacles.join("; ") || "nothing that can be executed does this", 600);
      const what = service === undefined ? input.change_ids.map((id) => name(id)).join(", ") : name(service);
      throw new UnshipError("target.refused", { target: what, reason });
    }
    const draft = {
      incidentId: input.incident ?? NO_INCIDENT,
      targets,
      reason: cleanText(input.reason, 500),
      proposedBy: caller,
    };
    const { plan, review } = await gate.propose(draft);
    const { sentence } = answerFence(file);
    return {
      plan_id: name(plan.id),
      hash: name(plan.hash),
      expires_at: rfc3339(plan.expiresAt),
      targets: plan.targets.map(targetText),
      verdict: review.verdict,
      rules: ruleViews(review, sentence),
      next: nextStep(plan.id, review),
    };
  },
});

function autoSyncTargets(service: string, file: CaseFile, config: Config) {
  const found = autoSyncTarget(service, file, config);
  return "target" in found ? { targets: [found.target], obstacles: [] } : { targets: [], obstacles: [found.obstacle] };
}
