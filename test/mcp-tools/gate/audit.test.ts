import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { policyOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, openWorld, type World } from "./gate-world.ts";

/** One plan that was approved and executed, and one that waits. */
async function lived(): Promise<World> {
  const world = await openWorld({ config: policyOf({ mode: "approve" }) });
  const { plan } = await world.gate.propose(world.draft());
  await world.gate.approve(plan.id, ALICE_TOKEN);
  expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  await world.gate.propose(world.draft());
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
      "insert into approvals select 'id-3', plan_hash, 'approve', 'alice', '', at, expires_at, wall_expires_at from approvals",
      "the approve of plan id-3 by alice stands in no entry",
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
});
