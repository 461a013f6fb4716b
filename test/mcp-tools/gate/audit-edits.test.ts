import fc from "fast-check";
import { expect, it } from "vitest";
import { NOW } from "../../core/guardrails/rule-inputs.ts";
import { type NewPlace, onEachStore } from "../../knowledge/ledger/ledger-stores.ts";
import { type Contents, contentsOf, livedIn, NAMES, readable, TABLES, type Table, written } from "./edited-life.ts";

interface Edit {
  readonly kind: "cell" | "delete" | "insert";
  readonly table: Table;
  readonly row: number;
  readonly column: number;
  readonly how: (value: unknown, others: readonly unknown[]) => unknown;
}

const how = fc.oneof(
  fc.constantFrom<Edit["how"][]>(
    (value) => (/^-?\d+$/.test(String(value)) ? Number(value) + 1 : `${value}x`),
    (value) => (/^-?\d+$/.test(String(value)) ? Number(value) - 1 : ""),
    (value) =>
      String(value).replace(/closed|detected|verifying|done|approve/, (word) => (word === "done" ? "stale" : "closed")),
    () => null,
    () => 0,
    () => 1,
    () => 2,
  ),
  fc.nat().map(
    (n): Edit["how"] =>
      (_, others) =>
        others[n % others.length],
  ),
);

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom("cell", "cell", "delete", "insert"),
  table: fc.constantFrom(...NAMES),
  row: fc.nat(),
  column: fc.nat(),
  how,
});

function edited(contents: Contents, { kind, table, row, column, how: change }: Edit): Contents {
  const rows = contents[table];
  const known = rows[row % Math.max(1, rows.length)];
  const name = TABLES[table][column % TABLES[table].length];
  if (known === undefined || name === undefined) return contents;
  const changed = {
    ...known,
    [name]: change(
      known[name],
      rows.map((one) => one[name]),
    ),
  };
  const others = rows.filter((one) => one !== known);
  return {
    ...contents,
    [table]: kind === "delete" ? others : kind === "insert" ? [...rows, changed] : [...others, changed],
  };
}

onEachStore("an audit of tables that somebody edited", (newPlace: NewPlace) => {
  it("S1: finds any edit, deletion or insertion of rows that leaves anything else than it was", async () => {
    await using place = await newPlace({ now: () => NOW });
    await livedIn(place);
    const before = await contentsOf(place);
    for (const name of NAMES) expect({ name, rows: before[name].length }).not.toMatchObject({ rows: 0 });
    expect(await place.ledger.verify()).toMatchObject({ ok: true, problems: [] });
    let found = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 5 }), async (edits) => {
        const asked = edits.reduce(edited, before);
        const taken = await place.tamper(`begin; ${written(asked)}; commit`).then(
          () => true,
          () => false, // What the tables refuse (a key twice, nothing where something must stand) is no edit.
        );
        if (!taken) return;
        const after = await contentsOf(place);
        const isSame = JSON.stringify(readable(after)) === JSON.stringify(readable(before));
        const { ok, problems } = await place.ledger.verify();
        expect({ ok, isNamed: problems.length > 0 }).toEqual({ ok: isSame, isNamed: !isSame });
        found += Number(!isSame);
        await place.tamper(written(before));
      }),
      { numRuns: 150 },
    );
    expect(found).toBeGreaterThan(20);
    expect(await place.ledger.verify()).toMatchObject({ ok: true, problems: [] });
  }, 120_000);
});
