import { describe, expect, it } from "vitest";
import type { Change } from "../../core/model/change.ts";
import { type Incident, OutcomeKind } from "../../core/model/incident.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { postmortem } from "../../knowledge/postmortem.ts";
import { at, culprit, incident } from "./incidents.ts";
import { external, held, hotfix, unknown, unmended } from "./variants.ts";

/** Every outcome that an incident can have, with the decision, plan and verification that lead to it. */
const plain = { plan: null, gate: null, recovery: null };
const noAction = incident.decision && { ...incident.decision, action: "no_action" as const, changeIds: [] };
const denied = held.gate && {
  ...held.gate,
  outcome: "denied" as const,
  review: {
    verdict: "deny" as const,
    rules: [{ rule: "paused", verdict: "deny" as const, reason: "everything is paused" }],
  },
};
const expiredPlan = incident.plan && { ...incident.plan, expiresAt: at("14:15:00") };
const restMinutes = { closedAt: at("14:20:00"), timeline: incident.timeline.slice(0, 2) };
const OUTCOMES: readonly (readonly [string, Incident, readonly string[]])[] = [
  ["recovered", incident, []],
  ["not recovered", unmended, []],
  ["of unknown recovery", unknown, []],
  ["superseded", { ...unknown, outcome: "superseded" }, []],
  ["open at its end for lack of data", { ...incident, ...plain, outcome: "unknown" }, []],
  ["of no action, a change suspected", { ...incident, ...plain, decision: noAction, outcome: "no-action" }, []],
  ["of no action, its plan unanswered", { ...held, decision: noAction, outcome: "no-action" }, []],
  ["of no action, no change suspected", external, []],
  ["of no action, a change worth a check", { ...external, ranking: withFirst(0.31) }, []],
  ["of no action, a change likelier than none", { ...external, ranking: withFirst(0.6) }, []],
  ["of no action, nothing compared", { ...external, ranking: null }, []],
  ["withdrawn before a plan", { ...incident, ...plain, outcome: "withdrawn" }, []],
  ["withdrawn, its plan unanswered", { ...held, outcome: "withdrawn" }, []],
  ["withdrawn, its plan approved", { ...held, outcome: "withdrawn" }, ["approval.given"]],
  ["denied by the gate", { ...held, gate: denied, outcome: "denied" }, []],
  ["rejected by a person", { ...held, outcome: "denied" }, ["approval.rejected"]],
  ["rejected by somebody unrecorded", { ...held, outcome: "denied" }, []],
  ["expired", { ...held, plan: expiredPlan, outcome: "expired" }, []],
  ["recommended", hotfix, []],
];

function withFirst(probability: number): Incident["ranking"] {
  const { ranking } = external;
  if (ranking === null) throw new Error("the ranking is known");
  const [first] = ranking.candidates;
  if (first === undefined) throw new Error("it has a candidate");
  return { ...ranking, candidates: [{ ...first, probability }], noChangeProbability: 1 - probability };
}

const rollback: Change = {
  ...culprit,
  ...{ id: "deploy-checkout-8", from: "v1.4.2", to: "v1.4.1", author: "carol" },
  ...{ startedAt: at("14:14:00"), finishedAt: at("14:14:30") },
};
const forward: Change = { ...rollback, id: "deploy-checkout-9", to: "v1.4.3" };
const elsewhere: Change = { ...rollback, id: "deploy-gateway-4", service: "gateway", from: "v7", to: "v8" };
const back = { backSince: at("14:16:00") };
const by = (change: Change): Partial<Incident> => ({
  ...back,
  changes: [...incident.changes, change],
  backBy: { change: { id: change.id, service: change.service }, unheard: [] },
});

/** Every way in which its signals can have come back, or not. */
const WAYS: readonly (readonly [string, Partial<Incident>])[] = [
  ["not back", {}],
  ["back, and nothing more is recorded", back],
  ["back with no known change", { ...back, backBy: { change: null, unheard: [] } }],
  ["back, a source said nothing", { ...back, backBy: { change: null, unheard: ["argocd did not say changes"] } }],
  ["rolled back by carol", by(rollback)],
  ["rolled back by somebody", by(anonymous(rollback))],
  ["a newer version by carol", by(forward)],
  ["another service changed", by(elsewhere)],
  [
    "a change that is not in the record",
    { ...back, backBy: { change: { id: "d9", service: "checkout" }, unheard: [] } },
  ],
  [
    "after a plan outside it",
    { ...back, backBy: { change: null, act: { plan: "plan-9", does: "put cart back", by: ["robin"] }, unheard: [] } },
  ],
];

