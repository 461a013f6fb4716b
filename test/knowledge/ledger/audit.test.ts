import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { canonicalJson } from "../../../core/guardrails/canonical-json.ts";
import type { LedgerHead } from "../../../core/ports.ts";
import { exportLines, verifyExport } from "../../../knowledge/ledger/export.ts";
import { readSignedHeads, signHead } from "../../../knowledge/ledger/signed-head.ts";
import { draftOf } from "./ledger-files.ts";
import { type LedgerPlace, type NewPlace, onEachStore } from "./ledger-stores.ts";
import { signingKeys } from "./signing-keys.ts";

let keys: ReturnType<typeof signingKeys>;
beforeAll(() => {
  keys = signingKeys();
});
afterAll(() => keys[Symbol.dispose]());

async function tenEntriesIn(newPlace: NewPlace) {
  let now = 1000;
  const file = await newPlace({ now: () => (now += 10) });
  for (let n = 1; n <= 10; n += 1) await file.ledger.append(draftOf({ n }));
  return file;
}

/** What someone who can write the store does who knows how the chain is made: every later hash and the head fit again. */
async function rebuild(file: LedgerPlace, from: number): Promise<void> {
  const entries = await file.ledger.entries();
  let prev = entries[from - 2]?.hash ?? "0".repeat(64);
  const statements: string[] = [];
  for (const { hash: _, ...entry } of entries.slice(from - 1)) {
    const content = { ...entry, prev, body: entry.seq === from ? { n: 99 } : entry.body };
    const { prev: before, ...rest } = content;
    prev = createHash("sha256")
      .update(`${before}\n${canonicalJson(rest)}`)
      .digest("hex");
    statements.push(
      `update entries set body = '${canonicalJson(content.body)}', prev = '${before}', hash = '${prev}' where seq = ${entry.seq}`,
    );
  }
  await file.tamper([...statements, `update head set hash = '${prev}'`].join(";"));
}

const cutTo = (seq: number) =>
  `delete from entries where seq > ${seq};
   update head set seq = ${seq}, hash = (select hash from entries where seq = ${seq})`;

onEachStore("a head that was kept elsewhere", (newPlace) => {
  const tenEntries = () => tenEntriesIn(newPlace);
  it("proves a ledger complete, and one that has grown since", async () => {
    await using file = await tenEntries();
    const head = await file.ledger.head();
    expect(head).toMatchObject({ seq: 10 });
    expect(await file.ledger.verify([head])).toMatchObject({ ok: true, problems: [] });
    await file.ledger.append(draftOf({ n: 11 }));
    expect(await file.ledger.verify([head])).toMatchObject({ ok: true, entries: 11, problems: [] });
  });

  it("is 0 and zeros for an empty ledger, and says nothing against one that began since", async () => {
    await using file = await newPlace();
    const head = await file.ledger.head();
    expect(head).toEqual({ seq: 0, hash: "0".repeat(64) });
    await file.ledger.append(draftOf({}));
    expect(await file.ledger.verify([head])).toMatchObject({ ok: true });
  });

  it.each([
    ["a tail cut off together with its record", cutTo(7), [[8, "missing: entries 8 to 10"]]],
    ["all but the first entry cut off", cutTo(1), [[2, "missing: entries 2 to 10"]]],
    ["the whole ledger emptied", "delete from entries; delete from head", [[1, "missing: entries 1 to 10"]]],
  ])("shows what the chain alone cannot: %s", async (_, sql, problems) => {
    await using file = await tenEntries();
    const head = await file.ledger.head();
    await file.tamper(sql);
    expect(await file.ledger.verify()).toMatchObject({ ok: true });
    const verification = await file.ledger.verify([head]);
    expect(verification.ok).toBe(false);
    expect(verification.problems).toEqual(
      problems.map(([seq, reason]) => ({ seq, reason: expect.stringContaining(String(reason)) })),
    );
  });

  it.each([1, 4, 10])("shows a chain that was written anew from entry %i on", async (from) => {
    await using file = await tenEntries();
    const head = await file.ledger.head();
    await rebuild(file, from);
    expect(await file.ledger.verify()).toMatchObject({ ok: true });
    expect((await file.ledger.verify([head])).problems).toEqual([
      { seq: 10, reason: expect.stringContaining("is not the entry whose hash was signed") },
    ]);
  });

  it("several of them narrow down where a chain was written anew", async () => {
    await using file = await tenEntries();
    const heads = (await file.ledger.entries()).filter(({ seq }) => [2, 5, 8].includes(seq));
    await rebuild(file, 4);
    expect((await file.ledger.verify(heads)).problems.map(({ seq }) => seq)).toEqual([5, 8]);
  });
});

