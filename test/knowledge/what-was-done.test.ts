import { describe, expect, it } from "vitest";
import { decisionWords } from "../../agent/cli/words.ts";
import { incidentLines } from "../../core/guardrails/incident-text.ts";
import type { Decision } from "../../core/model/decision.ts";
import { actionOf, deedOf, isActed, originOf } from "../../core/model/deed.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { GateAnswer } from "../../core/model/plan.ts";
import { postmortem } from "../../knowledge/postmortem.ts";
import { recordOf } from "../../knowledge/record.ts";
import { at, bystander, incident } from "./incidents.ts";

const { decision: decided, gate: executed, plan: proposed } = incident;
if (decided === null || executed === null || proposed === null)
  throw new Error("the incident has a decision that was executed");

const own = proposed;

const deciding = (change: Partial<Decision>): Decision => ({ ...decided, culprit: null, changeIds: [], ...change });

/** What unship decided by itself, before a plan was carried out. */
const DECISIONS: readonly (readonly [string, Decision | null])[] = [
  ["nothing yet", null],
  ["no action, no change is sure enough", deciding({ action: "no_action" })],
  [
    "no action, with a culprit",
    deciding({ action: "no_action", culprit: { changeId: bystander.id, probability: 0.9 } }),
  ],
  ["a hotfix of another change", deciding({ action: "hotfix_recommendation" })],
  [
    "the rollback of another change",
    deciding({ culprit: { changeId: bystander.id, probability: 0.9 }, changeIds: [bystander.id] }),
  ],
  ["the rollback of this change", decided],
];

const [done] = executed.results;
if (done === undefined) throw new Error("the plan has a target");
const answer = (outcome: GateAnswer["outcome"], ...results: (typeof done)["result"][]): GateAnswer => ({
  ...executed,
  outcome,
  results: results.map((result) => ({ ...done, result })),
  executedAt: outcome === "executed" ? executed.executedAt : null,
});

const WROTE: readonly (readonly [string, GateAnswer])[] = [
  ["executed", answer("executed", "done")],
  ["stopped half-way", answer("stopped", "done", "refused")],
  ["stopped, with a result that nobody knows", answer("stopped", "unknown")],
];
const WROTE_NOTHING: readonly (readonly [string, GateAnswer | null])[] = [
  ["not asked", null],
  ["held", answer("held")],
  ["denied", answer("denied")],
  ["stopped before its first target", answer("stopped", "stale")],
  ["nothing to do", answer("nothing-to-do", "nothing-to-do")],
];

/** Who proposes: a person's own plan, or unship's on the decision that it held then. */
const PERSON = "mcp:stdio:assistant";
const PROPOSERS = [PERSON, "watch"] as const;

/** Each surface's words on one incident. */
function surfaces(
  decision: Decision | null,
  gate: GateAnswer | null,
  proposedBy: string = PERSON,
): Readonly<Record<string, string>> {
  const recovered = gate?.outcome === "executed";
  const one: Incident = {
    ...incident,
    decision,
    gate,
    plan: { ...own, proposedBy },
    ...(recovered ? {} : { recovery: null, outcome: isActed({ decision, gate }) ? "unknown" : "no-action" }),
    backSince: at("14:20:00"),
  };
  const draft = postmortem(one);
  const heading = draft.indexOf("## Impact");
  return {
    "title and summary": draft.slice(0, heading),
    "follow-ups": draft.slice(draft.indexOf("## Follow-ups")),
    memory: recordOf(one, ["deployment_details", "recovery_confirmed"])?.summary ?? "",
    status: decisionWords(one) ?? "",
    "a notice": incidentLines(one, { now: at("14:21:00"), open: [], services: {} }).join("\n"),
  };
}

const DENIES_AN_ACT =
  /wrote nothing to production|nothing was executed|changed nothing|nothing was rolled back|nothing is undone|no action taken|^no_action|: no_action/im;
const CLAIMS_AN_ACT =
  /recovered after|(?<!nothing )was rolled back|were rolled back|At \d\d:\d\d:\d\d unship|a person asked/i;

