import { describe, expect, it } from "vitest";
import type { Incident } from "../../../core/model/incident.ts";
import { type DemoResult, jsonResult, judge, type Witness } from "../../../evals/demo/result.ts";

const ONSET = 1_000_000;
const EXECUTED = ONSET + 15_000;
const RECOVERED = ONSET + 30_000;

/** The part of an incident that the demo's result is made of. */
function incident(outcome: Incident["outcome"], action: "rollback" | "no_action", executedAt: number | null): Incident {
  const culprit = action === "rollback" ? { changeId: "deploy:production/payments:3", probability: 0.99 } : null;
  return {
    outcome,
    detectedAt: ONSET + 5000,
    closedAt: RECOVERED,
    recovery: outcome === "recovered" ? { verdict: "recovered", at: RECOVERED, checks: [] } : null,
    decision: { action, culprit, changeIds: culprit === null ? [] : [culprit.changeId] },
    gate: executedAt === null ? null : { executedAt, review: { verdict: "allow", rules: [] } },
    timeline: [{ at: ONSET + 5000, event: `decided: ${action}`, detail: "" }],
  } as unknown as Incident;
}

const result = (one: Incident | null): DemoResult => ({ scenario: "s", onset: ONSET, incident: one, postmortem: null });
const write = (path: string, own = false): Witness["writes"][number] => ({
  api: "kubernetes",
  at: EXECUTED,
  method: "PATCH",
  path,
  body: {},
  own,
});
const PAYMENTS = write("/apis/apps/v1/namespaces/production/deployments/payments?fieldManager=unship");
/** A second of visitors each, of whom this share fails from onset on, until `wellAt`. */
const visitors = (failing: number, wellAt: number): Witness["traffic"] =>
  Array.from({ length: 60 }, (_, second) => {
    const at = ONSET - 20_000 + second * 1000;
    const failed = at >= ONSET && at < wellAt ? 60 * failing : 0;
    return { at, failed, answered: 60 - failed } as Witness["traffic"][number];
  });
const witness: Witness = {
  writes: [PAYMENTS],
  traffic: visitors(0.3, EXECUTED + 1000),
  culprit: "payments",
  action: "rollback",
};
const recovered = incident("recovered", "rollback", EXECUTED);

describe("the demo's judge", () => {
  it.each<[string, boolean, Incident | null, Witness]>([
    ["is content with one write on the culprit and visitors who are served again", true, recovered, witness],
    [
      "does not count what the sandbox's own people wrote",
      true,
      recovered,
      { ...witness, writes: [PAYMENTS, write("/deployments/payments", true)] },
    ],
    ["refuses a recovery that nobody wrote anything for", false, recovered, { ...witness, writes: [] }],
    ["refuses two writes", false, recovered, { ...witness, writes: [PAYMENTS, PAYMENTS] }],
    [
      "refuses a write on an innocent object",
      false,
      recovered,
      { ...witness, writes: [write("/deployments/checkout")] },
    ],
    [
      "refuses a name that merely begins like the culprit's",
      false,
      recovered,
      { ...witness, writes: [write("/deployments/payments-2")] },
    ],
    [
      "refuses visitors who still fail",
      false,
      recovered,
      { ...witness, traffic: visitors(0.3, Number.POSITIVE_INFINITY) },
    ],
    ["refuses to judge without the visitors' record", false, recovered, { ...witness, traffic: [] }],
    [
      "refuses an action that was followed by no recovery",
      false,
      incident("not-recovered", "rollback", EXECUTED),
      witness,
    ],
    ["refuses silence where there was a culprit", false, null, { ...witness, writes: [] }],
    [
      "is content with silence where nothing was wrong",
      true,
      null,
      { ...witness, writes: [], action: "no_action", culprit: null },
    ],
    ["refuses any write where nothing was to be done", false, null, { ...witness, action: "no_action", culprit: null }],
    [
      "refuses a decision to act where nothing was to be done, even unexecuted",
      false,
      incident(null, "rollback", null),
      { ...witness, writes: [], action: "no_action", culprit: null },
    ],
  ])("%s", (_, ok, one, seen) => {
    const judged = judge(result(one), seen);
    expect(judged.ok, judged.reasons.join("; ")).toBe(ok);
    expect(judged.reasons.length > 0).toBe(!ok);
  });

  it("says null for everything that there was not", () => {
    expect(jsonResult(result(null))).toEqual({
      scenario: "s",
      onset: "1970-01-01T00:16:40.000Z",
      detected_at: null,
      decided_at: null,
      executed_at: null,
      recovered_at: null,
      culprit: null,
      action: "no_action",
      guardrail: null,
      postmortem: null,
    });
  });

  it("takes a withdrawn decision for no action, without a culprit", () => {
    expect(jsonResult(result(incident("withdrawn", "rollback", null)))).toMatchObject({
      action: "no_action",
      culprit: null,
    });
  });
});
