import { expect, it } from "vitest";
import type { DamagedIncident } from "../../../core/ports.ts";
import { incident } from "../incidents.ts";
import { draftOf } from "./ledger-files.ts";
import { onEachStore } from "./ledger-stores.ts";

onEachStore("a ledger in which an incident is damaged", (newPlace) => {
  const openOf = (id: string) => ({
    ...incident,
    id,
    stage: "detected" as const,
    plan: null,
    gate: null,
    recovery: null,
  });

  async function threeOpen() {
    const place = await newPlace();
    for (const id of ["a", "b", "c"]) await place.ledger.saveIncident(openOf(id));
    return place;
  }

  it.each([
    ["is no JSON", "{"],
    ["is no incident", "{}"],
    ["is nothing", ""],
  ])("reads it from the entry that saved it last where its row %s, and says so", async (_, body) => {
    await using place = await threeOpen();
    await place.tamper(`update incidents set body = '${body}' where id = 'b'`);
    const damaged: DamagedIncident[] = [];
    const found = await place.ledger.incidents({ open: true }, (one) => damaged.push(one));
    expect(found.map(({ id }) => id).sort()).toEqual(["a", "b", "c"]);
    expect(damaged).toEqual([{ id: "b", reason: "its row is damaged; taken from entry 2, which saved it last" }]);
    expect(await place.ledger.incident("b")).toEqual(openOf("b"));
    expect(await place.ledger.incidents()).toHaveLength(3);
  });

  it("leaves it out and says so where the entry is damaged too, and fails whoever could not say so", async () => {
    await using place = await threeOpen();
    await place.tamper("update incidents set body = '{' where id = 'b'; update entries set body = '{' where seq = 2");
    const damaged: DamagedIncident[] = [];
    const found = await place.ledger.incidents({ open: true }, (one) => damaged.push(one));
    expect(found.map(({ id }) => id).sort()).toEqual(["a", "c"]);
    expect(damaged).toEqual([
      { id: "b", reason: "its row is damaged, and so is entry 2, which saved it last: nothing is known of it" },
    ]);
    await expect(place.ledger.incidents()).rejects.toThrow("The ledger's incident b is damaged: ");
    await expect(place.ledger.incident("b")).rejects.toMatchObject({ code: "ledger.corrupt" });
    await expect(place.ledger.entries()).rejects.toThrow("The ledger's entry 2 is damaged: its body cannot be read.");
  });

  it.each([
    ["entries", "read", "entries"],
    ["incidents", "read", "incidents"],
    ["pauses", "read", "pauses"],
    ["saveIncident", "written", "incidents"],
    ["append", "written", "entries"],
  ] as const)("%s says that it cannot be %s where %s are gone", async (does, use, table) => {
    await using place = await threeOpen();
    await place.run(`alter table ${table} rename to gone`);
    const done = {
      entries: () => place.ledger.entries(),
      incidents: () => place.ledger.incidents(),
      pauses: () => place.ledger.pauses(),
      saveIncident: () => place.ledger.saveIncident(openOf("d")),
      append: () => place.ledger.append(draftOf({})),
    }[does];
    await expect(done()).rejects.toThrow(`The ledger cannot be ${use}: `);
  });
});
