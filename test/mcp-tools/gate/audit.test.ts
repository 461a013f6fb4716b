import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { policyOf } from "../../core/guardrails/rule-inputs.ts";
import { incident } from "../../knowledge/incidents.ts";
import { ALICE_TOKEN, openWorld, type World } from "./gate-world.ts";

/** One plan that was approved and executed, and one that waits. */
async function lived(): Promise<World> {
  const world = await openWorld({ config: policyOf({ mode: "approve" }) });
  const { plan } = await world.gate.propose(world.draft());
  await world.gate.approve(plan.id, ALICE_TOKEN);
  expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  await world.gate.propose(world.draft());
  await world.gate.pause("checkout", "cli:zoe");
  const healthy = { service: "checkout", changeId: "deploy-9" };
  await world.store.append({ kind: "change.healthy", incidentId: null, planId: null, actor: "watch", body: healthy });
  const recovery = { verdict: "not-recovered" as const, at: world.time.now, checks: [] };
  await world.store.saveIncident({ ...incident, stage: "verifying", plan, gate: null, recovery });
  expect(await world.store.verify()).toMatchObject({ ok: true });
  return world;
}

describe("the audit of what the gate decides by", () => {
  it.each([
    [
      "a plan was edited",
      "update plans set body = replace(body, 'v1', 'v0') where id = 'id-1'",
      "plan id-1 is not as it was proposed",
    ],
    ["a plan is gone", "delete from plans where id = 'id-1'", "plan id-1 is gone"],
    [
      "an approval was forged",
      "insert into approvals select 'id-3', plan_hash, 'approve', 'alice', '', at, expires_at, wall_expires_at, proof from approvals",
      "the approve of plan id-3 by alice is in no entry",
    ],
    [
      "an approval was prolonged",
      "update approvals set expires_at = expires_at + 99",
      "by alice was changed or is gone",
    ],
    ["a rejection was made an approval", "update approvals set answer = 'reject'", "was changed or is gone"],
    [
      "a unit was taken out of the budget",
      "delete from intents",
      "the reservation of target 0 of plan id-1 was changed or is gone",
    ],
    ["a unit was moved into the past", "update intents set reserved_at = 1", "was changed or is gone"],
    ["a unit was given back", "update intents set released = 1", "the result of target 0 of plan id-1 was changed"],
    ["an act was moved into the past", "update intents set finished_at = 1", "the result of target 0 of plan id-1"],
    ["a result was embellished", "update intents set result = replace(result, 'done', 'stale')", "was changed"],
    ["a try was rolled back", "update intents set attempts = 0", "the result of target 0 of plan id-1 was changed"],
    ["a result is gone", "update intents set result = null", "the result of target 0 of plan id-1"],
    ["a permit is gone, so that the plan may run again", "delete from permits", "the permit of plan id-1 is gone"],
    ["a permit is unspent again", "update permits set redeemed_at = null", "the permit of plan id-1 was changed"],
    ["a permit was prolonged", "update permits set expires_at = expires_at + 9", "the permit of plan id-1 was changed"],
    ["a pause is gone", "delete from pauses", "the pause of checkout is gone"],
    ["a pause was invented", "insert into pauses values ('web', 'zoe', 1)", "the pause of web is in no entry"],
    ["a recovery is gone", "delete from recoveries", "the recovery of plan id-1 is gone"],
    [
      "a recovery was embellished",
      "update recoveries set verdict = 'recovered'",
      "the recovery of plan id-1 was changed",
    ],
    ["a healthy change is gone", "delete from healthy_changes", "the healthy change of checkout is gone"],
    [
      "a healthy change was invented",
      "insert into healthy_changes values ('web', 1)",
      "the healthy change of web is in no entry",
    ],
    ["an open incident was hidden", "update incidents set open = 0", "incident inc-20260302-141100-checkout is not as"],
    ["an incident is gone", "delete from incidents", "incident inc-20260302-141100-checkout is gone"],
    [
      "an incident was invented",
      "insert into incidents select 'inc-9', open, detected_at, entry_seq, body from incidents",
      "incident inc-9 was never saved",
    ],
    ["an incident was made older", "update incidents set detected_at = 1", "is not as it was saved (detected_at)"],
    ["an incident was made older news", "update incidents set entry_seq = 1", "is not as it was saved (entry_seq)"],
    ["a unit was counted for another service", "update intents set service = 'web'", "or is gone (service)"],
    ["a unit was counted as neither used nor given back", "update intents set released = 2", "was changed (released)"],
    ["a unit was said to be of another target", "update intents set target_key = 'x'", "or is gone (target_key)"],
    ["a unit was given to another process", "update intents set owner = 'x'", "or is gone (owner)"],
    ["a plan was put into another incident", "update plans set incident_id = 'x' where id = 'id-1'", "(incident_id)"],
    [
      "an approval was prolonged by the machine's clock",
      "update approvals set wall_expires_at = wall_expires_at + 99",
      "was changed or is gone (wall_expires_at)",
    ],
    ["an answer was given another reason", "update approvals set reason = 'x'", "by alice is in no entry"],
    ["an answer was moved into the past", "update approvals set at = 1", "was changed or is gone"],
    ["a table holds what nobody can read", "update incidents set detected_at = 9223372036854775807", "cannot be read"],
    [
      "a name that imitates a line",
      "update pauses set scope = 'x' || char(10) || 'The chain holds'",
      "the pause of x\\nThe chain holds is in no entry",
    ],
    ["an approval was given another's proof", "update approvals set proof = 'x'", "was changed or is gone (proof)"],
    ["the guard of the entries is gone", "drop trigger entries_never_go", "the trigger entries_never_go is gone"],
    [
      "two plans may work on one target",
      "drop index intents_one_open_a_target",
      "the index intents_one_open_a_target is gone",
    ],
    [
      "a guard was weakened",
      "drop index intents_one_open_a_target; create index intents_one_open_a_target on intents (target_key) where finished_at is null",
      "the index intents_one_open_a_target was changed",
    ],
    [
      "a trigger gives each unit back",
      "create trigger free after insert on intents begin update intents set released = 1; end",
      "the trigger free is not one that unship makes",
    ],
    [
      "an entry stands before the first",
      "insert into entries select -1, at, kind, incident_id, plan_id, actor, body, prev, hash from entries where seq = 1",
      "was added: entries are numbered from 1",
    ],
    [
      "an entry 0 stands before the first",
      "insert into entries values (0, 0, 'note', null, null, 'x', '{}', 'garbage', 'garbage')",
      "was added: entries are numbered from 1",
    ],
    ["a plan's hash was edited", "update plans set hash = 'x' where id = 'id-1'", "is not as it was proposed (hash)"],
    ["a unit was called approved", "update intents set automatic = 1 - automatic", "was changed or is gone"],
  ])("names it: %s", async (_, sql, says) => {
    await using world = await lived();
    const database = new DatabaseSync(join(world.folder, "ledger.db"));
    database.exec(sql);
    database.close();
    const { ok, problems } = await world.store.verify();
    expect(ok).toBe(false);
    expect(problems.map(({ reason }) => reason).join("; ")).toContain(says);
  });

  it("names an entry of the gate's kind that the gate never wrote", async () => {
    await using world = await lived();
    const forged = { kind: "plan.reserved", incidentId: null, planId: "id-9", actor: "mallory", body: {} };
    const { seq } = await world.store.append(forged);
    const { problems } = await world.store.verify();
    expect(problems).toContainEqual({ seq, reason: "its body is not one that the gate writes" });
  });
});
