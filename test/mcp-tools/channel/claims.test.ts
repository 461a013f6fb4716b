import { describe, expect, it } from "vitest";
import { FINISHED, WRITTEN } from "../../../agent/watch/aftermath.ts";
import { CHAIN_FINISHED } from "../../../agent/watch/arguing.ts";
import { CANARY_JUDGED } from "../../../agent/watch/canaries.ts";
import { DRIFTED } from "../../../agent/watch/drift.ts";
import { PROMOTION_PROPOSED } from "../../../agent/watch/promotions.ts";
import { LEDGER_KINDS } from "../../../core/guardrails/gate-store.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { NO_INCIDENT, type Plan } from "../../../core/model/plan.ts";
import { whyForged, whyNotWritten } from "../../../mcp-tools/channel/claims.ts";
import { incident } from "../../knowledge/incidents.ts";

describe("what the agent writes down through the gate", () => {
  const { noticeSent, noticeUndelivered, knowledgeForgotten } = LEDGER_KINDS;
  const own = [FINISHED, WRITTEN, CHAIN_FINISHED, CANARY_JUDGED, DRIFTED, PROMOTION_PROPOSED];

  it.each([...own, noticeSent, noticeUndelivered, knowledgeForgotten])(
    "is what the watch and its commands write: %s",
    (kind) => {
      expect(whyNotWritten({ kind, incidentId: null, planId: null, actor: "watch", body: {} })).toBeNull();
    },
  );

  it.each([
    ["how an act ended", { about: "ended" }, null],
    ["that something was executed", { about: "acted" }, "by the gate"],
    ["that a plan waits", { about: "held" }, "by the gate"],
    ["that a notice was held back", { about: "ended", heldBack: true }, "by the gate"],
  ])("of notices is its own what ended, and no other: %s", (_, body, why) => {
    const draft = { kind: LEDGER_KINDS.noticeBegun, incidentId: "i", planId: "p", actor: "watch", body };
    const said = whyNotWritten(draft);
    if (why === null) expect(said).toBeNull();
    else expect(said).toContain(why);
  });

  it("is not what the gate has to see itself", () => {
    const draft = { kind: LEDGER_KINDS.changeHealthy, incidentId: null, planId: null, actor: "watch", body: {} };
    expect(whyNotWritten(draft)).toContain("the gate's alone");
  });
});

describe("an act outside any incident that the agent says is one of an incident", () => {
  const { plan: own, gate: answer } = incident;
  if (own === null || answer === null) throw new Error("the incident has an act");
  const outside: Plan = { ...own, incidentId: NO_INCIDENT };
  const elsewhere: Plan = {
    ...outside,
    targets: outside.targets.map((target) => ({ ...target, service: "billing", changeId: "deploy-billing" })),
  };
  const undecided: Incident = { ...incident, stage: "verifying", outcome: null, closedAt: null, plan: outside };

  it.each<[what: string, plan: Plan, said: Incident, answered: boolean, why: string | null]>([
    ["takes back what it names, and was carried out", outside, undecided, true, null],
    ["was never answered", outside, undecided, false, "the gate never answered so"],
    ["is only proposed", outside, { ...undecided, gate: null }, false, "its plan is of another incident"],
    [
      "takes back what it does not name",
      elsewhere,
      { ...undecided, plan: elsewhere, gate: { ...answer, results: answer.results } },
      true,
      "its plan is of another incident",
    ],
    [
      "is of another incident",
      { ...outside, incidentId: "other" },
      { ...undecided, plan: { ...outside, incidentId: "other" } },
      true,
      "its plan is of another incident",
    ],
  ])("counts only where it is so: it %s", async (_, plan, said, answered, why) => {
    const entry = { seq: 1, at: 1, kind: LEDGER_KINDS.planAnswered, incidentId: plan.incidentId, planId: plan.id };
    const stored = { ...entry, actor: "gate", body: answer, prev: "", hash: "" };
    const ledger = {
      plan: async () => plan,
      incident: async () => null,
      entries: async ({ incidentId }: { readonly incidentId?: string } = {}) =>
        answered && incidentId === plan.incidentId ? [stored] : [],
    };
    expect(await whyForged(said, ledger)).toBe(why);
  });
});
