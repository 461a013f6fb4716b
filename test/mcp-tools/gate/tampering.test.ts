import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Plan } from "../../../core/model/plan.ts";
import type { OwnLedger } from "../../../knowledge/ledger/sql-ledger.ts";
import { assessmentOf, NOW, policyOf } from "../../core/guardrails/rule-inputs.ts";
import { type LedgerPlace, type NewPlace, onEachStore } from "../../knowledge/ledger/ledger-stores.ts";
import { signingKeys } from "../../knowledge/ledger/signing-keys.ts";
import { CART, livedIn } from "./edited-life.ts";
import { ALICE_TOKEN, openWorld } from "./gate-world.ts";
import { type Edit, editOf, filled, type Rows, rowsOf } from "./outside-writer.ts";

/** The same ones each time; UNSHIP_EDITS draws as many new runs. */
const DRAWN = process.env.UNSHIP_EDITS;
const RUNS = { sqlite: 60, postgres: 20 } as const;

type Plans = Awaited<ReturnType<typeof livedIn>>;

const clock = { now: () => NOW };

/** What the gate makes of the plan that waits: one that only people may let run, and one that a pause alone holds. */
async function decisions(ledger: OwnLedger, plans: Plans): Promise<{ said: readonly string[]; writes: number }> {
  const outcomeOf = async (mode: "approve" | "auto", plan: Plan) => {
    await using world = await openWorld({ config: policyOf({ mode }), parts: { store: ledger } });
    world.targets.place(CART);
    world.assessment = assessmentOf({ targets: plan.targets });
    const said = await world.gate.submit(plan.id).then(
      ({ outcome }) => outcome,
      (error: Error) => `refused: ${"code" in error ? error.code : error.message}`,
    );
    return { said, writes: world.targets.writes().length };
  };
  const approve = await outcomeOf("approve", plans.held);
  const auto = await outcomeOf("auto", plans.paused);
  return { said: [approve.said, auto.said], writes: approve.writes + auto.writes };
}

onEachStore("a ledger that somebody edited who can write its store and knows how", (newPlace: NewPlace) => {
  it("S1, S3: any one to five edits are found by the audit or change no decision, and never let a plan run", async () => {
    using keys = signingKeys();
    const key = keys.key;
    await using origin = await newPlace(clock, key);
    const plans = await livedIn(origin);
    const before = await rowsOf(origin);
    const copy = async () => {
      const place = await newPlace(clock, key);
      await place.run(filled(before));
      return place;
    };
    await using untouched = await copy();
    expect(await untouched.ledger.verify()).toMatchObject({ ok: true, problems: [] });
    const usual = await decisions(untouched.ledger, plans);
    expect(usual).toEqual({ said: ["held", "denied"], writes: 0 });
    const figures = { runs: 0, tried: 0, found: 0, harmless: 0, impossible: 0 };
    const property = fc.asyncProperty(
      fc.array(editOf(origin.store), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      async (edits, isRunning) => {
        await using place = await copy();
        if (isRunning) await place.ledger.readAhead();
        for (const edit of edits) figures[await apply(place, edit, plans.held)] += 1;
        const ledger = isRunning ? place.ledger : await place.open(clock);
        const audit = await (await place.open(clock)).verify().then(
          ({ ok }) => ok,
          () => false,
        );
        const decided = await decisions(ledger, plans);
        expect(decided.writes).toBe(0);
        if (audit) expect(decided.said).toEqual(usual.said);
        figures.runs += 1;
        figures[audit ? "harmless" : "found"] += 1;
      },
    );
    const runs = DRAWN === undefined ? { numRuns: RUNS[origin.store], seed: 1 } : { numRuns: Number(DRAWN) };
    await fc.assert(property, runs);
    console.info(`${origin.store}: ${JSON.stringify(figures)}`);
    expect(figures.found).toBeGreaterThan(figures.runs / 2);
  }, 3_600_000);

  describe.each([
    ["with a key that signs the ledger's end", true],
    ["without such a key", false],
  ])("%s", (_, isSigned) => {
    it("S3: an approval that an outside writer wrote, well hashed and with its rows, lets nothing run", async () => {
      using keys = signingKeys();
      await using place = await newPlace(clock, isSigned ? keys.key : undefined);
      const plans = await livedIn(place);
      for (const name of ["append an approval", "append an approval with the proof of another"]) {
        await apply(place, await drawn(place, name), plans.held);
        const { said, writes } = await decisions(await place.open(clock), plans);
        expect({ said: said[0], writes }).toEqual({ said: isSigned ? "refused: ledger.corrupt" : "held", writes: 0 });
      }
    });
  });

  it.each([
    ["the row of an approval alone", "rows of an approval"],
    ["the row of an approval, and an entry before the first", "hide an approval"],
    ["an end of a pause", "append a resume"],
    ["an index that keeps two plans off one target", "drop intents_one_open_a_target"],
    ["an entry that was written anew with all after it", "rewrite: actor"],
  ])("S1, S3: finds %s, and lets nothing run meanwhile", async (_, name) => {
    using keys = signingKeys();
    await using place = await newPlace(clock, keys.key);
    const plans = await livedIn(place);
    await apply(place, await drawn(place, name), plans.held);
    expect((await place.ledger.verify()).ok).toBe(false);
    const refused = "refused: ledger.corrupt";
    expect(await decisions(place.ledger, plans)).toEqual({ said: [refused, refused], writes: 0 });
  });

  it("S3: an answer that its approver gave lets the plan run, in whatever process", async () => {
    using keys = signingKeys();
    await using place = await newPlace(clock, keys.key);
    const plans = await livedIn(place);
    await using desk = await openWorld({ config: policyOf({ mode: "approve" }), parts: { store: place.ledger } });
    await desk.gate.approve(plans.held.id, ALICE_TOKEN);
    const { said } = await decisions(await place.open(clock), plans);
    expect(said[0]).toBe("executed");
  });

  it("S1: a ledger that was written without the key is not written on until its owner signs it", async () => {
    using keys = signingKeys();
    await using before = await newPlace(clock);
    await livedIn(before);
    const rows = await rowsOf(before);
    await using place = await newPlace(clock, keys.key);
    await place.run(filled(rows));
    const draft = { kind: "note", incidentId: null, planId: null, actor: "test", body: {} };
    await expect(place.ledger.append(draft)).rejects.toThrow("is not signed, though a signing key is configured");
    await place.ledger.signEnd();
    expect((await place.ledger.append(draft)).kind).toBe("note");
    expect(await place.ledger.verify()).toMatchObject({ ok: true, problems: [] });
    expect(await before.ledger.verify()).toMatchObject({ ok: true });
  });
});

/** Whether the store took it; what it refuses by itself is no edit. Triggers do not hold whoever may drop them. */
async function apply(place: LedgerPlace, edit: Edit, plan: Plan): Promise<"tried" | "impossible"> {
  const rows: Rows = await rowsOf(place);
  const sql = edit.sql(rows, plan);
  const direct = /^(drop|alter|create)/.test(sql);
  return (direct ? place.run(sql) : place.tamper(`begin; ${sql}; commit`)).then(
    () => "tried" as const,
    () => "impossible" as const,
  );
}

/** The first edit of this name that is drawn. */
async function drawn(place: LedgerPlace, name: string): Promise<Edit> {
  const edits = fc.sample(editOf(place.store), { numRuns: 2000, seed: 1 });
  const found = edits.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no edit is called ${name}`);
  return found;
}