describe("S15: what the gate carried out is told before what was decided", () => {
  for (const [what, decision] of DECISIONS)
    it.each(WROTE)(`decided: ${what}; a plan %s: no surface denies that something was written`, (_, gate) => {
      for (const by of PROPOSERS)
        for (const [surface, words] of Object.entries(surfaces(decision, gate, by)))
          expect(words, surface).not.toMatch(DENIES_AN_ACT);
      expect(actionOf({ decision, gate })).toBe("rollback");
    });

  for (const [what, decision] of DECISIONS)
    it.each(WROTE_NOTHING)(`decided: ${what}; a plan %s: no surface claims that something was written`, (_, gate) => {
      for (const [surface, words] of Object.entries(surfaces(decision, gate)))
        expect(words, surface).not.toMatch(CLAIMS_AN_ACT);
      expect(actionOf({ decision, gate })).toBe(decision?.action ?? null);
    });

  for (const [what, decision] of DECISIONS)
    it.each(WROTE)(
      `decided: ${what}; a plan of unship's own %s: no surface lays the proposal at a person`,
      (_, gate) => {
        for (const [surface, words] of Object.entries(surfaces(decision, gate, "watch")))
          expect(words, surface).not.toMatch(/as a person|a person asked/i);
        const isItsOwn = originOf({ decision, gate, plan: own }) === "decided";
        expect(isItsOwn).toBe(what === "the rollback of this change");
        for (const surface of ["title and summary", "memory", "status"])
          expect(/on an earlier decision/.test(surfaces(decision, gate, "watch")[surface] ?? ""), surface).toBe(
            !isItsOwn,
          );
      },
    );

  it("names what a person had taken back, and what unship had decided", () => {
    const [, decision] = DECISIONS[1] ?? [];
    const told = surfaces(decision ?? null, answer("executed", "done"));
    expect(told["title and summary"]).toContain(
      "# `checkout` broke, 1 other service affected: recovered after unship put `checkout` back to `v1.4.1`",
    );
    expect(told["title and summary"]).toContain(
      "At 14:13:16 unship put `checkout` back to `v1.4.1`, as a person had asked; its own decision was no action.",
    );
    expect(told["follow-ups"]).toContain("Find and fix the fault in `checkout` `v1.4.2`");
    expect(told.status).toBe(`rollback of checkout v1.4.2, as a person asked; decided was no_action`);
    expect(told.memory).toContain(
      "checkout: rollback, outcome recovered. A person asked for it; decided was no_action.",
    );
  });

  const HELD_BY = "the impact is high: a person has to agree";
  const WHY_NOT = "the target did not answer";
  const DENIED_BY = "everything is paused";
  it.each<[what: string, gate: GateAnswer, told: string]>([
    ["held", answer("held"), HELD_BY],
    ["denied, though a person would have been asked as well", answer("denied"), DENIED_BY],
    ["stopped at a target that a person had agreed to", answer("stopped", "failed"), WHY_NOT],
    ["stopped half-way", answer("stopped", "done", "failed"), WHY_NOT],
    ["stopped without a known result", answer("stopped", "unknown"), WHY_NOT],
    ["nothing to do", answer("nothing-to-do", "nothing-to-do"), WHY_NOT],
  ])("tells of a plan that was %s why, and nothing that it was not stopped by", (_, gate, told) => {
    const rules = [
      { rule: "human-approval", verdict: "require_approval", reason: HELD_BY },
      ...(gate.outcome === "denied" ? [{ rule: "paused", verdict: "deny", reason: DENIED_BY } as const] : []),
    ] as const;
    const results = gate.results.map((one) => (one.result === "done" ? one : { ...one, detail: WHY_NOT }));
    const verdict = gate.outcome === "denied" ? "deny" : "require_approval";
    const words = surfaces(decided, { ...gate, review: { verdict, rules: [...rules] }, results });
    expect(words["title and summary"]).toContain(told);
    for (const other of [HELD_BY, DENIED_BY, WHY_NOT].filter((one) => one !== told))
      expect(words["title and summary"]).not.toContain(other);
    expect(/before plan `plan-4` \(held by `human-approval`\) was answered/.test(words["follow-ups"] ?? "")).toBe(
      gate.outcome === "held",
    );
  });

  it.each([
    ["nothing", DECISIONS[1], null],
    ["recommended", DECISIONS[3], null],
    ["undecided", DECISIONS[0], null],
    ["decided", DECISIONS[5], null],
    ["unwritten", DECISIONS[5], answer("held")],
    ["partly", DECISIONS[3], answer("stopped", "done", "refused")],
    ["executed", DECISIONS[0], answer("executed", "done")],
  ] as const)("is %s", (deed, row, gate) => {
    expect(deedOf({ decision: row?.[1] ?? null, gate })).toBe(deed);
  });
});