onEachStore("an export", (newPlace) => {
  const tenEntries = () => tenEntriesIn(newPlace);
  const signed = (head: LedgerHead) => signHead(head, 5000, keys.key);
  const collect = async (file: LedgerPlace) => {
    const lines: string[] = [];
    for await (const line of exportLines(file.ledger, signed)) lines.push(line);
    return lines;
  };
  async function* from(lines: readonly string[]) {
    yield* lines;
  }
  const check = (lines: readonly string[]) =>
    verifyExport(from(lines), "x.jsonl", (head) =>
      head === null ? [] : readSignedHeads(head, keys.publicKey, "x.jsonl"),
    );

  it.each([0, 1, 10, 1203])("of %i entries holds against its own signed head", async (count) => {
    await using file = await newPlace();
    await file.ledger.transact(async (tx) => {
      for (let n = 1; n <= count; n += 1) await tx.append(draftOf({ n, text: "ü\u2028\0" }, { incidentId: "i" }));
    });
    const lines = await collect(file);
    expect(lines).toHaveLength(count + 1);
    expect(await check(lines)).toMatchObject({ ok: true, entries: count, problems: [] });
  });

  it("leaves out what is appended while it is written", async () => {
    await using file = await tenEntries();
    const lines: string[] = [];
    for await (const line of exportLines(file.ledger, signed)) {
      lines.push(line);
      await file.ledger.append(draftOf({}));
    }
    expect(await check(lines)).toMatchObject({ ok: true, entries: 10 });
  });

  const swap = (lines: string[], a: number, b: number) => {
    [lines[a], lines[b]] = [lines[b] ?? "", lines[a] ?? ""];
  };
  it.each([
    ["a changed entry", (l: string[]) => l.splice(4, 1, (l[4] ?? "").replace('"n":4', '"n":5')), [[4, "changed"]]],
    [
      "a field put before the one that counts",
      (l: string[]) => l.splice(4, 1, (l[4] ?? "").replace('"n":4', '"n":5,"n":4')),
      [[4, "not spelled as it was written"]],
    ],
    ["another spelling of a text", (l: string[]) => l.splice(4, 1, ` ${l[4]}`), [[4, "not spelled as it was written"]]],
    ["a removed entry", (l: string[]) => l.splice(4, 1), [[5, "missing before it: entry 4"]]],
    [
      "two entries swapped",
      (l: string[]) => swap(l, 4, 5),
      [
        [5, "missing before it: entry 4"],
        [4, "moved: it comes after entry 5"],
        [6, "missing before it: entry 5"],
      ],
    ],
    ["a cut tail", (l: string[]) => l.splice(8), [[8, "missing: entries 8 to 10"]]],
    ["all cut but the header", (l: string[]) => l.splice(1), [[1, "missing: entries 1 to 10"]]],
    [
      "a tail cut together with the header's count",
      (l: string[]) => l.splice(8) && l.splice(0, 1, (l[0] ?? "").replace('"last":10', '"last":7')),
      [[8, "missing: entries 8 to 10"]],
    ],
  ])("names %s", async (_, spoil, problems) => {
    await using file = await tenEntries();
    const lines = await collect(file);
    spoil(lines);
    const { ok, problems: found } = await check(lines);
    expect(ok).toBe(false);
    expect(found).toEqual(problems.map(([seq, reason]) => ({ seq, reason: expect.stringContaining(String(reason)) })));
  });

  it("carries every later entry's complaint where the ledger itself was changed", async () => {
    await using file = await tenEntries();
    await file.tamper("delete from entries where seq = 4");
    expect((await check(await collect(file))).problems).toEqual([{ seq: 5, reason: "missing before it: entry 4" }]);
  });

  it.each([
    ["an empty file", [], 1],
    ["a file without a header", ['{"seq":1}'], 1],
    ["a line that was cut in the middle", (l: string[]) => l.with(3, (l[3] ?? "").slice(0, 50)), 4],
    ["an entry with a field too many", (l: string[]) => l.with(2, (l[2] ?? "").replace("{", '{"x":1,')), 3],
  ])("is refused by file and line: %s", async (_, spoil, line) => {
    await using file = await tenEntries();
    const lines = typeof spoil === "function" ? spoil(await collect(file)) : spoil;
    await expect(check(lines)).rejects.toThrow(`x.jsonl:${line}: `);
  });
});
