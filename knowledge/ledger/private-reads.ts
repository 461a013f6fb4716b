import type { SqliteDatabase, SqliteStatement } from "kysely";

/** Answers kept at once; they are dropped with every write, and few queries are asked between two. */
const ANSWERS_KEPT = 256;

/**
 * Statements of a database that this connection alone can write: what a query found stands until the next write, and is
 * not sought again. A watch asks at every look which incidents and intents are open, and hardly ever does that change.
 * `prepare` gives the statements themselves; each `sql` is one statement.
 */
export function withKeptReads(prepare: SqliteDatabase["prepare"]): SqliteDatabase["prepare"] {
  const answers = new Map<string, unknown[]>();
  const statements = new WeakMap<SqliteStatement, SqliteStatement>();
  return (sql) => {
    const statement = prepare(sql);
    const known = statements.get(statement);
    if (known !== undefined) return known;
    const kept = isRead(sql) ? keeping(statement, sql, answers) : dropping(statement, sql, answers);
    statements.set(statement, kept);
    return kept;
  };
}

const isRead = (sql: string): boolean => /^select\b/i.test(sql);
/** What begins and commits changes nothing that a query of the same connection finds; what takes back does. */
const isHarmless = (sql: string): boolean => /^(begin|commit)\b/i.test(sql);

function keeping(statement: SqliteStatement, sql: string, answers: Map<string, unknown[]>): SqliteStatement {
  return {
    ...statement,
    all(parameters) {
      const key = `${sql}\n${JSON.stringify(parameters)}`;
      const known = answers.get(key);
      if (known !== undefined) return known;
      const found = statement.all(parameters);
      if (answers.size >= ANSWERS_KEPT) answers.clear();
      answers.set(key, found);
      return found;
    },
  };
}

function dropping(statement: SqliteStatement, sql: string, answers: Map<string, unknown[]>): SqliteStatement {
  if (isHarmless(sql)) return statement;
  return {
    ...statement,
    all(parameters) {
      answers.clear();
      return statement.all(parameters);
    },
    run(parameters) {
      answers.clear();
      return statement.run(parameters);
    },
  };
}
