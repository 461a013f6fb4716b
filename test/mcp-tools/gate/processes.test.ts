import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GateAnswer } from "../../../core/model/plan.ts";
import { targetOf } from "../../core/guardrails/rule-inputs.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../real/postgres.ts";
import { openGate, type Task } from "./gate-process.ts";
import { type Ended, startGate } from "./run-gate.ts";

const SERVICES = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"];

interface Outcome {
  readonly ends: readonly Ended[];
  readonly answers: readonly GateAnswer[];
  readonly writes: readonly { readonly object: string; readonly key: string; readonly pid: number }[];
  readonly ok: boolean;
  readonly open: number;
}

/** Two plans for each service are proposed; then all processes submit all of them at once, each in its own order. */
async function hammer(
  processes: number,
  change: Partial<Task>,
  services: readonly string[] = SERVICES,
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "unship-processes-"));
  const fresh = services.map((name) => targetOf({ name }));
  const task: Task = { folder, fresh, submit: [], actMs: 5, ...change };
  const { gate, store, targets } = await openGate(task);
  try {
    const plans: string[] = [];
    for (const target of [...fresh, ...fresh]) {
      targets.place(target);
      const draft = { incidentId: `incident-${target.service}`, targets: [target], reason: "r", proposedBy: "watch" };
      plans.push((await gate.propose(draft)).plan.id);
    }
    const orders = Array.from({ length: processes }, (_, n) =>
      rotated(n % 2 === 0 ? plans : plans.toReversed(), n * 3),
    );
    const started = await Promise.all(orders.map((submit) => startGate({ ...task, submit })));
    const ends = await Promise.all(started.map((one) => one.go()));
    return {
      ends,
      answers: ends.flatMap(({ answers }) => answers ?? []),
      writes: targets.writes(),
      ok: (await store.verify()).ok,
      open: (await store.transact((tx) => tx.intents({ open: true }))).length,
    };
  } finally {
    await store.close();
    targets[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  }
}

const rotated = <T>(list: readonly T[], by: number): T[] => [...list.slice(by), ...list.slice(0, by)];

async function expectExactly(processes: number, task: Partial<Task>, allowed: number): Promise<void> {
  const { ends, answers, writes, ok, open } = await hammer(processes, task);
  expect(ends.map(({ signal }) => signal)).toEqual(Array(processes).fill(null));
  expect(writes).toHaveLength(allowed);
  expect(new Set(writes.map(({ object }) => object)).size).toBe(allowed);
  const executed = new Set(answers.filter(({ outcome }) => outcome === "executed").map(({ planId }) => planId));
  expect(executed.size).toBe(allowed);
  expect(answers).toHaveLength(processes * SERVICES.length * 2);
  expect({ ok, open }).toEqual({ ok: true, open: 0 });
}

function suite(where: () => Promise<Pick<Task, "url">>): void {
  it("S2: eight that hammer one budget execute exactly as many plans as it allows", async () => {
    await expectExactly(8, { ...(await where()), maxRollbacksPerHour: 3, maxAutoRollbacksPerDay: 5 }, 3);
  });

  it("S2: act on one target once, whatever number of plans and processes want it", async () => {
    const unlimited = { maxRollbacksPerHour: null, maxAutoRollbacksPerDay: null, actMs: 40 };
    const { answers, writes, ok } = await hammer(4, { ...(await where()), ...unlimited }, ["alpha"]);
    expect(writes).toHaveLength(1);
    expect(ok).toBe(true);
    const executed = answers.filter(({ outcome }) => outcome === "executed");
    expect(new Set(executed.map(({ planId }) => planId)).size).toBe(1);
  });
}

describe("processes on one SQLite ledger", () => {
  suite(async () => ({}));

  it.each([
    ["five a day", { maxRollbacksPerHour: null, maxAutoRollbacksPerDay: 5 }, 5],
    ["one an hour", { maxRollbacksPerHour: 1, maxAutoRollbacksPerDay: 5 }, 1],
    ["none", { maxRollbacksPerHour: 0, maxAutoRollbacksPerDay: 5 }, 0],
  ])("S2: four execute exactly as many plans as the budget allows: %s", async (_, budget, allowed) => {
    await expectExactly(4, budget, allowed);
  });
});

describe.skipIf(!hasPostgres())("processes on one PostgreSQL ledger", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  suite(async () => ({ url: await server.freshLedger() }));
});
