import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { GateStore } from "../../../../core/guardrails/gate-store.ts";
import type { Target } from "../../../../core/model/plan.ts";
import type { Gate, Ledger } from "../../../../core/ports.ts";
import { openSqliteLedger } from "../../../../knowledge/ledger/sqlite.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { kubectlRolloutUndo } from "../../../../mcp-tools/connectors/kubernetes/undo.ts";
import { createGate } from "../../../../mcp-tools/gate/gate.ts";
import { assessNaming, policyOf } from "../../../core/guardrails/rule-inputs.ts";
import { undoTarget } from "../../connectors/kubernetes/objects.ts";
import { APPROVERS } from "../gate-world.ts";

/** What a gate over a cluster that may hang is made of; passed to other processes as JSON. */
export interface HangingTask {
  readonly folder: string;
  readonly server: string;
}

export const cart: Target = undoTarget();
export const web: Target = undoTarget({
  service: "web",
  changeId: "deploy:shop/web:web-150:3",
  object: { ...undoTarget().object, name: "web" },
});

/** A gate over a ledger's file and the real undo, with limits so short that a target that hangs is given up in a moment. */
export async function openHangingGate({
  folder,
  server,
}: HangingTask): Promise<{ readonly gate: Gate; readonly store: Ledger & GateStore }> {
  const store = await openSqliteLedger(join(folder, "ledger.db"));
  const client = kubeClient({ server: new URL(server), namespace: "default", http: {} }, { timeoutMs: 5000 });
  const policy = policyOf();
  const gate = createGate({
    config: {
      ...policy,
      approvers: APPROVERS,
      allowedActions: policy.allowedActions.map((one) => ({ ...one, namespaces: null, maxRollbacksPerHour: null })),
      guardrails: { ...policy.guardrails, cooldownMs: 0, escalateToHumanAfter: null, maxAutoRollbacksPerDay: null },
    },
    store,
    executors: [kubectlRolloutUndo({ client, now: () => Date.now() })],
    assess: assessNaming([cart, web]),
    clock: { now: () => Date.now() },
    notifier: { notify: async () => ({ delivered: true, detail: "" }) },
    newId: randomUUID,
    limits: { executeTimeoutMs: 400, inspectTimeoutMs: 300, reconcileDelaysMs: [0, 20] },
  });
  return { gate, store };
}
