import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import fc from "fast-check";
import type { SqliteStatement } from "kysely";
import { expect, test } from "vitest";
import { withKeptReads } from "../../../knowledge/ledger/private-reads.ts";

/** A table of two rows, read and written with kept reads; `sought` counts what the database itself was asked. */
function table() {
  const database = new DatabaseSync(":memory:");
  database.exec("create table t (id integer primary key, n integer); insert into t values (1, 0), (2, 0)");
  const prepared = new Map<string, SqliteStatement>();
  let sought = 0;
  const prepare = withKeptReads((sql) => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    const made: SqliteStatement = {
      reader: statement.columns().length > 0,
      all(parameters) {
        sought += 1;
        return statement.all(...(parameters as SQLInputValue[]));
      },
      run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
      iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
    };
    prepared.set(sql, made);
    return made;
  });
  return {
    read: (id: number) => prepare("select n from t where id = ?").all([id]),
    update: (id: number, n: number) => prepare("update t set n = ? where id = ?").run([n, id]),
    returning: (id: number, n: number) => prepare("update t set n = ? where id = ? returning n").all([n, id]),
    say: (sql: string) => prepare(sql).run([]),
    direct: (id: number) => database.prepare("select n from t where id = ?").all(id),
    sought: () => sought,
  };
}

test("what was read once is not sought again until something is written", () => {
  const { read, update, sought } = table();
  for (let i = 0; i < 5; i++) expect(read(1)).toEqual([{ n: 0 }]);
  expect(read(2)).toEqual([{ n: 0 }]);
  expect(sought()).toBe(2);
  update(1, 7);
  expect(read(1)).toEqual([{ n: 7 }]);
  expect(sought()).toBe(3);
});

test("beginning and committing alone let it stand; taking back does not", () => {
  const { read, update, say, sought } = table();
  read(1);
  say("begin immediate");
  read(1);
  say("commit");
  read(1);
  expect(sought()).toBe(1);
  say("begin immediate");
  update(1, 7);
  expect(read(1)).toEqual([{ n: 7 }]);
  say("rollback");
  expect(read(1)).toEqual([{ n: 0 }]);
});

test("reads say what the database says, whatever is read and written in between, and by which statement", () => {
  const id = fc.constantFrom(1, 2);
  const n = fc.integer({ min: 0, max: 3 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant("read" as const), id, n }),
    fc.record({ kind: fc.constant("update" as const), id, n }),
    fc.record({ kind: fc.constant("returning" as const), id, n }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const one = table();
      for (const { kind, id, n } of steps) {
        if (kind === "read") expect(one.read(id)).toEqual(one.direct(id));
        else one[kind](id, n);
      }
    }),
    { numRuns: 50 },
  );
});
