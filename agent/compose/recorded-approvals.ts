import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { cleanText } from "../../core/model/untrusted-text.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { provenBy } from "../../mcp-tools/gate/approval-proof.ts";
import type { RecordedApprovals } from "../cli/composition.ts";

const Given = z.object({
  planHash: z.string(),
  expiresAt: z.number(),
  wallExpiresAt: z.number().optional(),
  reason: z.string(),
  proof: z.string().optional(),
});

/** Names are people's, and short. */
const NAME_CHARS = 300;

/** What proves the approvals in a record, entry by entry, without the ledger or its configuration. */
export interface ApprovalAudit {
  /** Why an entry does not hold: its proof was made for another answer, or by nobody; null: it does, or is no approval. */
  take(entry: LedgerEntry): string | null;
  found(): RecordedApprovals;
}

/** `gateKey`: the public half of ledger.signing_key; null: what the gate vouched for is not checked. */
export function auditApprovals(gateKey: KeyObject | null): ApprovalAudit {
  const proven = new Map<string, { readonly by: string; readonly with: string; readonly entries: number[] }>();
  const unproven: { readonly seq: number; readonly by: string }[] = [];
  return {
    take(entry) {
      if (entry.kind !== LEDGER_KINDS.approvalGiven) return null;
      const by = cleanText(entry.actor, NAME_CHARS);
      const body = Given.safeParse(entry.body);
      if (!body.success || body.data.proof === undefined || body.data.wallExpiresAt === undefined) {
        unproven.push({ seq: entry.seq, by });
        return null;
      }
      const { proof, planHash, expiresAt, wallExpiresAt, reason } = body.data;
      const answer = { planId: entry.planId ?? "", planHash, answer: "approve", by: entry.actor, reason } as const;
      const shown = provenBy({ ...answer, at: entry.at, expiresAt, wallExpiresAt, proof }, gateKey);
      if (shown === "false") return `the approval by ${by} carries a proof that is not of this answer`;
      if (shown === "unchecked") unproven.push({ seq: entry.seq, by });
      else {
        const key = JSON.stringify([by, shown]);
        const known = proven.get(key) ?? { by, with: shown, entries: [] };
        known.entries.push(entry.seq);
        proven.set(key, known);
      }
      return null;
    },
    found: () => ({ proven: [...proven.values()], unproven }),
  };
}
