import { describe, expect, it } from "vitest";
import { UnshipError } from "../../../core/errors.ts";
import type { Executor } from "../../../core/ports.ts";
import { migrationRollback } from "../../../mcp-tools/connectors/migrations/rollback.ts";
import { assessmentOf, policyOf, serviceOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { fakeMigrationTool } from "../../fakes/fake-migration-tool.ts";
import { ALICE_TOKEN, openWorld } from "./gate-world.ts";

const TARGET = targetOf({
  action: "database_migration_rollback",
  name: "orders-db",
  service: "orders",
  object: { kind: "Migration", namespace: "production", name: "orders-db" },
  expected: { version: "b2", revision: "" },
  restore: { version: "a1", revision: "" },
});

/** A gate whose own decision names the migration, and a real program that takes it back. */
async function setting(wrap: (executor: Executor) => Executor = (executor) => executor) {
  const tool = fakeMigrationTool("b2");
  const executor = migrationRollback({
    databases: [
      {
        name: "orders-db",
        service: "orders",
        namespace: "production",
        status: tool.status,
        rollback: tool.rollback,
        directory: null,
        environment: {},
        timeoutMs: 10_000,
        everyMs: 1000,
      },
    ],
    now: () => 0,
  });
  const policy = policyOf();
  const world = await openWorld({
    config: {
      allowedActions: policy.allowedActions.map((one) => ({ ...one, requireApproval: false })),
      services: { orders: serviceOf({ namespace: "production" }) },
    },
    parts: { executors: [wrap(executor)] },
  });
  world.assessment = assessmentOf({ targets: [TARGET] });
  const { plan, review } = await world.gate.propose(world.draft({ targets: [TARGET] }));
  return {
    tool,
    world,
    plan,
    review,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      tool[Symbol.dispose]();
    },
  };
}

describe("S3: a migration", () => {
  it("is held even where its own decision names it and nothing else speaks against it, and runs once after a yes", async () => {
    await using s = await setting();
    expect(s.review.verdict).toBe("require_approval");
    expect(s.review.rules.map(({ rule }) => rule)).toContain("migration");
    expect(await s.world.gate.submit(s.plan.id)).toMatchObject({ outcome: "held" });
    expect(s.tool.calls()).toEqual([]);
    await s.world.gate.approve(s.plan.id, ALICE_TOKEN);
    expect(await s.world.gate.submit(s.plan.id)).toMatchObject({ outcome: "executed", results: [{ result: "done" }] });
    expect(await s.world.gate.submit(s.plan.id)).toMatchObject({ outcome: "executed" });
    expect(s.tool.calls()).toEqual([["a1"]]);
    expect(s.tool.at()).toBe("a1");
  });

  it("S5: whose end is not known is never run again; it stays open until the schema says that it is done", async () => {
    let lost = true;
    await using s = await setting((executor) => ({
      ...executor,
      execute: async (target, key, abort) => {
        if (!lost) return executor.execute(target, key, abort);
        lost = false;
        throw new UnshipError("source.unavailable", { source: "migrations" });
      },
    }));
    await s.world.gate.approve(s.plan.id, ALICE_TOKEN);
    const answer = await s.world.gate.submit(s.plan.id);
    expect(answer).toMatchObject({ outcome: "stopped", results: [{ result: "unknown" }] });
    expect(answer.results[0]?.detail).toMatch(/it is not run again; by hand: 1\) stop what writes to it/);
    const restarted = () => s.world.newGate({ owner: { id: `later-${Math.random()}`, gone: () => true } });
    expect(await restarted().recover()).toMatchObject([{ results: [{ result: "unknown" }] }]);
    expect(s.tool.calls(), "nobody ran it a second time").toEqual([]);
    s.tool.set("a1");
    expect(await restarted().recover()).toMatchObject([{ outcome: "executed", results: [{ result: "done" }] }]);
  });
});
