import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Intent } from "../../../core/guardrails/gate-store.ts";
import type { Target, TargetResult } from "../../../core/model/plan.ts";
import type { Executor } from "../../../core/ports.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { createGate } from "../../../mcp-tools/gate/gate.ts";
import { assessmentOf, DAY, HOUR, MINUTE, NOW, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, APPROVERS } from "./gate-world.ts";

const SERVICES = ["cart", "checkout", "mail", "search"] as const;

/** What may happen, one after the other: plans of any size, approved or not, time in any step, and back. */
const anyEvent = fc.record({
  services: fc.uniqueArray(fc.constantFrom(...SERVICES), { minLength: 1, maxLength: 4 }),
  approved: fc.boolean(),
  fails: fc.constantFrom(false, false, false, true),
  laterMs: fc.oneof(fc.nat(4 * MINUTE), fc.nat(40 * MINUTE), fc.nat(9 * HOUR), fc.constant(-2 * HOUR)),
});

/** An executor whose targets always stand where the plan expects them: budgets alone decide. */
function endless(fails: () => boolean): Executor {
  const answer = async (target: Target): Promise<TargetResult> => ({
    target,
    result: fails() ? "failed" : "done",
    detail: "",
    at: 0,
    warnings: [],
  });
  return {
    action: "kubectl_rollout_undo",
    inspect: async ({ expected }) => ({ ...expected, obstacles: [], warnings: [] }),
    dryRun: answer,
    execute: answer,
    reconcile: answer,
  };
}

function inWindow(intents: readonly Intent[], at: number, windowMs: number): readonly Intent[] {
  return intents.filter(({ reservedAt }) => reservedAt > at - windowMs && reservedAt <= at);
}

describe("budgets", () => {
  it("S2: hold over any sequence of plans, approvals and clock jumps", async () => {
    let automaticPlans = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { minLength: 5, maxLength: 25 }), async (events) => {
        let now = NOW;
        let fails = false;
        let ids = 0;
        let targets: Target[] = [];
        const clock = { now: () => now };
        const store = await openSqliteLedger(":memory:", { clock });
        const config = { ...policyOf(), approvers: APPROVERS };
        const gate = createGate({
          config,
          store,
          executors: [endless(() => fails)],
          assess: async (_, at) => assessmentOf({ targets, at }),
          clock,
          notifier: { notify: async () => ({ delivered: true, detail: "" }) },
          newId: () => `id-${++ids}`,
        });
        for (const event of events) {
          now += event.laterMs;
          fails = event.fails;
          const version = `v${++ids}`;
          targets = event.services.map((name) => targetOf({ name, expected: { version, revision: String(ids) } }));
          const draft = { incidentId: "i", targets, reason: "", proposedBy: "watch" };
          const { plan } = await gate.propose(draft);
          if (event.approved) await gate.approve(plan.id, ALICE_TOKEN);
          await gate.submit(plan.id);
        }
        const intents = await store.transact((tx) => tx.intents({}));
        automaticPlans += new Set(intents.filter(({ automatic }) => automatic).map(({ planId }) => planId)).size;
        for (const intent of intents.filter(({ automatic }) => automatic)) check(intent, intents);
        expect(await store.verify()).toMatchObject({ ok: true });
        await store.close();
      }),
      { numRuns: 25 },
    );
    expect(automaticPlans).toBeGreaterThan(25);
  });
});

/** What must hold at the moment at which an automatic intent was reserved. */
function check(intent: Intent, all: readonly Intent[]): void {
  const { maxAutoRollbacksPerDay, cooldownMs, escalateToHumanAfter } = policyOf().guardrails;
  const hourly = policyOf().allowedActions[0]?.maxRollbacksPerHour ?? 0;
  const at = intent.reservedAt;
  const known = all.filter((one) => one.reservedAt <= at);
  const used = known.filter(({ released }) => !released);
  expect(inWindow(used, at, HOUR).length).toBeLessThanOrEqual(hourly + approvedAtOnce(intent, used));
  const automatic = used.filter((one) => one.automatic);
  expect(inWindow(automatic, at, DAY).length).toBeLessThanOrEqual(maxAutoRollbacksPerDay ?? 0);
  const before = used.filter(({ planId }) => planId !== intent.planId);
  const sameService = before.filter(({ target }) => target.service === intent.target.service);
  for (const one of sameService.filter(({ reservedAt }) => reservedAt < at)) {
    expect(one.reservedAt).toBeLessThanOrEqual(at - cooldownMs);
  }
  const streak = new Set(sameService.filter((one) => one.automatic).map(({ planId }) => planId));
  expect(streak.size).toBeLessThan(escalateToHumanAfter ?? 0);
}

/** Approved units at the very same moment may have come after: they are a person's, not the budget's. */
function approvedAtOnce({ reservedAt }: Intent, used: readonly Intent[]): number {
  return used.filter((one) => one.reservedAt === reservedAt && !one.automatic).length;
}
