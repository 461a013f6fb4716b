import { describe, expect, it } from "vitest";
import { closedText } from "../../../core/guardrails/closed-text.ts";
import { type Incident, OutcomeKind, type Recovery } from "../../../core/model/incident.ts";
import { ActionType, type TargetResult } from "../../../core/model/plan.ts";
import { targetOf } from "./rule-inputs.ts";

const AT = Date.parse("2026-03-02T14:10:00Z");
const check = { service: "cart", metric: "error_rate", because: "no data since 14:08" } as const;
const recoveryOf = (verdict: Recovery["verdict"]): Recovery => ({
  verdict,
  at: AT + 60_000,
  checks: [{ ...check, verdict }],
});

function closed(
  outcome: OutcomeKind | null,
  result: TargetResult["result"] | null,
  verdict: Recovery["verdict"] | null,
  action: ActionType = "kubectl_rollout_undo",
) {
  const target = targetOf({ action });
  const results = result === null ? [] : [{ target, result, detail: "", at: AT, warnings: [] }];
  const answer = result === "done" ? "executed" : "stopped";
  return {
    ...{ service: "checkout", decision: null, outcome, joined: undefined, superseded: [], closedAt: AT },
    recovery: verdict === null ? null : recoveryOf(verdict),
    gate:
      result === null
        ? null
        : { planId: "plan-1", outcome: answer, review: { verdict: "allow", rules: [] }, results, executedAt: AT },
  } as unknown as Incident;
}

describe("what a closed incident is listed with", () => {
  const verdicts = ["recovered", "not-recovered", "unknown", "pending", null] as const;
  const results = ["done", "unknown", "failed", "refused", "nothing-to-do", null] as const;
  const all = [...OutcomeKind.options, null].flatMap((outcome) =>
    results.flatMap((result) => verdicts.map((verdict) => [outcome, result, verdict] as const)),
  );

  it.each(all)(
    "S9: outcome %s, target %s, verdict %s: recovered only where that was verified",
    (outcome, result, verdict) => {
      const text = closedText(closed(outcome, result, verdict));
      const written = result === "done" || result === "unknown" || result === "failed";
      expect(/, recovered/.test(text), text).toBe(written && outcome === "recovered" && verdict === "recovered");
      expect(/ rolled back to /.test(text), text).toBe(result === "done");
      if (
        written &&
        (outcome === "unknown" || verdict === "unknown") &&
        outcome !== "superseded" &&
        outcome !== "not-recovered"
      )
        expect(text).toContain("RECOVERY NOT VERIFIED");
      expect(text).not.toMatch(/undefined|null/);
    },
  );

  it.each(ActionType.options)("names what %s did", (action) => {
    expect(closedText(closed("recovered", "done", "recovered", action))).toMatch(/^checkout: .*, recovered 1m later$/);
  });

  it("says why nothing was verified", () => {
    expect(closedText(closed("unknown", "done", "unknown"))).toBe(
      "checkout: rolled back to v1, RECOVERY NOT VERIFIED (no data since 14:08)",
    );
  });
});
