import { UnshipError } from "../../core/errors.ts";

/** How one database spells what the two spell differently. */
export interface Spelling {
  /** Text that compares by its bytes, as SQLite's does: so that both stores sort alike. */
  readonly text: string;
  /** What refuses changes to what was written. */
  readonly appendOnly: readonly string[];
}

export const SQLITE: Spelling = {
  text: "text",
  appendOnly: [
    `create trigger entries_never_change before update on entries
      begin select raise(abort, 'the ledger is append-only'); end`,
    `create trigger entries_never_go before delete on entries
      begin select raise(abort, 'the ledger is append-only'); end`,
  ],
};

export const POSTGRES: Spelling = {
  text: 'text collate "C"',
  appendOnly: [
    `create function entries_are_append_only() returns trigger language plpgsql
      as $$ begin raise exception 'the ledger is append-only'; end $$`,
    `create trigger entries_never_change before update or delete or truncate on entries
      for each statement execute function entries_are_append_only()`,
  ],
};

/**
 * The steps from an empty database to the present tables, in order. One that was released is never edited: what is to
 * change comes as a further step. There is no way back: a ledger is not made smaller.
 */
const STEPS: readonly ((spelling: Spelling) => readonly string[])[] = [
  ({ text, appendOnly }) => [
    `create table entries (
      seq bigint not null primary key, at bigint not null, kind ${text} not null, incident_id ${text},
      plan_id ${text}, actor ${text} not null, body ${text} not null, prev ${text} not null, hash ${text} not null)`,
    "create index entries_incident on entries (incident_id, seq)",
    "create index entries_plan on entries (plan_id, seq)",
    "create index entries_kind on entries (kind, seq)",
    ...appendOnly,
    `create table head (id integer not null primary key check (id = 1), seq bigint not null, hash ${text} not null)`,
    `create table incidents (
      id ${text} not null primary key, open integer not null, detected_at bigint not null, entry_seq bigint not null,
      body ${text} not null)`,
    "create index incidents_open on incidents (open, detected_at)",
    `create table plans (
      id ${text} not null primary key, incident_id ${text} not null, hash ${text} not null, body ${text} not null)`,
    `create table permits (
      plan_id ${text} not null primary key, id ${text} not null unique, plan_hash ${text} not null,
      issued_at bigint not null, expires_at bigint not null, redeemed_at bigint)`,
    `create table intents (
      plan_id ${text} not null, position integer not null, incident_id ${text} not null, service ${text} not null,
      action ${text} not null, target ${text} not null, target_key ${text} not null, attempt_key ${text} not null,
      automatic integer not null, reserved_at bigint not null, attempts integer not null, owner ${text} not null,
      lease_until bigint not null, result ${text}, finished_at bigint, released integer not null,
      primary key (plan_id, position))`,
    "create unique index intents_one_open_a_target on intents (target_key) where finished_at is null",
    "create index intents_time on intents (reserved_at)",
    "create index intents_service on intents (service, reserved_at)",
    "create index intents_target on intents (target_key, finished_at)",
    `create table approvals (
      plan_id ${text} not null, plan_hash ${text} not null, answer ${text} not null, approver ${text} not null,
      reason ${text} not null, at bigint not null, expires_at bigint not null, wall_expires_at bigint not null)`,
    "create index approvals_plan on approvals (plan_id)",
    `create table pauses (scope ${text} not null primary key, paused_by ${text} not null, at bigint not null)`,
    `create table recoveries (plan_id ${text} not null primary key, verdict ${text} not null, at bigint not null)`,
    `create table healthy_changes (service ${text} not null primary key, at bigint not null)`,
  ],
  () => [
    // Budgets read what counts, not what was given back; refused tokens are counted by time.
    "drop index intents_time",
    "create index intents_used on intents (reserved_at) where released = 0",
    "create index entries_kind_time on entries (kind, at)",
  ],
  // Budgets also read what was reserved long ago and finished only now, without reading all that ever was.
  () => ["create index intents_finished on intents (finished_at) where released = 0"],
  // What closed since a moment is asked for by time, however many closed before.
  () => ["create index incidents_saved on incidents (open, entry_seq)"],
  // Who vouches for the end of the chain, and what proves that its person gave an answer; null: nobody, nothing.
  ({ text }) => [`alter table head add column signature ${text}`, `alter table approvals add column proof ${text}`],
  // Whom an act touched is told by its own system at the time, and by nothing later; null: that did not say.
  ({ text }) => [
    `alter table intents add column reaches ${text}`,
    "create index intents_automatic on intents (reserved_at) where automatic = 1 and released = 0",
  ],
  // How current everything else is, as the watch says itself: written again each time, and nothing is decided by it.
  ({ text }) => [
    `create table evaluations (id integer not null primary key check (id = 1), at bigint not null, body ${text} not null)`,
  ],
];

/** All statements from an empty database to the present tables. */
export const statementsOf = (spelling: Spelling): readonly string[] => STEPS.flatMap((step) => step(spelling));

/** The version of the tables that this unship reads and writes. */
export const SCHEMA_VERSION = STEPS.length;

/** A database at some version, inside one transaction that nobody else migrates in. */
export interface Migratable {
  readonly spelling: Spelling;
  /** How errors name it. */
  readonly name: string;
  version(): Promise<number>;
  execute(statement: string): Promise<void>;
  setVersion(version: number): Promise<void>;
}

/**
 * Brings the tables up to the present version. Throws "ledger.unavailable" where a newer unship has been there: what
 * it wrote means more than this one knows, so this one neither reads nor writes it.
 */
export async function migrate(database: Migratable): Promise<void> {
  const version = await database.version();
  if (version === SCHEMA_VERSION) return;
  if (version > SCHEMA_VERSION) {
    const reason = `${database.name} was written by a newer unship (schema ${version}; this one knows ${SCHEMA_VERSION}): use that one`;
    throw new UnshipError("ledger.unavailable", { use: "opened", reason });
  }
  for (const step of STEPS.slice(version)) {
    for (const statement of step(database.spelling)) await database.execute(statement);
  }
  await database.setVersion(SCHEMA_VERSION);
}
