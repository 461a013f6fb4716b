import { expect, it } from "vitest";
import { onEachStore } from "./ledger-stores.ts";

const FIRST = { at: 1_000, stepMs: 15_000, down: [] };
const SECOND = {
  ...{ at: 16_000, stepMs: 15_000 },
  down: [{ source: "prometheus", parts: ["metrics: error_rate", "targets"], since: 15_500 }],
};

onEachStore("the last evaluation of a watch", (newPlace) => {
  it("is the one that was saved last, by whatever process, and none before the first", async () => {
    await using place = await newPlace();
    expect(await place.ledger.lastEvaluation()).toBeNull();
    await place.ledger.saveEvaluation(FIRST);
    await place.ledger.saveEvaluation(SECOND);
    const other = await place.open();
    expect(await other.lastEvaluation()).toEqual(SECOND);
    expect(await place.read("select at from evaluations")).toHaveLength(1);
  });

  it("is in no entry: the chain is as long as before, and whole", async () => {
    await using place = await newPlace();
    await place.ledger.append({ kind: "k", incidentId: null, planId: null, actor: "watch", body: {} });
    const before = await place.ledger.head();
    await place.ledger.saveEvaluation(SECOND);
    expect(await place.ledger.head()).toEqual(before);
    expect(await place.ledger.verify()).toMatchObject({ ok: true, entries: 1 });
  });

  it.each(["'{'", "'7'", '\'{"at":"now"}\''])("is unknown where the row holds %s", async (body) => {
    await using place = await newPlace();
    await place.ledger.saveEvaluation(FIRST);
    await place.run(`update evaluations set body = ${body}`);
    expect(await place.ledger.lastEvaluation()).toBeNull();
    await place.ledger.saveEvaluation(SECOND);
    expect(await place.ledger.lastEvaluation()).toEqual(SECOND);
  });
});
