import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attestationBy } from "../../../agent/compose/attestation.ts";
import type { GateStore } from "../../../core/guardrails/gate-store.ts";
import type { Assessment } from "../../../core/model/assessment.ts";
import type { Gate, Ledger, Notice, PlanDraft } from "../../../core/ports.ts";
import { keyId } from "../../../knowledge/ledger/signed-head.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { approverKey } from "../../../mcp-tools/gate/approver-key.ts";
import { createGate } from "../../../mcp-tools/gate/gate.ts";
import type { GateConfig, GateParts } from "../../../mcp-tools/gate/parts.ts";
import { assessmentOf, NOW, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { FakeTargets } from "../../fakes/fake-executor.ts";

export const ALICE_TOKEN = "alice-personal-token-7c1f";
export const BOB_TOKEN = "bob-personal-token-55aa";
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** How a file holds a personal token: the public key that is derived from it. */
export const keyed = (token: string) => ({ tokenSha256: null, tokenKey: approverKey(token).text });

export const APPROVERS: GateConfig["approvers"] = [
  { name: "alice", ...keyed(ALICE_TOKEN), services: null, actions: null, upTo: "critical" },
  { name: "bob", ...keyed(BOB_TOKEN), services: ["checkout"], actions: null, upTo: "critical" },
];

/** A key of the ledger, which vouches for what the gate was shown. */
const { privateKey: secret } = generateKeyPairSync("ed25519");
export const ATTESTATION = attestationBy(() => ({ secret, id: keyId(createPublicKey(secret)) }));

/** A gate over a real ledger and targets in a file, with a clock that tests turn. */
export interface World extends AsyncDisposable {
  readonly folder: string;
  readonly store: Ledger & GateStore;
  readonly targets: FakeTargets;
  readonly gate: Gate;
  readonly notices: Notice[];
  readonly time: { now: number };
  /** What the gate's own assessment says; tests replace it. */
  assessment: Assessment;
  /** A gate of the same world, as another process or after a restart would make it. */
  newGate(parts?: Partial<GateParts>): Gate;
  draft(change?: Partial<PlanDraft>): PlanDraft;
}

export async function openWorld(
  options: { readonly config?: Partial<GateConfig>; readonly parts?: Partial<GateParts> } = {},
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "unship-gate-"));
  const time = { now: NOW };
  const clock = { now: () => time.now };
  const store = await openSqliteLedger(join(folder, "ledger.db"), { clock });
  const targets = new FakeTargets(join(folder, "targets.db"));
  const notices: Notice[] = [];
  let ids = 0;
  const config: GateConfig = { ...policyOf(), approvers: APPROVERS, ...options.config };
  const newGate = (parts: Partial<GateParts> = {}): Gate =>
    createGate({
      config,
      store,
      executors: [targets.executor("kubectl_rollout_undo"), targets.executor("feature_flag_disable")],
      assess: async (_, at) => ({ ...world.assessment, at }),
      clock,
      attestation: ATTESTATION,
      notifier: {
        notify: async (notice) => {
          notices.push(notice);
          return { delivered: true, detail: "kept" };
        },
      },
      newId: () => `id-${++ids}`,
      ...options.parts,
      ...parts,
      limits: { reconcileDelaysMs: [0], executeTimeoutMs: 300, ...options.parts?.limits, ...parts.limits },
    });
  const target = targetOf();
  targets.place(target);
  const world: World = {
    folder,
    store,
    targets,
    gate: newGate(),
    notices,
    time,
    assessment: assessmentOf({ targets: [target] }),
    newGate,
    draft: (change = {}) => ({
      incidentId: "incident-1",
      targets: [target],
      reason: "error rate of checkout rose right after its deploy",
      proposedBy: "watch",
      ...change,
    }),
    async [Symbol.asyncDispose]() {
      await store.close();
      targets[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return world;
}
