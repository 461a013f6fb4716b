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
    gate: executedAt === null ? null : { executedAt, review: { verdict: "allow", rules: [] }, results: [] },
    timeline: [{ at: ONSET + 5000, event: `decided: ${action}`, detail: "" }],
  } as unknown as Incident;
}

const result = (one: Incident | null): DemoResult => ({ scenario: "s", onset: ONSET, incident: one, postmortem: null });
const GOOD = "shop/payments:1.1.0";
const BAD = "shop/payments:1.2.0";
const template = (image: string) => ({ spec: { containers: [{ name: "payments", image }] } });
const undo = (image: string) => [{ op: "replace", path: "/spec/template", value: template(image) }];
const DEPLOYMENT = "/apis/apps/v1/namespaces/production/deployments/payments";
const PATCH: Witness["writes"][number] = {
  api: "kubernetes",
  at: EXECUTED - 50,
  method: "PATCH",
  path: `${DEPLOYMENT}?fieldManager=unship`,
  body: undo(GOOD),
  own: false,
};
const OFF: Witness["writes"][number] = {
  ...PATCH,
  api: "flags",
  method: "POST",
  path: "/api/admin/projects/default/features/express-checkout/environments/production/off",
  body: null,
};

/** A second of visitors each: as given between onset and `wellAt`, else sound. */
const visitors = (
  { failing = 0, p99Ms = 40 }: { readonly failing?: number; readonly p99Ms?: number },
  wellAt: number = EXECUTED + 1000,
): Witness["traffic"] =>
  Array.from({ length: 60 }, (_, second) => {
    const at = ONSET - 20_000 + second * 1000;
    const bad = at >= ONSET && at < wellAt;
    const failed = bad ? Math.round(60 * failing) : 0;
    return { kind: "report", at, sent: 60, failed, answered: 60, p50Ms: 15, p99Ms: bad ? p99Ms : 40 };
  });
const FAILING = visitors({ failing: 0.3 });
const SOUND = visitors({});

const state = (at: number, runs: string, ready = 2, complete = true): Witness["states"][number] => ({
  at,
  runs,
  complete,
  pods: 2,
  ready,
});
const BEFORE = state(ONSET - 1000, GOOD);
const BROKEN = state(ONSET + 5000, BAD);
const LAST = state(RECOVERED + 5000, GOOD);

const witness: Witness = {
  writes: [PATCH],
  traffic: FAILING,
  culprit: "payments",
  action: "rollback",
  harm: "failures",
  states: [BEFORE, BROKEN, LAST],
  blind: [],
  mustNotice: true,
  noticed: true,
  held: null,
};
const recovered = incident("recovered", "rollback", EXECUTED);
const flagged: Witness = {
  ...witness,
  writes: [OFF],
  culprit: "express-checkout",
  action: "feature_flag_disable",
  states: [state(ONSET - 1000, "off"), state(ONSET + 5000, "on"), state(RECOVERED + 5000, "off")],
};
const switchedOff: Incident = {
  ...recovered,
  decision: { ...recovered.decision, action: "feature_flag_disable" } as Incident["decision"],
};
const nothing: Witness = {
  ...witness,
  writes: [],
  traffic: SOUND,
  culprit: null,
  action: "no_action",
  harm: "none",
  states: [],
  mustNotice: false,
  noticed: false,
};
const outage: Witness = { ...nothing, traffic: FAILING, harm: "failures", mustNotice: true, noticed: true };

type Row = readonly [name: string, one: Incident | null, seen: Witness];

const GOOD_ROWS: readonly Row[] = [
  ["one write back to what ran before, and visitors who are served again", recovered, witness],
  [
    "what the sandbox's own people wrote is not counted",
    recovered,
    { ...witness, writes: [PATCH, { ...PATCH, own: true }] },
  ],
  [
    "a merge patch sets the template as well",
    recovered,
    { ...witness, writes: [{ ...PATCH, body: JSON.stringify({ spec: { template: template(GOOD) } }) }] },
  ],
  ["a flag that was switched off again", switchedOff, flagged],
  [
    "visitors who waited, and wait no more",
    recovered,
    { ...witness, harm: "latency", traffic: visitors({ p99Ms: 3000 }) },
  ],
  [
    "pods that were never ready, and hurt nobody",
    recovered,
    { ...witness, harm: "unready", traffic: SOUND, states: [BEFORE, state(ONSET + 5000, BAD, 0, false), LAST] },
  ],
  ["a leak that hurt nobody yet", recovered, { ...witness, harm: "memory", traffic: SOUND }],
  ["silence where nothing was wrong", null, nothing],
  ["a noticed outage that nothing was done about", incident("no-action", "no_action", null), outage],
];

