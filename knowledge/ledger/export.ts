import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import { canonicalJson } from "../../core/guardrails/canonical-json.ts";
import { LedgerEntry } from "../../core/model/ledger-entry.ts";
import type { Ledger, LedgerHead } from "../../core/ports.ts";
import { createChainCheck, foundEntry, type Problem } from "./chain-check.ts";

const FORMAT = "unship-ledger-export";
const VERSION = 1;

/** The first line of an export: how far it goes, and who vouches for it. */
const Header = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  /** Number of the last entry in it. */
  last: z.int().min(0),
  /** The signed head of that entry; null: nobody vouches for it. */
  head: z.string().nullable(),
});

/** Entries read at once: bounds memory, whatever the ledger's length. */
const PAGE = 500;

/**
 * The whole ledger as it stands now, as JSON Lines: a header with the signed head of the last entry, then each entry
 * in canonical JSON, the oldest first. What others append meanwhile is left out. `sign` null: the head is not signed.
 */
export async function* exportLines(
  ledger: Pick<Ledger, "head" | "entries">,
  sign: ((head: LedgerHead) => string) | null,
): AsyncGenerator<string, void> {
  const head = await ledger.head();
  yield canonicalJson({ format: FORMAT, version: VERSION, last: head.seq, head: sign?.(head) ?? null });
  for (let seq = 0; seq < head.seq; ) {
    const page = await ledger.entries({ afterSeq: seq, limit: Math.min(PAGE, head.seq - seq) });
    if (page.length === 0) return;
    for (const entry of page) {
      // A ledger with a gap is exported as it is: whoever checks the export finds the gap.
      if (entry.seq > head.seq) return;
      yield canonicalJson(entry);
      seq = entry.seq;
    }
  }
}

export interface ExportVerification {
  readonly ok: boolean;
  readonly entries: number;
  /** Hash of the last entry. */
  readonly head: string;
  readonly problems: readonly Problem[];
}

/**
 * Checks an export without the ledger: every hash from the first entry, the end that the header names, and the heads
 * that `headsOf` finds vouched for in the header's (null: unsigned). `whyNot`: what else is wrong with an entry. Throws "bundle.invalid" naming the line where
 * something is no export at all.
 */
export async function verifyExport(
  lines: AsyncIterable<string>,
  file: string,
  headsOf: (signed: string | null) => readonly LedgerHead[],
  whyNot: (entry: LedgerEntry) => string | null = () => null,
): Promise<ExportVerification> {
  const others: Problem[] = [];
  let check: ReturnType<typeof createChainCheck> | null = null;
  let last = 0;
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text === "") continue;
    if (check === null) {
      const header = parsed(Header, text, file, line, "the first line is no header of a ledger's export");
      last = header.last;
      check = createChainCheck(headsOf(header.head));
      continue;
    }
    const entry = parsed(LedgerEntry, text, file, line, "the line is no whole entry of a ledger");
    const found = foundEntry(entry);
    // Two spellings can parse alike (a field that stands twice) and be read differently.
    const misspelled = canonicalJson(entry) === text ? null : "changed: its line is not spelled as it was written";
    check.add({ ...found, own: found.own ?? misspelled });
    const reason = whyNot(entry);
    if (reason !== null) others.push({ seq: entry.seq, reason });
  }
  if (check === null) throw new UnshipError("bundle.invalid", { file, line: 1, reason: "the file is empty" });
  const { seq, hash } = check.last();
  const found = check.problems();
  const cut = seq < last && !found.some((one) => one.seq === seq + 1);
  const problems = cut ? [...found, { seq: seq + 1, reason: `missing: the export goes on to entry ${last}` }] : found;
  const added = seq > last ? [{ seq, reason: `was added: the export ends at entry ${last}` }] : [];
  const all = [...problems, ...added, ...others];
  return { ok: all.length === 0, entries: check.entries(), head: hash, problems: all };
}

function parsed<S extends z.ZodType>(schema: S, text: string, file: string, line: number, reason: string): z.infer<S> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new UnshipError("bundle.invalid", { file, line, reason }, { cause });
  }
}
