import { CompiledQuery } from "kysely";
import type pg from "pg";
import { POSTGRES, statementsOf } from "./migrations.ts";
import type { SchemaPart, SchemaReader } from "./schema.ts";

/** The ledger's own tables. Whatever else lies in the schema is none of its business. */
const TABLES = [
  "entries",
  "head",
  "incidents",
  "plans",
  "permits",
  "intents",
  "approvals",
  "pauses",
  "recoveries",
  "healthy_changes",
  "evaluations",
] as const;

/**
 * Everything about these tables that decides what they accept and what happens on a write.
 * @see https://www.postgresql.org/docs/15/catalogs.html
 */
const partsIn = (namespace: string): string => `
  with ours as (
    select c.oid, c.relname, c.relkind, c.relrowsecurity, c.relpersistence = 'u' as unlogged from pg_catalog.pg_class c
    where c.relnamespace = ${namespace} and c.relname in (${TABLES.map((name) => `'${name}'`).join(", ")}))
  select 'table' as kind, relname::text as name, relkind::text || relrowsecurity::text || unlogged::text as definition from ours
  union all
  select 'column', ours.relname || '.' || a.attname,
    pg_catalog.format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull::text || ' ' || coalesce(l.collname, '')
      || ' ' || coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
  from ours join pg_catalog.pg_attribute a on a.attrelid = ours.oid and a.attnum > 0 and not a.attisdropped
    left join pg_catalog.pg_collation l on l.oid = a.attcollation
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  union all
  select 'constraint', ours.relname || '.' || o.conname, pg_catalog.pg_get_constraintdef(o.oid) || o.convalidated::text
  from ours join pg_catalog.pg_constraint o on o.conrelid = ours.oid
  union all
  select 'index', i.relname, pg_catalog.pg_get_indexdef(x.indexrelid) || x.indisvalid::text || x.indisready::text
  from ours join pg_catalog.pg_index x on x.indrelid = ours.oid join pg_catalog.pg_class i on i.oid = x.indexrelid
  union all
  select 'trigger', ours.relname || '.' || t.tgname, pg_catalog.pg_get_triggerdef(t.oid) || t.tgenabled::text
  from ours join pg_catalog.pg_trigger t on t.tgrelid = ours.oid and not t.tgisinternal
  union all
  select 'rule', ours.relname || '.' || r.rulename, pg_catalog.pg_get_ruledef(r.oid)
  from ours join pg_catalog.pg_rewrite r on r.ev_class = ours.oid
  union all
  select 'policy', ours.relname || '.' || p.polname, p.polcmd::text
  from ours join pg_catalog.pg_policy p on p.polrelid = ours.oid
  union all
  select 'function', p.proname, p.prosrc || pg_catalog.format_type(p.prorettype, null)
  from pg_catalog.pg_proc p where p.pronamespace = ${namespace} and p.proname = 'entries_are_append_only'`;

const HERE = "(select oid from pg_catalog.pg_namespace where nspname = current_schema())";

/** The parts of the schema that the search path names first. */
const FOUND: CompiledQuery<SchemaPart> = CompiledQuery.raw(partsIn(HERE));

/** Definitions name the schema that their objects lie in; what they say beside that is compared. */
const unqualified = (parts: readonly SchemaPart[]): readonly SchemaPart[] =>
  parts.map((part) => ({
    ...part,
    definition: part.definition.replaceAll(/\b(?:on|function) (?:"(?:[^"]|"")+"|\w+)\./gi, (text) =>
      text.slice(0, text.indexOf(" ") + 1),
    ),
  }));

/**
 * The schema of a ledger in PostgreSQL, and what it should be: the migrations run once more, on temporary tables of a
 * transaction that is rolled back, so that this server words both alike. The role needs the right to make temporary
 * tables, which everybody has unless it was taken away.
 */
export function postgresSchema(connect: <T>(use: (client: pg.ClientBase) => Promise<T>) => Promise<T>): SchemaReader {
  let known: Promise<readonly SchemaPart[]> | null = null;
  const make = () =>
    connect(async (client) => {
      await client.query("begin");
      try {
        await client.query("set local search_path = pg_temp");
        for (const statement of statementsOf(POSTGRES)) {
          // No function is sought in the temporary schema unless its name says so.
          await client.query(statement.replace(/\b(create|execute) function (?=\w)/, "$1 function pg_temp."));
        }
        const { rows } = await client.query<SchemaPart>(partsIn("pg_catalog.pg_my_temp_schema()"));
        return unqualified(rows);
      } finally {
        await client.query("rollback");
      }
    });
  return {
    found: async (ask) => unqualified(await ask(FOUND)),
    expected() {
      known ??= make().catch((error: unknown) => {
        known = null;
        throw error;
      });
      return known;
    },
  };
}
