import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { GateStore } from "../../../core/guardrails/gate-store.ts";
import type { Target } from "../../../core/model/plan.ts";
import type { Executor, Gate, Ledger } from "../../../core/ports.ts";
import { openPostgresLedger } from "../../../knowledge/ledger/postgres.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { createGate } from "../../../mcp-tools/gate/gate.ts";
import { assessNaming, policyOf } from "../../core/guardrails/rule-inputs.ts";
import { FakeTargets } from "../../fakes/fake-executor.ts";

/** What a gate in a process of its own is to do. Passed as one JSON argument. */
export interface Task {
  readonly folder: string;
  /** A PostgreSQL ledger; absent: SQLite in the folder. */
  readonly url?: string;
  /** What its own fresh decision names, for whatever services are asked. */
  readonly fresh: readonly Target[];
  readonly submit: readonly string[];
  readonly recover?: boolean;
  readonly maxRollbacksPerHour?: number | null;
  readonly maxAutoRollbacksPerDay?: number | null;
  /** How long each act takes, so that processes meet. */
  readonly actMs?: number;
  /** Dies by SIGKILL at this step, counted over ledger writes and executor calls. */
  readonly dieAt?: { readonly step: number; readonly phase: Phase };
}

/** `inside`: after the work of a transaction, before it is committed. */
export type Phase = "before" | "inside" | "after";

/** A gate over the files in a folder, on the real clock, as any process would make it. */
export async function openGate(
  task: Task,
  steps: Steps = { at: async () => {} },
): Promise<{ readonly gate: Gate; readonly store: Ledger & GateStore; readonly targets: FakeTargets }> {
  const store =
    task.url === undefined
      ? await openSqliteLedger(join(task.folder, "ledger.db"))
      : await openPostgresLedger(task.url);
  const targets = new FakeTargets(join(task.folder, "targets.db"));
  const policy = policyOf();
  const hourly = task.maxRollbacksPerHour === undefined ? 3 : task.maxRollbacksPerHour;
  const daily = task.maxAutoRollbacksPerDay === undefined ? 5 : task.maxAutoRollbacksPerDay;
  const gate = createGate({
    config: {
      ...policy,
      approvers: [],
      allowedActions: policy.allowedActions.map((one) => ({ ...one, maxRollbacksPerHour: hourly })),
      guardrails: { ...policy.guardrails, maxAutoRollbacksPerDay: daily },
    },
    store: steppedStore(store, steps),
    executors: [steppedExecutor(targets.executor("kubectl_rollout_undo"), task.actMs ?? 0, steps)],
    assess: assessNaming(task.fresh),
    clock: { now: () => Date.now() },
    notifier: { notify: async () => ({ delivered: true, detail: "" }) },
    newId: randomUUID,
    limits: { reconcileDelaysMs: [0] },
  });
  return { gate, store, targets };
}

/** Told before, inside and after each step; test harness alone, the product knows nothing of it. */
interface Steps {
  at(phase: Phase, step: number): Promise<void>;
}

let count = 0;

function steppedStore(store: Ledger & GateStore, steps: Steps): Ledger & GateStore {
  return {
    ...store,
    async transact(work) {
      const step = ++count;
      await steps.at("before", step);
      const answer = await store.transact(async (tx) => {
        const done = await work(tx);
        await steps.at("inside", step);
        return done;
      });
      await steps.at("after", step);
      return answer;
    },
  };
}

function steppedExecutor(executor: Executor, actMs: number, steps: Steps): Executor {
  return {
    ...executor,
    async execute(target, key, abort) {
      const step = ++count;
      await steps.at("before", step);
      if (actMs > 0) await delay(actMs);
      const answer = await executor.execute(target, key, abort);
      await steps.at("after", step);
      return answer;
    },
  };
}

async function main(task: Task): Promise<void> {
  const { gate, store, targets } = await openGate(task, {
    async at(phase, step) {
      if (task.dieAt?.step === step && task.dieAt.phase === phase) process.kill(process.pid, "SIGKILL");
    },
  });
  process.stdout.write("ready\n");
  for await (const _ of process.stdin) break;
  const answers = task.recover === true ? [...(await gate.recover())] : [];
  for (const planId of task.submit) answers.push(await gate.submit(planId));
  process.stdout.write(`${JSON.stringify({ answers, steps: count })}\n`);
  await store.close();
  targets[Symbol.dispose]();
  process.exit(0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(JSON.parse(process.argv[2] ?? "{}"));
