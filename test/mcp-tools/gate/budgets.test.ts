import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Intent } from "../../../core/guardrails/gate-store.ts";
import type { GatePolicy } from "../../../core/guardrails/rule.ts";
import type { Target, TargetResult } from "../../../core/model/plan.ts";
import type { Executor } from "../../../core/ports.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { createGate } from "../../../mcp-tools/gate/gate.ts";
import { assessmentOf, DAY, HOUR, MINUTE, NOW, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, APPROVERS, openWorld } from "./gate-world.ts";

const SERVICES = ["cart", "checkout", "mail", "search"] as const;

const rarely = fc.nat(9).map((n) => n === 0);

/** What may happen, one after the other: plans of any size, approved or not, time in any step, and back. */
const anyEvent = fc.record({
  services: fc.uniqueArray(fc.constantFrom(...SERVICES), { minLength: 1, maxLength: 3 }),
  approved: rarely,
  fails: rarely,
  laterMs: fc.oneof(
    { arbitrary: fc.nat(4 * MINUTE), weight: 6 },
    { arbitrary: fc.nat(40 * MINUTE), weight: 10 },
    { arbitrary: fc.nat(9 * HOUR), weight: 6 },
    { arbitrary: fc.constant(-2 * HOUR), weight: 1 },
  ),
});

/** Budgets of all kinds, none at all among them, so that each rule is the only one that holds at times. */
const anyLimits: fc.Arbitrary<Limits> = fc.record({
  hourly: fc.constantFrom(1, 3, null, null),
  daily: fc.constantFrom(2, 5, null, null),
  cooldownMs: fc.constantFrom(0, 10 * MINUTE, HOUR),
  cooldownScope: fc.constantFrom("service", "global"),
  after: fc.constantFrom(1, 2, null, null),
});
interface Limits {
  readonly hourly: number | null;
  readonly daily: number | null;
  readonly cooldownMs: number;
  readonly cooldownScope: "service" | "global";
  readonly after: number | null;
}

function policyWith({ hourly, daily, cooldownMs, cooldownScope, after }: Limits): GatePolicy {
  const policy = policyOf();
  return {
    ...policy,
    allowedActions: policy.allowedActions.map((one) => ({ ...one, maxRollbacksPerHour: hourly })),
    guardrails: {
      ...policy.guardrails,
      maxAutoRollbacksPerDay: daily,
      cooldownMs,
      cooldownScope,
      escalateToHumanAfter: after,
    },
  };
}

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
    inspect: async ({ expected }) => ({
      ...expected,
      obstacles: [],
      warnings: [],
      capacity: { replicas: 3, less: [] },
    }),
    dryRun: answer,
    execute: answer,
    reconcile: answer,
  };
}

function inWindow(intents: readonly Intent[], at: number, windowMs: number): readonly Intent[] {
  return intents.filter(({ reservedAt }) => reservedAt > at - windowMs && reservedAt <= at);
}

describe("budgets", () => {
  it("S2: a unit of a target that was certainly not written goes back", async () => {
    const limits = { hourly: 1, daily: 1, cooldownMs: HOUR, cooldownScope: "global", after: null } as const;
    await using world = await openWorld({ config: policyWith(limits) });
    const cart = targetOf({ name: "cart" });
    world.targets.place(cart);
    world.targets.mark(targetOf(), { behaviour: "refuse" });
    const outcomes: string[] = [];
    for (const target of [targetOf(), cart, targetOf()]) {
      world.assessment = assessmentOf({ targets: [target] });
      const { plan } = await world.gate.propose(world.draft({ targets: [target] }));
      outcomes.push((await world.gate.submit(plan.id)).outcome);
    }
    expect(outcomes).toEqual(["stopped", "executed", "held"]);
  });

  it("S2: hold over any sequence of plans, approvals and clock jumps", async () => {
    let automaticPlans = 0;
    await fc.assert(
      fc.asyncProperty(anyLimits, fc.array(anyEvent, { minLength: 5, maxLength: 25 }), async (limits, events) => {
        let now = NOW;
        let fails = false;
        let ids = 0;
        let targets: Target[] = [];
        const clock = { now: () => now };
        const store = await openSqliteLedger(":memory:", { clock });
        const config = { ...policyWith(limits), approvers: APPROVERS };
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
        for (const intent of intents.filter(({ automatic }) => automatic)) check(intent, intents, limits);
        expect(await store.verify()).toMatchObject({ ok: true });
        await store.close();
      }),
      { numRuns: 40 },
    );
    expect(automaticPlans).toBeGreaterThan(40);
  });
});

/** What must hold at the moment at which an automatic intent was reserved. */
function check(intent: Intent, all: readonly Intent[], limits: Limits): void {
  const unlimited = Number.POSITIVE_INFINITY;
  const at = intent.reservedAt;
  const used = all.filter((one) => one.reservedAt <= at && !one.released);
  expect(inWindow(used, at, HOUR).length).toBeLessThanOrEqual(
    (limits.hourly ?? unlimited) + approvedAtOnce(intent, used),
  );
  const automatic = used.filter((one) => one.automatic);
  expect(inWindow(automatic, at, DAY).length).toBeLessThanOrEqual(limits.daily ?? unlimited);
  const before = used.filter(({ planId, reservedAt }) => planId !== intent.planId && reservedAt < at);
  const sameService = before.filter(({ target }) => target.service === intent.target.service);
  for (const one of limits.cooldownScope === "global" ? before : sameService) {
    expect(one.reservedAt).toBeLessThanOrEqual(at - limits.cooldownMs);
  }
  const streak = sameService.filter((one) => one.automatic);
  expect(new Set(streak.map(({ planId }) => planId)).size).toBeLessThan(limits.after ?? unlimited);
  expect(streak.filter(({ result }) => result?.result === "failed")).toEqual([]);
}

/** Approved units at the very same moment may have come after: they are a person's, not the budget's. */
function approvedAtOnce({ reservedAt }: Intent, used: readonly Intent[]): number {
  return used.filter((one) => one.reservedAt === reservedAt && !one.automatic).length;
}
