import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { draftOf } from "./ledger-files.ts";
import { onEachStore } from "./ledger-stores.ts";

onEachStore("the ledger's chain", (newPlace) => {
  async function tenEntries() {
    let now = 1000;
    const file = await newPlace({ now: () => (now += 10) });
    for (let n = 1; n <= 10; n += 1) await file.ledger.append(draftOf({ n }));
    return file;
  }

  it("hashes the entry before and the canonical JSON of the rest", async () => {
    await using file = await newPlace({ now: () => 1000 });
    const first = await file.ledger.append(draftOf({ b: 1, a: [2, null] }, { incidentId: "i" }));
    const second = await file.ledger.append(draftOf("x"));
    const sha = (text: string) => createHash("sha256").update(text).digest("hex");
    expect(first.prev).toBe("0".repeat(64));
    expect(first.hash).toBe(
      sha(
        `${first.prev}\n{"actor":"test","at":1000,"body":{"a":[2,null],"b":1},"incidentId":"i","kind":"note","planId":null,"seq":1}`,
      ),
    );
    expect(second).toMatchObject({ seq: 2, prev: first.hash });
  });

  it.each([
    ["an empty ledger", 0],
    ["one entry", 1],
    ["more than a page of entries", 1203],
  ])("fits for %s", async (_, count) => {
    await using file = await newPlace();
    const { ledger } = file;
    let last = "0".repeat(64);
    await ledger.transact(async (tx) => {
      for (let n = 0; n < count; n += 1) last = (await tx.append(draftOf({ n }))).hash;
    });
    expect(await ledger.verify()).toEqual({ ok: true, entries: count, head: last, problems: [] });
  });

  it.each([
    ["changed body", `update entries set body = '{"n":99}' where seq = 4`, [[4, "changed: its content"]]],
    ["body spelled otherwise", `update entries set body = '{"n": 4}' where seq = 4`, [[4, "changed: its body is not"]]],
    ["body that is no JSON", "update entries set body = '{' where seq = 4", [[4, "cannot be read"]]],
    ["changed actor", "update entries set actor = 'someone' where seq = 10", [[10, "changed"]]],
    ["changed kind", "update entries set kind = 'approval.given' where seq = 1", [[1, "changed"]]],
    ["changed plan", "update entries set plan_id = 'p' where seq = 2", [[2, "changed"]]],
    ["changed time", "update entries set at = at - 5 where seq = 3", [[3, "changed"]]],
    [
      "changed hash",
      "update entries set hash = 'x' where seq = 4",
      [
        [4, "changed"],
        [5, "does not follow entry 4"],
      ],
    ],
    ["one removed", "delete from entries where seq = 4", [[5, "missing before it: entry 4"]]],
    ["several removed", "delete from entries where seq in (4, 5, 6)", [[7, "missing before it: entries 4 to 6"]]],
    ["the first removed", "delete from entries where seq = 1", [[2, "missing before it: entry 1"]]],
    ["the last removed", "delete from entries where seq = 10", [[10, "missing: entry 10"]]],
    ["the end removed", "delete from entries where seq > 7", [[8, "missing: entries 8 to 10"]]],
    ["all removed", "delete from entries", [[1, "missing: entries 1 to 10"]]],
    [
      "two swapped",
      "update entries set seq = 0 where seq = 4; update entries set seq = 4 where seq = 5; update entries set seq = 5 where seq = 0",
      [
        [4, "changed"],
        [4, "does not follow"],
        [5, "changed"],
        [5, "does not follow"],
        [6, "does not follow entry 5"],
      ],
    ],
    ["the record of the end removed", "delete from head", [[11, "the record of the last entry is gone"]]],
    [
      "the end replaced together with its record",
      "update head set seq = 9; delete from entries where seq = 10",
      [[9, "is not the entry that was written last"]],
    ],
  ])("names what was tampered with: %s", async (_, sql, problems) => {
    await using file = await tenEntries();
    await file.tamper(sql);
    const verification = await file.ledger.verify();
    expect(verification.ok).toBe(false);
    expect(verification.problems).toEqual(
      problems.map(([seq, reason]) => ({ seq, reason: expect.stringContaining(String(reason)) })),
    );
  });

  it("names a rewritten entry even where all its own fields were made to fit", async () => {
    await using file = await tenEntries();
    const entries = await file.ledger.entries();
    const { hash: _, prev = "", ...rest } = { ...entries[3], body: { n: 99 } };
    const sorted = Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)));
    const hash = createHash("sha256")
      .update(`${prev}\n${JSON.stringify(sorted)}`)
      .digest("hex");
    await file.tamper(`update entries set body = '{"n":99}', hash = '${hash}' where seq = 4`);
    expect((await file.ledger.verify()).problems).toEqual([{ seq: 5, reason: "does not follow entry 4 as it is now" }]);
  });

  it.each([
    ["its end was cut off", "delete from entries where seq = 10"],
    ["all of it was removed", "delete from entries"],
    ["the record of its end was removed", "delete from head"],
    ["its last entry was replaced", "update entries set hash = 'x' where seq = 10"],
  ])("takes no further entry after %s", async (_, sql) => {
    await using file = await tenEntries();
    await file.tamper(sql);
    await expect(file.ledger.append(draftOf({}))).rejects.toMatchObject({ code: "ledger.corrupt" });
  });

  it.each([
    ["changed", "update entries set actor = 'x' where seq = 1"],
    ["removed", "delete from entries where seq = 1"],
    ["emptied", "delete from entries"],
  ])("entries cannot be %s by a statement that does not drop the triggers first", async (_, sql) => {
    await using file = await tenEntries();
    await expect(file.run(sql)).rejects.toThrow("the ledger is append-only");
  });

  it("gives back any JSON body as it was, and still fits", async () => {
    await using file = await newPlace();
    const { ledger } = file;
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.string({ unit: "binary" }), async (body, actor) => {
        const written = await ledger.append(draftOf(body, { actor }));
        expect(written.actor).toBe(actor.replaceAll("\0", "\uFFFD"));
        const [read] = await ledger.entries({ afterSeq: written.seq - 1, limit: 1 });
        expect(read).toEqual(written);
        expect(read?.body).toEqual(JSON.parse(JSON.stringify(body)));
      }),
    );
    expect(await ledger.verify()).toMatchObject({ ok: true });
  });

  it.each([
    ["half a surrogate pair", "a\uD800b", "a\uFFFDb"],
    ["NUL", "a\0b", "a\uFFFDb"],
  ])("writes %s in a name as something that every store gives back", async (_, given, kept) => {
    await using file = await newPlace();
    const entry = await file.ledger.append(draftOf({ given }, { actor: given, planId: given, incidentId: given }));
    expect(entry).toMatchObject({ actor: kept, planId: kept, incidentId: kept });
    expect(await file.ledger.entries()).toEqual([entry]);
    expect(await file.ledger.verify()).toMatchObject({ ok: true });
  });
});
