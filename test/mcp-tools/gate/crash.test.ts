import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { targetOf } from "../../core/guardrails/rule-inputs.ts";
import { openGate, type Phase, type Task } from "./gate-process.ts";
import { runGate } from "./run-gate.ts";

const TARGETS = [targetOf({ name: "web" }), targetOf({ name: "checkout" })];
/** What `submit` of a plan of two targets does: reserve, redeem, and for each target attempt, act, result. */
const STEPS = ["reserve", "redeem", "attempt 1", "act 1", "result 1", "attempt 2", "act 2", "result 2"] as const;

const points = STEPS.flatMap((name, index) =>
  (["before", "inside", "after"] as const)
    .filter((phase) => phase !== "inside" || !name.startsWith("act"))
    .map((phase): readonly [string, number, Phase] => [`${phase} ${name}`, index + 1, phase]),
);

async function withPlan(run: (task: Task, planId: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "unship-crash-"));
  try {
    const task: Task = { folder, fresh: TARGETS, submit: [] };
    const { gate, store, targets } = await openGate(task);
    for (const target of TARGETS) targets.place(target);
    const draft = { incidentId: "incident-1", targets: TARGETS, reason: "errors rose", proposedBy: "watch" };
    const { plan } = await gate.propose(draft);
    await store.close();
    targets[Symbol.dispose]();
    await run(task, plan.id);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A restart: recovery first, then the watch goes on with its plan. Everything must have ended as without a crash. */
async function restartAndCheck(task: Task, planId: string): Promise<void> {
  const { gate, store, targets } = await openGate(task);
  try {
    await gate.recover();
    const answer = await gate.submit(planId);
    expect(answer).toMatchObject({ outcome: "executed", results: [{ result: "done" }, { result: "done" }] });
    expect(targets.writes().map(({ key }) => key)).toEqual([`${planId}:0`, `${planId}:1`]);
    expect(TARGETS.map((target) => targets.stateOf(target).version)).toEqual(["v1", "v1"]);
    const intents = await store.transact((tx) => tx.intents({}));
    expect(intents.map(({ result, released }) => [result?.result, released])).toEqual([
      ["done", false],
      ["done", false],
    ]);
    expect(await gate.recover()).toEqual([]);
    expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
    const entries = await store.entries();
    expect(entries.filter(({ kind }) => kind === "permit.redeemed")).toHaveLength(1);
    expect(entries.filter(({ kind }) => kind === "plan.reserved")).toHaveLength(1);
  } finally {
    await store.close();
    targets[Symbol.dispose]();
  }
}

describe("S5: a gate that is killed", () => {
  it("takes the steps that are listed here", async () => {
    await withPlan(async (task, planId) => {
      expect(await runGate({ ...task, submit: [planId] })).toMatchObject({ steps: STEPS.length, signal: null });
      await restartAndCheck(task, planId);
    });
  });

  it.each(points)("%s repeats nothing and loses nothing", async (_, step, phase) => {
    await withPlan(async (task, planId) => {
      const end = await runGate({ ...task, submit: [planId], dieAt: { step, phase } });
      expect(end).toMatchObject({ answers: null, signal: "SIGKILL" });
      await restartAndCheck(task, planId);
    });
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])("twice, the second time at step %i of its recovery", async (step) => {
    await withPlan(async (task, planId) => {
      await runGate({ ...task, submit: [planId], dieAt: { step: 4, phase: "after" } });
      for (const phase of ["before", "after"] as const) {
        await runGate({ ...task, recover: true, dieAt: { step, phase } });
      }
      await restartAndCheck(task, planId);
    });
  });

  it("leaves alone what a living process works on", async () => {
    await withPlan(async (task, planId) => {
      const { gate, store, targets } = await openGate({ ...task, actMs: 300 });
      const submitted = gate.submit(planId);
      await until(async () => (await store.transact((tx) => tx.intents({ open: true }))).length > 0);
      expect(await runGate({ ...task, recover: true })).toMatchObject({ answers: [], signal: null });
      expect(await gate.recover()).toEqual([]);
      expect(await submitted).toMatchObject({ outcome: "executed" });
      expect(targets.writes()).toHaveLength(2);
      await store.close();
      targets[Symbol.dispose]();
    });
  });

  it("is not taken up again where the rules no longer allow it: paused meanwhile", async () => {
    await withPlan(async (task, planId) => {
      await runGate({ ...task, submit: [planId], dieAt: { step: 4, phase: "after" } });
      const { gate, store, targets } = await openGate(task);
      await gate.pause("*", "cli:zoe");
      const [answer] = await gate.recover();
      expect(answer).toMatchObject({ outcome: "stopped", results: [{ result: "done" }, { result: "refused" }] });
      expect(answer?.results[1]?.detail).toContain("paused by cli:zoe");
      expect(targets.writes()).toHaveLength(1);
      await store.close();
      targets[Symbol.dispose]();
    });
  });

  it("is not taken up again where its fresh decision names something else by now", async () => {
    await withPlan(async (task, planId) => {
      await runGate({ ...task, submit: [planId], dieAt: { step: 2, phase: "after" } });
      const { gate, store, targets } = await openGate({ ...task, fresh: [] });
      const [answer] = await gate.recover();
      expect(answer).toMatchObject({ outcome: "stopped", executedAt: null });
      expect(answer?.results.every(({ result }) => result === "refused")).toBe(true);
      expect(targets.calls()).toEqual([]);
      expect((await store.transact((tx) => tx.intents({}))).every(({ released }) => released)).toBe(true);
      await store.close();
      targets[Symbol.dispose]();
    });
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  const patience = AbortSignal.timeout(10_000);
  while (!(await holds())) patience.throwIfAborted();
}