function anonymous({ author: _, ...change }: Change): Change {
  return change;
}

const entry = (kind: string): LedgerEntry => ({
  ...{ seq: 1, at: at("14:14:30"), kind, incidentId: incident.id, planId: "plan-4", actor: "robin", body: {} },
  ...{ prev: "0".repeat(64), hash: "a".repeat(64) },
});

/** What one sentence claims and another one denies: never both in one draft. */
const OPPOSITES: readonly (readonly [string, RegExp, RegExp])[] = [
  [
    "it was rolled back",
    /(?<!nothing )\b(?:was|were) rolled back\b|rolled back to `|rolled `\w+` back|put `\w+` back to|before it ships again/,
    /nothing was rolled back|or roll it back|no action taken|nothing had to be undone|has not been rolled back/,
  ],
  [
    "unship wrote to production",
    /At \d\d:\d\d:\d\d unship |recovered after it was|\*\*executed\*\*/,
    /unship wrote nothing|Nothing was executed|changed nothing itself|no action taken/,
  ],
  [
    "a cause is suspected",
    /The most probable cause is|broke after/,
    /Find the cause|cause was not found|No change is suspected|was not determined/,
  ],
  [
    "a cause is named",
    /Suspected, though|Check first|The most probable cause is/,
    /No change is suspected|Nothing that this record knows/,
  ],
  [
    "it is over",
    /back within baseline at|none of its signals was degraded any more|confirmed to be back/,
    /the degradation goes on|unknown whether it recovered|\*\*It did not recover:\*\*|no action taken|outcome unknown$|How long it lasted is not known/m,
  ],
  ["somebody else undid it", /(?:`carol`|somebody) rolled/, /no known change|why is not known/],
  [
    "the plan was answered",
    /`robin` (?:approved|rejected)|\bA person rejected/,
    /Nobody (?:had )?answered|was answered\. Would|in time|expired unanswered/,
  ],
  ["the plan expired", /before it expired|expired unanswered/, /was answered\. Would|rejected plan/],
  [
    "the gate denied the plan",
    /gate denied the plan|\*\*denied\*\*/,
    /Nobody (?:had )?answered|plan was rejected|waited for a person/,
  ],
];

/** Where a thing that happened has to be named. */
const PARTS = ["title", "## Summary", "## Timeline", "## What was done", "## Follow-ups"] as const;

describe("S15: no sentence of a draft contradicts another one", () => {
  it("over every outcome that there is", () => {
    expect(new Set(OUTCOMES.map(([, one]) => one.outcome))).toEqual(new Set(OutcomeKind.options));
  });

  for (const [outcome, one, kinds] of OUTCOMES)
    it.each(WAYS)(`${outcome}; %s`, (_, way) => {
      const draft = postmortem({ ...one, ...restMinutes, ...way }, kinds.map(entry));
      for (const [what, claims, denies] of OPPOSITES)
        if (claims.test(draft)) expect(denies.exec(draft)?.[0], what).toBeUndefined();
    });

  const UNACTED = OUTCOMES.filter(
    ([, { gate, decision }]) => gate?.outcome !== "executed" && decision?.culprit !== null,
  );
  it.each(UNACTED)("%s; what carol rolled back is told in every part", (_, one, kinds) => {
    const draft = postmortem({ ...one, ...restMinutes, ...by(rollback) }, kinds.map(entry));
    const parts = [
      draft.split("\n")[0] ?? "",
      ...PARTS.slice(1).map((heading) => draft.split(heading)[1]?.split("\n## ")[0] ?? ""),
    ];
    expect(parts[0]).toContain("rolled back to `v1.4.1` by `carol`, back within baseline at 14:16:00");
    expect(parts[1]).toContain("At 14:14:00 `carol` rolled `checkout` back to `v1.4.1`.");
    expect(parts[2]).toContain(
      "| 14:14:00 | +3m55s | rolled back by `carol` | the deploy of `checkout` `v1.4.2` → `v1.4.1` |",
    );
    expect(parts[3]).toContain("At 14:14:00 `carol` rolled `checkout` back to `v1.4.1` (`deploy-checkout-8`).");
    if (one.decision?.hotfix === null) expect(parts[4]).toContain("before it ships again");
  });
});
