import { randomUUID } from "node:crypto";
import type { GateStore } from "../../../../core/guardrails/gate-store.ts";
import type { Incident } from "../../../../core/model/incident.ts";
import type { Plan, Target } from "../../../../core/model/plan.ts";
import type { Executor, Gate, Ledger } from "../../../../core/ports.ts";
import { kubeconfigFor } from "../../../../evals/sandbox/kube/kubeconfig.ts";
import { openPostgresLedger } from "../../../../knowledge/ledger/postgres.ts";
import { openSqliteLedger } from "../../../../knowledge/ledger/sqlite.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { parseKubeconfig } from "../../../../mcp-tools/connectors/kubernetes/kubeconfig.ts";
import { kubectlRolloutUndo } from "../../../../mcp-tools/connectors/kubernetes/undo.ts";
import { connectUnleash } from "../../../../mcp-tools/connectors/unleash/unleash.ts";
import { createGate } from "../../../../mcp-tools/gate/gate.ts";
import { assessNaming, flagOf, policyOf, serviceOf, targetOf } from "../../../core/guardrails/rule-inputs.ts";
import { incidentOf } from "../promises/company.ts";

/** What a process that acts works with: its ledger, the API of its targets, and the plan. One JSON argument. */
export interface Task {
  readonly ledger: { readonly file: string } | { readonly url: string };
  /** Of a Kubernetes API, or of Unleash with unship's token. */
  readonly targets: { readonly kubernetes: string } | { readonly unleash: string; readonly token: string };
  /** What its own fresh decision names. */
  readonly fresh: readonly Target[];
  readonly planId: string;
  /** A process that was started again: what a dead one left is taken up first. */
  readonly again: boolean;
  /** Its clock is so far ahead, ms. */
  readonly aheadMs: number;
  /** Whether each step at the ledger is told, and waits until it may go on. */
  readonly stepped: boolean;
}

export const INCIDENT = "incident-1";

/** Three services in the order in which they go back: who calls goes before who is called. */
export const SERVICES = ["web", "checkout", "cart"] as const;

export const threeTargets = (revisions: { readonly from: string; readonly to: string }): readonly Target[] =>
  SERVICES.map((name) =>
    targetOf({
      name,
      expected: { version: "2.0.0", revision: revisions.from },
      restore: { version: "1.0.0", revision: revisions.to },
    }),
  );

export const flagTarget = (version: string): Target =>
  flagOf({
    object: { kind: "Flag", namespace: "default", name: "new-checkout" },
    environment: "development",
    expected: { version, revision: "on" },
    restore: { version, revision: "off" },
  });

type Store = Ledger & GateStore;

/** A gate with the product's own executors, over a ledger that outlives it. `step` is told of what the ledger is asked. */
export async function openActing(task: Task, step: Step = async (_, work) => work(async () => {})): Promise<Acting> {
  const clock = { now: () => Date.now() + task.aheadMs };
  const opened =
    "url" in task.ledger
      ? await openPostgresLedger(task.ledger.url)
      : await openSqliteLedger(task.ledger.file, { clock });
  const store = stepped(opened, step);
  const { executor, close } = executorOf(task, clock);
  const policy = policyOf({
    services: { checkout: serviceOf({ flags: ["new-checkout"] }) },
    allowedActions: policyOf().allowedActions.map((one) => ({ ...one, environments: null })),
  });
  const gate = createGate({
    config: { ...policy, approvers: [] },
    store,
    executors: [executor],
    assess: assessNaming(task.fresh),
    clock,
    notifier: { notify: async () => ({ delivered: true, detail: "" }) },
    newId: randomUUID,
    limits: { reconcileDelaysMs: [0, 50, 200], arrivalPollMs: 20 },
  });
  return {
    gate,
    store,
    now: clock.now,
    async [Symbol.asyncDispose]() {
      await close();
      await store.close();
    },
  };
}

export interface Acting extends AsyncDisposable {
  readonly gate: Gate;
  readonly store: Store;
  now(): number;
}

/** Does a piece of work at the ledger; `inside` is to be called between what it does and its commit, if it has one. */
export type Step = <T>(name: string, work: (inside: () => Promise<void>) => Promise<T>) => Promise<T>;

function stepped(store: Store, step: Step): Store {
  return {
    ...store,
    transact: (work) =>
      step("transaction", (inside) =>
        store.transact(async (tx) => {
          const done = await work(tx);
          await inside();
          return done;
        }),
      ),
    saveIncident: (incident) => step("incident", () => store.saveIncident(incident)),
  };
}

function executorOf({ targets }: Task, clock: { now(): number }): { executor: Executor; close(): Promise<void> } {
  if ("kubernetes" in targets) {
    const client = kubeClient(parseKubeconfig(kubeconfigFor(new URL(targets.kubernetes)), "kubeconfig", null));
    return { executor: kubectlRolloutUndo({ client, now: clock.now }), close: () => client.close() };
  }
  const unleash = connectUnleash({
    endpoint: new URL(targets.unleash),
    token: targets.token,
    project: "default",
    environment: "development",
    services: [{ service: "checkout", flags: ["new-checkout"] }],
    actor: "unship",
    now: clock.now,
  });
  return { executor: unleash.disable, close: () => unleash.close() };
}

/** A plan for these targets, proposed, with its incident as the watch has it then. The gate must be content with it. */
export async function propose({ gate, store }: Acting, targets: readonly Target[]): Promise<Plan> {
  const draft = { incidentId: INCIDENT, targets, reason: "errors rose", proposedBy: "watch" };
  const { plan, review } = await gate.propose(draft);
  if (review.verdict !== "allow") throw new Error(`the gate is not content: ${JSON.stringify(review.rules)}`);
  await store.saveIncident(decided(plan));
  return plan;
}

/** The incident as the watch has it once its plan is proposed. */
function decided(plan: Plan): Incident {
  return {
    ...incidentOf(plan, "unknown"),
    id: INCIDENT,
    stage: "investigated",
    recovery: null,
    outcome: null,
    closedAt: null,
  };
}
