import { beforeAll, describe, expect, it } from "vitest";
import { LEDGER_KINDS } from "../../../core/guardrails/gate-store.ts";
import type { Incident } from "../../../core/model/incident.ts";
import type { GateAnswer, Plan, TargetResult } from "../../../core/model/plan.ts";
import type { LedgerDraft } from "../../../core/ports.ts";
import { shownOf } from "./shown.ts";

const REVIEW: GateAnswer["review"] = { verdict: "allow", rules: [] };
const planOf = ({ plan }: Incident): Plan => {
  if (plan === null) throw new Error("the incident has a plan");
  return plan;
};
const resultsOf = (plan: Plan, result: TargetResult["result"]): TargetResult[] =>
  plan.targets.map((target) => ({ target, result, detail: "as asked", at: plan.createdAt + 60_000, warnings: [] }));
const answerTo = (plan: Plan, outcome: GateAnswer["outcome"], results: TargetResult[] = []): GateAnswer => ({
  ...{ planId: plan.id, outcome, review: REVIEW, results },
  executedAt: outcome === "executed" ? plan.createdAt + 60_000 : null,
});

/** What the record of a closed incident can hold of a plan that had not settled when it was closed. */
const RECORDS: Readonly<Record<string, (plan: Plan) => GateAnswer | null>> = {
  "no answer": () => null,
  held: (plan) => answerTo(plan, "held"),
  denied: (plan) => answerTo(plan, "denied"),
  "in progress": (plan) => answerTo(plan, "in-progress", resultsOf(plan, "unknown")),
  "stopped, with a result that nobody knows": (plan) => answerTo(plan, "stopped", resultsOf(plan, "unknown")),
};
/** What was decided last: also that nothing is done, where a person overtook the act. */
const DECIDED = ["rollback", "no_action"] as const;

const closed = (
  incident: Incident,
  now: number,
  action: (typeof DECIDED)[number],
  gate: GateAnswer | null,
): Incident => {
  const { decision } = incident;
  if (decision === null) throw new Error("the incident is decided");
  const none = action === "no_action" ? { culprit: null, changeIds: [] } : {};
  const outcome = action === "no_action" ? "no-action" : "unknown";
  return { ...incident, stage: "closed", outcome, closedAt: now, gate, decision: { ...decision, action, ...none } };
};

/** The plan was carried out: as the gate writes it. */
const carriedOut = (incident: Incident): readonly LedgerDraft[] => {
  const plan = planOf(incident);
  const draft = (kind: string, body: unknown): LedgerDraft => ({
    ...{ kind, body, incidentId: incident.id, planId: plan.id, actor: "gate" },
  });
  const results = resultsOf(plan, "done");
  return [
    draft(LEDGER_KINDS.planReserved, { review: REVIEW, approvedBy: "alice", units: 1 }),
    ...results.flatMap((result, position) => [
      draft(LEDGER_KINDS.targetAttempted, { position, target: result.target }),
      draft(LEDGER_KINDS.targetFinished, { position, result }),
    ]),
    draft(LEDGER_KINDS.planAnswered, answerTo(plan, "executed", results)),
  ];
};

/** What is told of an incident as its own run has it, and of none that is closed. */
const OF_THE_RUN = new Set(["notice", "episode", "replay's report"]);

/** How long the ledger was by then is another number in each. */
const withoutHead = (text: string | undefined): string | undefined => text?.replace(/ledger entries 1 to .*?\./s, "");

describe("S15: an act that settles after its incident was closed is told as the ledger has it", () => {
  let shown: Awaited<ReturnType<typeof shownOf>>;
  beforeAll(async () => {
    const states = DECIDED.flatMap((action) => [
      [
        `${action}, saved`,
        (one: Incident, now: number) =>
          closed(one, now, action, answerTo(planOf(one), "executed", resultsOf(planOf(one), "done"))),
      ] as const,
      ...Object.entries(RECORDS).map(
        ([words, gate]) =>
          [`${action}, ${words}`, (one: Incident, now: number) => closed(one, now, action, gate(planOf(one)))] as const,
      ),
    ]);
    shown = await shownOf(Object.fromEntries(states), carriedOut);
  }, 240_000);

  for (const action of DECIDED)
    it.each(Object.keys(RECORDS))(`decided ${action}, and the record says: %s`, (words) => {
      const told = shown.get(`${action}, ${words}`);
      const saved = shown.get(`${action}, saved`);
      expect(saved?.size).toBeGreaterThan(10);
      for (const [where, text] of saved ?? [])
        if (!OF_THE_RUN.has(where)) expect(withoutHead(told?.get(where)), where).toBe(withoutHead(text));
      expect(told?.get("postmortem")).toMatch(/At \d\d:\d\d:\d\d unship put/);
      expect(told?.get("get_incident")).toContain("executed, approved by alice");
      expect(told?.get("status --json")).toContain('"gate": "executed"');
    });
});
