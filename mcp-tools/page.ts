import { UnshipError } from "../core/errors.ts";
import { type Fenced, ours } from "../core/model/fenced.ts";
import { tokenWeight, WEIGHT_A_TOKEN } from "./token-weight.ts";

/**
 * A result's room, as `tokenWeight` weighs it: 4,000 tokens at most, well under the 25,000 that clients cap a result
 * at, and under our own 10,000.
 */
export const RESULT_WEIGHT = 4_000 * WEIGHT_A_TOKEN;

export interface Page<T> {
  readonly items: readonly T[];
  readonly total: number;
  /** Give it back as `cursor` to get the next ones; null: that was all. */
  readonly more: Fenced | null;
}

export interface PageOptions {
  readonly cursor?: string | undefined;
  readonly limit: number;
  /** What was asked, without the cursor: a cursor of another question is refused. */
  readonly question: unknown;
  /** What the items may weigh as JSON (`tokenWeight`). */
  readonly weight?: number;
}

/**
 * The next items, as many as fit `limit` and `weight`, at least one. `items` must come in the same order for the same
 * question; what appears between two calls may shift the rest by as many.
 */
export function page<T>(
  items: readonly T[],
  { cursor, limit, question, weight = RESULT_WEIGHT }: PageOptions,
): Page<T> {
  const from = startOf(cursor, question);
  const taken: T[] = [];
  let used = 0;
  for (const item of items.slice(from, from + limit)) {
    used += tokenWeight(JSON.stringify(item) ?? "");
    if (used > weight && taken.length > 0) break;
    taken.push(item);
  }
  const next = from + taken.length;
  return { items: taken, total: items.length, more: next < items.length ? cursorOf(next, question) : null };
}

/** Where a cursor stands, 0 without one. Throws "input.invalid" for one that we did not make for this question. */
export function startOf(cursor: string | undefined, question: unknown): number {
  if (cursor === undefined) return 0;
  const [, at, mark] = /^(\d{1,9})-([0-9a-z]+)$/.exec(cursor) ?? [];
  if (at === undefined || mark !== markOf(question)) {
    throw new UnshipError("input.invalid", {
      what: "cursor",
      reason: "it belongs to another question; repeat that question's arguments exactly, or leave the cursor out",
    });
  }
  return Number(at);
}

/** A handle to go on from `at` with the same question. */
export function cursorOf(at: number, question: unknown): Fenced {
  return ours(`${at}-${markOf(question)}`);
}

// FNV-1a, 32 bit: tells questions apart; it protects nothing (a forged cursor only skips rows).
function markOf(question: unknown): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(JSON.stringify(question) ?? "")) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(36);
}
