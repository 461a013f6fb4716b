import { describe, expect, it } from "vitest";
import { WROTE_NOTHING } from "../../../core/guardrails/gate-store.ts";
import { TargetResult } from "../../../core/model/plan.ts";
import type { Executor } from "../../../core/ports.ts";
import { migrationRollback } from "../../../mcp-tools/connectors/migrations/rollback.ts";
import { assessmentOf, policyOf, serviceOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { fakeMigrationTool } from "../../fakes/fake-migration-tool.ts";
import { ALICE_TOKEN, openWorld } from "./gate-world.ts";

const target = targetOf();
const STANDS = {
  "as before": target.expected,
  "at the version to restore": { version: target.restore.version, revision: "9" },
  elsewhere: { version: "3.0", revision: "9" },
} as const;
type Answer = TargetResult["result"];

/** What the gate says of a try whose answer was lost, where its target says this of it and stands there. */
async function told(answer: Answer, where: keyof typeof STANDS) {
  await using world = await openWorld();
  const executor: Executor = {
    ...world.targets.executor("kubectl_rollout_undo"),
    execute: () => Promise.reject(new Error("cut off")),
    reconcile: async (of) => ({ target: of, result: answer, detail: "the target's own word", at: 0, warnings: [] }),
  };
  const { plan } = await world.gate.propose(world.draft());
  const place = async (of: typeof target) => world.targets.place(of, STANDS[where]);
  const gate = world.newGate({
    executors: [{ ...executor, execute: async (of) => place(of).then(() => Promise.reject(new Error("cut off"))) }],
  });
  const { outcome, results } = await gate.submit(plan.id);
  const finished = await world.store.entries({ kinds: ["target.finished"] });
  const released = finished.map(({ body }) => (body as { readonly released: boolean }).released);
  return { outcome, result: results[0]?.result, detail: results[0]?.detail, released, notices: world.notices.length };
}

describe("S6: what came of a try whose answer was lost", () => {
  it.each<[Answer, keyof typeof STANDS, Answer]>([
    ["done", "as before", "done"],
    ["done", "at the version to restore", "done"],
    ["done", "elsewhere", "done"],
    ["failed", "as before", "failed"],
    ["failed", "at the version to restore", "failed"],
    ["failed", "elsewhere", "failed"],
    ["unknown", "as before", "unknown"],
    ["unknown", "at the version to restore", "unknown"],
    ["unreachable", "at the version to restore", "unknown"],
    ["nothing-to-do", "as before", "failed"],
    ["nothing-to-do", "at the version to restore", "nothing-to-do"],
    ["nothing-to-do", "elsewhere", "stale"],
    ["stale", "at the version to restore", "nothing-to-do"],
    ["stale", "elsewhere", "stale"],
    ["refused", "elsewhere", "stale"],
  ])("is, where the target answers %s and stands %s: %s", async (answer, where, expected) => {
    expect((await told(answer, where)).result).toBe(expected);
  });

  // Quantified over every answer: only one that claims that nothing was written gives the unit back.
  it.each(TargetResult.shape.result.options.filter((one) => !WROTE_NOTHING.includes(one) || one === "unreachable"))(
    "%s of the target gives no unit back and is never nothing to do, wherever it stands",
    async (answer) => {
      for (const where of Object.keys(STANDS) as (keyof typeof STANDS)[]) {
        const { result, released } = await told(answer, where);
        expect([result, released]).not.toContain("nothing-to-do");
        expect(released, `${answer}, ${where}`).toEqual([false]);
      }
    },
  );

  it("people are told of one that ran and ended badly, with its own word and where it stands", async () => {
    const { outcome, detail, notices } = await told("failed", "at the version to restore");
    expect(outcome).toBe("stopped");
    expect(detail).toMatch(/the target's own word; Deployment production\/checkout is at .*: check what was done/);
    expect(notices).toBe(1);
  });
});

/** A gate whose executor first gets no answer for an act that lands a moment later. */
it("S6: a lost first try that landed late is not called nothing to do by the second one", async () => {
  await using world = await openWorld();
  const real = world.targets.executor("kubectl_rollout_undo");
  let tries = 0;
  let landed = false;
  const executor: Executor = {
    ...real,
    execute: async (of, key, abort) => {
      tries += 1;
      if (tries === 1) throw new Error("cut off");
      // The held write of the first try arrives before the second one is judged.
      await real.execute(of, key, abort);
      landed = true;
      return { target: of, result: "nothing-to-do", detail: "it is there already", at: 0, warnings: [] };
    },
  };
  const { plan } = await world.gate.propose(world.draft());
  const answer = await world.newGate({ executors: [executor] }).submit(plan.id);
  expect(landed).toBe(true);
  expect(answer).toMatchObject({ outcome: "executed", results: [{ result: "done" }] });
});

describe("S6, S3: a migration's rollback that ran and ended badly while its schema did not answer", () => {
  const schema = targetOf({
    action: "database_migration_rollback",
    name: "orders-db",
    service: "orders",
    object: { kind: "Migration", namespace: "production", name: "orders-db" },
    expected: { version: "b2", revision: "" },
    restore: { version: "a1", revision: "" },
  });

  it("is told as failed, costs its unit, and people hear of it", async () => {
    using tool = fakeMigrationTool("b2");
    tool.behave("fails-after");
    tool.silentOnce();
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
    const allowedActions = policyOf().allowedActions.map((one) => ({ ...one, requireApproval: false }));
    const config = { allowedActions, services: { orders: serviceOf({ namespace: "production" }) } };
    await using world = await openWorld({ config, parts: { executors: [executor] } });
    world.assessment = assessmentOf({ targets: [schema] });
    const { plan } = await world.gate.propose(world.draft({ targets: [schema] }));
    await world.gate.approve(plan.id, ALICE_TOKEN);
    const answer = await world.gate.submit(plan.id);
    expect(tool.at()).toBe("a1");
    expect(answer).toMatchObject({ outcome: "stopped", results: [{ result: "failed" }] });
    expect(answer.results[0]?.detail).toMatch(/it is at a1, as wanted, but it ended with code 7/);
    const [finished] = await world.store.entries({ kinds: ["target.finished"] });
    expect(finished?.body).toMatchObject({ released: false });
    expect(world.notices.at(-1)?.lines.join()).toContain("it ended with code 7");
  });
});
