import { canonicalJson } from "../../core/guardrails/canonical-json.ts";
import type { LedgerEntry, LedgerHead } from "../../core/ports.ts";
import { entryHash, GENESIS } from "./chain.ts";

export interface Problem {
  readonly seq: number;
  readonly reason: string;
}

/** One entry as it was found; `body` null where what stands there is no JSON. */
export interface FoundEntry {
  readonly seq: number;
  readonly at: number;
  readonly prev: string;
  readonly hash: string;
  /** Why the entry is not what was written, by itself; null: it fits its own hash. */
  readonly own: string | null;
}

/** Judges an entry by itself. `spelled`: its body as it stands there, where the spelling is the ledger's own. */
export function foundEntry(entry: LedgerEntry, spelled?: string): FoundEntry {
  const { hash, ...content } = entry;
  const misspelled = spelled !== undefined && canonicalJson(content.body) !== spelled;
  const own = misspelled
    ? "changed: its body is not spelled as it was written"
    : entryHash(content) === hash
      ? null
      : "changed: its content no longer fits its hash";
  return { seq: entry.seq, at: entry.at, prev: entry.prev, hash, own };
}

/** A walk along the chain, entry by entry, from the first. */
export interface ChainCheck {
  add(entry: FoundEntry): void;
  /** The last entry added; 0 and the genesis hash before any. */
  last(): LedgerHead;
  entries(): number;
  /** What is wrong with the entries so far, beside the heads that somebody vouches for. */
  problems(): readonly Problem[];
}

/**
 * Names each entry that was changed, removed or moved. After one that does not fit it goes on from what stands there,
 * so that one change gives one complaint. `heads`: ends of the ledger that stand outside it. An entry that is not what
 * a head says was changed after it was vouched for, with everything before it in doubt; a head beyond the last entry
 * means that the end was cut off.
 */
export function createChainCheck(heads: readonly LedgerHead[] = []): ChainCheck {
  const problems: Problem[] = [];
  let last: Pick<FoundEntry, "seq" | "at" | "hash"> = { seq: 0, at: 0, hash: GENESIS };
  let entries = 0;
  const vouched = new Map<number, string[]>();
  for (const { seq, hash } of heads) vouched.set(seq, [...(vouched.get(seq) ?? []), hash]);
  const met = new Set<number>([0]);
  return {
    add(entry) {
      problems.push(...complaints(entry, last).map((reason) => ({ seq: entry.seq, reason })));
      const wanted = vouched.get(entry.seq) ?? [];
      if (wanted.some((hash) => hash !== entry.hash)) {
        const reason = "is not the entry whose hash was signed: it, or what lies before it, was written anew";
        problems.push({ seq: entry.seq, reason });
      }
      met.add(entry.seq);
      if (entry.seq >= 1) last = entry;
      entries += 1;
    },
    last: () => ({ seq: last.seq, hash: last.hash }),
    entries: () => entries,
    problems() {
      const lost = [...vouched.keys()].filter((seq) => !met.has(seq));
      const beyond = Math.max(0, ...lost);
      if (beyond > last.seq) {
        const reason = `missing: ${gap(last.seq + 1, beyond)}; the head of entry ${beyond} was signed, so the end was cut off`;
        return [...problems, { seq: last.seq + 1, reason }];
      }
      // One that is missing further up is named by the entry that follows it.
      return problems;
    },
  };
}

function complaints(entry: FoundEntry, last: Pick<FoundEntry, "seq" | "at" | "hash">): readonly string[] {
  // Before all that is sought in order: the ledger goes on from its first entry as if this one were not there.
  if (entry.seq < 1) return ["was added: entries are numbered from 1"];
  const own = entry.own === null ? [] : [entry.own];
  if (entry.seq !== last.seq + 1) return [outOfOrder(entry.seq, last.seq), ...own];
  const found = [...own];
  if (entry.prev !== last.hash) found.push(`does not follow entry ${last.seq} as it is now`);
  if (found.length === 0 && entry.at < last.at) found.push(`is earlier than entry ${last.seq}`);
  return found;
}

const outOfOrder = (seq: number, last: number): string =>
  seq > last ? `missing before it: ${gap(last + 1, seq - 1)}` : `moved: it comes after entry ${last}`;

export const gap = (from: number, to: number): string => (from === to ? `entry ${from}` : `entries ${from} to ${to}`);
