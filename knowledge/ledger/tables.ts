/**
 * The ledger's tables, as Kysely sees them. Objects are canonical JSON in text columns, times are Unix ms, truth is
 * 0 or 1: types that SQLite and PostgreSQL share, so that one set of queries serves both.
 */
export interface LedgerTables {
  entries: EntryRow;
  /**
   * One row: the last entry's number and hash, so that entries cut off the end are noticed, and the signature of both,
   * so that entries added by somebody else are; null: no key was configured when it was written.
   */
  head: { readonly id: number; readonly seq: number; readonly hash: string; readonly signature: string | null };
  incidents: {
    readonly id: string;
    readonly open: number;
    readonly detected_at: number;
    readonly entry_seq: number;
    readonly body: string;
  };
  plans: { readonly id: string; readonly incident_id: string; readonly hash: string; readonly body: string };
  permits: {
    readonly plan_id: string;
    readonly id: string;
    readonly plan_hash: string;
    readonly issued_at: number;
    readonly expires_at: number;
    readonly redeemed_at: number | null;
  };
  intents: IntentRow;
  approvals: {
    readonly plan_id: string;
    readonly plan_hash: string;
    readonly answer: string;
    readonly approver: string;
    readonly reason: string;
    readonly at: number;
    readonly expires_at: number;
    readonly wall_expires_at: number;
    /** What shows that the approver gave this answer (`approval-proof.ts`); null: nothing does. */
    readonly proof: string | null;
  };
  pauses: { readonly scope: string; readonly paused_by: string; readonly at: number };
  /** The last verdict of each plan's verification. */
  recoveries: { readonly plan_id: string; readonly verdict: string; readonly at: number };
  /** When a later change of a service last proved healthy. */
  healthy_changes: { readonly service: string; readonly at: number };
  /** One row: the watch's newest evaluation (`LastEvaluation`). In no entry, and nothing is decided by it. */
  evaluations: { readonly id: number; readonly at: number; readonly body: string };
}

export interface EntryRow {
  readonly seq: number;
  readonly at: number;
  readonly kind: string;
  readonly incident_id: string | null;
  readonly plan_id: string | null;
  readonly actor: string;
  readonly body: string;
  readonly prev: string;
  readonly hash: string;
}

export interface IntentRow {
  readonly plan_id: string;
  readonly position: number;
  readonly incident_id: string;
  readonly service: string;
  readonly action: string;
  readonly target: string;
  readonly target_key: string;
  /** What would change with it, as its own system said when it was reserved; null: it did not say. */
  readonly reaches: string | null;
  readonly attempt_key: string;
  readonly automatic: number;
  readonly reserved_at: number;
  readonly attempts: number;
  readonly owner: string;
  readonly lease_until: number;
  readonly result: string | null;
  readonly finished_at: number | null;
  readonly released: number;
}
