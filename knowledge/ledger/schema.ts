import { CompiledQuery } from "kysely";
import type { Ask } from "./batch.ts";

/** One part of a database that decides what its tables accept: a table, a column, an index, a trigger, … */
export interface SchemaPart {
  readonly kind: string;
  readonly name: string;
  /** As the database itself words it. */
  readonly definition: string;
}

/** How one kind of database tells what it is made of, and what it should be made of. */
export interface SchemaReader {
  /** The parts as they are now, read within the caller's transaction. */
  readonly found: (ask: Ask) => Promise<readonly SchemaPart[]>;
  /** The parts that the migrations make. Throws where that cannot be found out. */
  readonly expected: () => Promise<readonly SchemaPart[]>;
}

/** SQLite keeps each object as the statement that made it. Its statistics tables change nothing that is stored. */
export const SQLITE_PARTS: CompiledQuery<SchemaPart> = CompiledQuery.raw(
  `select type as kind, name, coalesce(sql, '') || ' on ' || tbl_name as definition
    from sqlite_schema where name not like 'sqlite_stat%' order by type, name`,
);

const spaceless = (text: string): string => text.replaceAll(/\s+/g, " ");

/** What differs, one sentence a part; empty: the database is what the migrations made. */
export function schemaDifferences(expected: readonly SchemaPart[], found: readonly SchemaPart[]): readonly string[] {
  const keyOf = ({ kind, name }: SchemaPart): string => `${kind} ${name}`;
  const standing = new Map(found.map((part) => [keyOf(part), part]));
  const wanted = new Set(expected.map(keyOf));
  return [
    ...expected.flatMap((part) => {
      const there = standing.get(keyOf(part));
      if (there === undefined) return [`the ${keyOf(part)} is gone`];
      return spaceless(there.definition) === spaceless(part.definition) ? [] : [`the ${keyOf(part)} was changed`];
    }),
    ...[...standing.keys()].filter((key) => !wanted.has(key)).map((key) => `the ${key} is not one that unship makes`),
  ];
}