const BAD_ROWS: readonly Row[] = [
  ["detection before onset", { ...recovered, detectedAt: ONSET - 1 }, witness],
  ["a recovery that nobody wrote anything for", recovered, { ...witness, writes: [] }],
  ["two writes", recovered, { ...witness, writes: [PATCH, PATCH] }],
  [
    "a write on an innocent object",
    recovered,
    { ...witness, writes: [{ ...PATCH, path: DEPLOYMENT.replace("payments", "checkout") }] },
  ],
  ["a name that begins like the culprit's", recovered, { ...witness, writes: [{ ...PATCH, path: `${DEPLOYMENT}-2` }] }],
  ["a scaling of the culprit", recovered, { ...witness, writes: [{ ...PATCH, path: `${DEPLOYMENT}/scale` }] }],
  ["a deletion of the culprit", recovered, { ...witness, writes: [{ ...PATCH, method: "DELETE" }] }],
  [
    "a write that leaves the template alone",
    recovered,
    { ...witness, writes: [{ ...PATCH, body: [{ op: "replace", path: "/spec/replicas", value: 0 }] }] },
  ],
  [
    "a write that sets another version",
    recovered,
    { ...witness, writes: [{ ...PATCH, body: undo("shop/payments:1.0.0") }] },
  ],
  ["a write long before execution", recovered, { ...witness, writes: [{ ...PATCH, at: EXECUTED - 6000 }] }],
  ["a write after recovery", recovered, { ...witness, writes: [{ ...PATCH, at: RECOVERED + 1 }] }],
  ["a flag switched on", switchedOff, { ...flagged, writes: [{ ...OFF, path: OFF.path.replace(/off$/, "on") }] }],
  [
    "a flag switched off in another environment",
    switchedOff,
    { ...flagged, writes: [{ ...OFF, path: OFF.path.replace("production", "staging") }] },
  ],
  ["a flag that is still on", switchedOff, { ...flagged, states: [...flagged.states, state(RECOVERED + 6000, "on")] }],
  ["visitors who never failed", recovered, { ...witness, traffic: SOUND }],
  ["visitors who never waited", recovered, { ...witness, harm: "latency" }],
  ["visitors who still fail", recovered, { ...witness, traffic: visitors({ failing: 0.3 }, Number.POSITIVE_INFINITY) }],
  [
    "visitors who are answered and still wait",
    recovered,
    { ...witness, harm: "latency", traffic: visitors({ p99Ms: 3000 }, Number.POSITIVE_INFINITY) },
  ],
  ["no record of visitors", recovered, { ...witness, traffic: [] }],
  ["a record that ends at recovery", recovered, { ...witness, traffic: FAILING.filter(({ at }) => at <= RECOVERED) }],
  ["a bad version that never ran", recovered, { ...witness, states: [BEFORE, LAST] }],
  ["a bad version that still runs", recovered, { ...witness, states: [BEFORE, BROKEN, state(RECOVERED + 5000, BAD)] }],
  [
    "a restored version that is not rolled out",
    recovered,
    { ...witness, states: [BEFORE, BROKEN, { ...LAST, complete: false }] },
  ],
  ["nobody who looked at the end", recovered, { ...witness, states: [BEFORE, BROKEN] }],
  ["a bad version that was ready after all", recovered, { ...witness, harm: "unready", traffic: SOUND }],
  ["an action that was followed by no recovery", incident("not-recovered", "rollback", EXECUTED), witness],
  [
    "recovery before the action",
    { ...recovered, recovery: { verdict: "recovered", at: EXECUTED - 1, checks: [] } },
    witness,
  ],
  ["silence where there was a culprit", null, { ...witness, writes: [] }],
  [
    "a plan that waits for a person",
    incident(null, "rollback", null),
    { ...witness, writes: [], held: "unship approve p" },
  ],
  ["a watch that ended", null, { ...nothing, blind: ["the watch ended"] }],
  ["any write where nothing was to be done", null, { ...nothing, writes: [PATCH] }],
  ["a decision to act where nothing was to be done, even unexecuted", incident(null, "rollback", null), nothing],
  ["an outage that nobody noticed", null, { ...outage, noticed: false }],
  ["an outage that hurt nobody", incident("no-action", "no_action", null), { ...outage, traffic: SOUND }],
];

describe("the demo's judge", () => {
  it.each(GOOD_ROWS)("is content with %s", (_, one, seen) => {
    expect(judge(result(one), seen)).toMatchObject({ ok: true, reasons: [] });
  });

  it.each(BAD_ROWS)("refuses %s", (_, one, seen) => {
    const { ok, reasons } = judge(result(one), seen);
    expect(ok).toBe(false);
    expect(reasons.length).toBeGreaterThan(0);
  });

  it("says of a leak what it cannot prove, and of nothing else", () => {
    expect(judge(result(recovered), { ...witness, harm: "memory", traffic: SOUND }).unproven).toHaveLength(1);
    expect(judge(result(recovered), witness).unproven).toEqual([]);
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
