import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { SCHEMA_VERSION } from "../../../knowledge/ledger/migrations.ts";
import { draftOf, ledgerFile } from "./ledger-files.ts";
import { type LedgerPlace, onEachStore } from "./ledger-stores.ts";

const FIRST = readFileSync(join(import.meta.dirname, "schema-1.sql"), "utf8");

function shapeOf(path: string): unknown {
  const database = new DatabaseSync(path);
  const shape = database
    .prepare("select type, name, tbl_name from sqlite_master where name not like 'sqlite_%' order by type, name")
    .all();
  database.close();
  return shape;
}

describe("a ledger of the first version", () => {
  it("is brought up to the present one with everything in it, and can be written and verified", async () => {
    await using fresh = await ledgerFile();
    const path = join(fresh.path, "../old.db");
    const old = new DatabaseSync(path);
    old.exec(FIRST);
    old.close();
    await using migrated = await ledgerFile(undefined, path);
    expect(await migrated.ledger.verify()).toMatchObject({ ok: true, entries: 5, problems: [] });
    expect(await migrated.ledger.pauses()).toMatchObject([{ scope: "checkout", by: "ada" }]);
    expect(await migrated.ledger.append(draftOf({}))).toMatchObject({ seq: 6 });
    expect(await migrated.ledger.verify()).toMatchObject({ ok: true, entries: 6 });
    expect(shapeOf(path)).toEqual(shapeOf(fresh.path));
  });
});

onEachStore("a ledger of a newer unship", (newPlace) => {
  const newer = (version: number, { store }: LedgerPlace) =>
    store === "sqlite" ? `pragma user_version = ${version}` : `update ledger_schema set version = ${version}`;

  it("is refused in words, and left as it is", async () => {
    await using place = await newPlace();
    await place.ledger.append(draftOf({}));
    await place.run(newer(SCHEMA_VERSION + 1, place));
    await expect(place.open()).rejects.toThrow(
      `was written by a newer unship (schema ${SCHEMA_VERSION + 1}; this one knows ${SCHEMA_VERSION}): use that one`,
    );
    await place.run(newer(SCHEMA_VERSION, place));
    expect(await (await place.open()).entries()).toHaveLength(1);
  });
});
