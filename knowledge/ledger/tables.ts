/**
 * The ledger's tables, as Kysely sees them. Objects are canonical JSON in text columns, times are Unix ms, truth is
 * 0 or 1: types that SQLite and PostgreSQL share, so that one set of queries serves both.
 */
export interface LedgerTables {
  entries: EntryRow;
  /** One row: the last entry's number and hash, so that entries cut off the end are noticed. */
  head: { readonly id: number; readonly seq: number; readonly hash: string };
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
  };
  pauses: { readonly scope: string; readonly paused_by: string; readonly at: number };
  /** The last verdict of each plan's verification. */
  recoveries: { readonly plan_id: string; readonly verdict: string; readonly at: number };
  /** When a later change of a service last proved healthy. */
  healthy_changes: { readonly service: string; readonly at: number };
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

/** What a change to the tables below must count up. */
export const SCHEMA_VERSION = 1;

/** Made in order, in one transaction, on an empty database. Standard SQL but for the triggers. */
export const SQLITE_SCHEMA: readonly string[] = [
  `create table entries (
    seq bigint not null primary key, at bigint not null, kind text not null, incident_id text, plan_id text,
    actor text not null, body text not null, prev text not null, hash text not null)`,
  "create index entries_incident on entries (incident_id, seq)",
  "create index entries_plan on entries (plan_id, seq)",
  "create index entries_kind on entries (kind, seq)",
  `create trigger entries_never_change before update on entries
    begin select raise(abort, 'the ledger is append-only'); end`,
  `create trigger entries_never_go before delete on entries
    begin select raise(abort, 'the ledger is append-only'); end`,
  "create table head (id integer not null primary key check (id = 1), seq bigint not null, hash text not null)",
  `create table incidents (
    id text not null primary key, open integer not null, detected_at bigint not null, entry_seq bigint not null,
    body text not null)`,
  "create index incidents_open on incidents (open, detected_at)",
  `create table plans (
    id text not null primary key, incident_id text not null, hash text not null, body text not null)`,
  `create table permits (
    plan_id text not null primary key, id text not null unique, plan_hash text not null, issued_at bigint not null,
    expires_at bigint not null, redeemed_at bigint)`,
  `create table intents (
    plan_id text not null, position integer not null, incident_id text not null, service text not null,
    action text not null, target text not null, target_key text not null, attempt_key text not null,
    automatic integer not null, reserved_at bigint not null, attempts integer not null, owner text not null,
    lease_until bigint not null, result text, finished_at bigint, released integer not null,
    primary key (plan_id, position))`,
  "create unique index intents_one_open_a_target on intents (target_key) where finished_at is null",
  "create index intents_time on intents (reserved_at)",
  "create index intents_service on intents (service, reserved_at)",
  "create index intents_target on intents (target_key, finished_at)",
  `create table approvals (
    plan_id text not null, plan_hash text not null, answer text not null, approver text not null,
    reason text not null, at bigint not null, expires_at bigint not null, wall_expires_at bigint not null)`,
  "create index approvals_plan on approvals (plan_id)",
  "create table pauses (scope text not null primary key, paused_by text not null, at bigint not null)",
  "create table recoveries (plan_id text not null primary key, verdict text not null, at bigint not null)",
  "create table healthy_changes (service text not null primary key, at bigint not null)",
];
