import { type Compilable, CompiledQuery, type Kysely } from "kysely";
import type { LedgerTables } from "./tables.ts";

/** Sends one statement of a batch → its rows. */
export type Ask = <O>(query: CompiledQuery<O>) => Promise<readonly O[]>;

/**
 * Statements that do not wait for each other's answers, as one for the connection: a server gets them all at once, so
 * that they cost one way there and back, a file runs them in their order.
 */
interface Batch extends CompiledQuery {
  readonly run: (ask: Ask) => Promise<void>;
}

/** A statement whose answer nobody needs: it may wait for the next one, but no longer than for the commit. */
interface Later extends CompiledQuery {
  readonly later: CompiledQuery;
}

export const isBatch = (query: CompiledQuery): query is Batch => "run" in query;
export const isLater = (query: CompiledQuery): query is Later => "later" in query;

/** Runs all that `work` asks at once, in the order in which it asks, and hands on what it makes of the answers. */
export async function together<T>(tx: Kysely<LedgerTables>, work: (ask: Ask) => Promise<T>): Promise<T> {
  let made: { readonly value: T } | undefined;
  const run = async (ask: Ask) => {
    made = { value: await work(ask) };
  };
  const batch: Batch = { ...CompiledQuery.raw("batch"), run };
  await tx.executeQuery(batch);
  if (made === undefined) throw new Error("this connection runs no batches");
  return made.value;
}

/** Hands a write to the connection. Where it fails, the next statement fails, or the commit: nothing is kept of it. */
export async function later(tx: Kysely<LedgerTables>, write: Compilable): Promise<void> {
  const statement: Later = { ...CompiledQuery.raw("later"), later: write.compile() };
  await tx.executeQuery(statement);
}
