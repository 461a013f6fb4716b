import { describe, expect, it } from "vitest";
import { policyOf } from "../../core/guardrails/rule-inputs.ts";
import { incident } from "../../knowledge/incidents.ts";
import { ALICE_TOKEN, APPROVERS, BOB_TOKEN } from "../gate/gate-world.ts";
import { openListening } from "./listening.ts";

const config = { ...policyOf({ mode: "approve" }), approvers: APPROVERS };
const alice = { token: ALICE_TOKEN };
const open = {
  ...incident,
  stage: "detected",
  plan: null,
  gate: null,
  recovery: null,
  outcome: null,
  closedAt: null,
} as const;

async function opened() {
  const on = await openListening({ config });
  await on.world.store.saveIncident({ ...open, id: "inc-1", service: "search", impact: null });
  await on.world.store.saveIncident({ ...open, id: "inc-2" });
  return on;
}

describe("open incidents over HTTP", () => {
  it("are listed worst first, to an approver alone", async () => {
    await using on = await opened();
    expect(await on.ask("/v1/incidents", alice)).toMatchObject({
      status: 200,
      body: {
        incidents: [{ id: "inc-2", impact: { level: "high" }, waiting: null, acknowledged: null }, { id: "inc-1" }],
      },
    });
    expect(await on.ask("/v1/incidents")).toMatchObject({ status: 401 });
  });

  it.each([
    ["acknowledge", {}, 30 * 60_000],
    ["acknowledge", { for: "2h", note: "on it" }, 2 * 3_600_000],
    ["snooze", {}, 3_600_000],
  ] as const)("an approver may %s one, with %j", async (as, body, lasts) => {
    await using on = await opened();
    const answer = await on.ask(`/v1/incidents/inc-2/${as}`, { ...alice, body });
    expect(answer).toMatchObject({ status: 200, body: { incident: "inc-2", as, by: "alice" } });
    const { at, until } = answer.body as { readonly at: string; readonly until: string };
    expect(Date.parse(until) - Date.parse(at)).toBe(lasts);
    const note = "note" in body ? body.note : "";
    expect(await on.ask("/v1/incidents", alice)).toMatchObject({
      body: { incidents: [{ acknowledged: { as, by: "alice", until, note } }, { acknowledged: null }] },
    });
  });

  it.each([
    ["an incident that nobody knows", "inc-9", ALICE_TOKEN, {}, 404, "incident.unknown"],
    ["a service that is not theirs", "inc-1", BOB_TOKEN, {}, 403, "approval.refused"],
    ["no duration", "inc-2", ALICE_TOKEN, { for: "a while" }, 400, "input.invalid"],
    ["too long a time", "inc-2", ALICE_TOKEN, { for: "4w" }, 400, "input.invalid"],
    ["what it does not take", "inc-2", ALICE_TOKEN, { until: "tomorrow" }, 400, "input.invalid"],
    ["no approver's token", "inc-2", "mallory", {}, 401, "identity.refused"],
  ] as const)("S14: %s is refused, and nothing stands in the ledger", async (_, id, token, body, status, code) => {
    await using on = await opened();
    const answer = await on.ask(`/v1/incidents/${id}/snooze`, { token, body });
    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect(await on.kinds()).not.toContain("incident.acknowledged");
  });
});
