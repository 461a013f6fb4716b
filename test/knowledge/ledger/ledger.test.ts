import fc from "fast-check";
import { expect, it } from "vitest";
import type { Incident } from "../../../core/model/incident.ts";
import { NO_INCIDENT } from "../../../core/model/plan.ts";
import { intentOf, NOW, planOf } from "../../core/guardrails/rule-inputs.ts";
import { draftOf } from "./ledger-files.ts";
import { onEachStore } from "./ledger-stores.ts";

const incidentOf = (change: Partial<Incident> = {}): Incident => ({
  id: "incident-1",
  stage: "detected",
  service: "checkout",
  detectedAt: NOW,
  onset: null,
  findings: [],
  conditions: [],
  affectedServices: ["checkout"],
  changes: [],
  ranking: null,
  impact: null,
  decision: null,
  plan: null,
  gate: null,
  baselines: [],
  recovery: null,
  outcome: null,
  closedAt: null,
  timeline: [],
  unverified: [],
  usage: { inputTokens: 0, outputTokens: 0, toolCalls: 0 },
  ...change,
});

onEachStore("the ledger", (newPlace) => {
  it("hands out every entry that fits, however many there are", async () => {
    await using file = await newPlace();
    const count = 1003;
    await file.ledger.transact(async (tx) => {
      for (let n = 1; n <= count; n += 1) await tx.append(draftOf({ n }, { incidentId: "incident-1" }));
    });
    for (const filter of [{}, { incidentId: "incident-1" }, { kinds: ["note"] }]) {
      expect((await file.ledger.entries(filter)).at(-1)).toMatchObject({ seq: count, body: { n: count } });
    }
    expect(await file.ledger.entries({ limit: 2 })).toHaveLength(2);
  });

  it("S2: its time never runs backwards, however the clock jumps", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 20 }),
        async (clocks) => {
          let now = 0;
          await using file = await newPlace({ now: () => now });
          const { ledger } = file;
          let highest = 0;
          for (const at of clocks) {
            now = at;
            highest = Math.max(highest, at);
            expect((await ledger.append(draftOf({}))).at).toBe(highest);
            await ledger.transact(async (tx) => {
              expect(tx.now).toBe(highest);
              expect((await tx.facts(planOf(), 0)).skewMs).toBe(highest - at);
            });
          }
        },
      ),
      { numRuns: 6 },
    );
  });

  it("two handles on one file write in turn, and wait without blocking each other", async () => {
    await using file = await newPlace();
    const other = await file.open();
    const one = Array.from({ length: 25 }, (_, n) => file.ledger.append(draftOf({ n })));
    const two = Array.from({ length: 25 }, (_, n) => other.transact((tx) => tx.append(draftOf({ n }))));
    const seqs = (await Promise.all([...one, ...two])).map(({ seq }) => seq).sort((a, b) => a - b);
    expect(seqs).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    expect(await other.verify()).toMatchObject({ ok: true, entries: 50 });
  });

  it("a transaction that throws leaves nothing behind", async () => {
    await using file = await newPlace();
    const plan = planOf();
    const failing = file.ledger.transact(async (tx) => {
      await tx.savePlan(plan);
      await tx.append(draftOf({}));
      await tx.addIntents([intentOf()]);
      throw new Error("the process thought better of it");
    });
    await expect(failing).rejects.toThrow("the process thought better of it");
    expect(await file.ledger.plan(plan.id)).toBeNull();
    expect(await file.ledger.entries()).toEqual([]);
    expect(await file.ledger.transact((tx) => tx.intents({}))).toEqual([]);
  });

  it("S2: a second open intent at one target is refused by the database itself", async () => {
    await using file = await newPlace();
    const open = { finishedAt: null, result: null };
    await file.ledger.transact((tx) => tx.addIntents([intentOf({ planId: "p1", ...open })]));
    const second = file.ledger.transact((tx) => tx.addIntents([intentOf({ planId: "p2", ...open })]));
    await expect(second).rejects.toMatchObject({ code: "ledger.unavailable" });
    await file.ledger.transact((tx) => tx.updateIntent("p1", 0, { finishedAt: NOW }));
    await file.ledger.transact((tx) => tx.addIntents([intentOf({ planId: "p3", ...open })]));
    expect(await file.ledger.transact((tx) => tx.intents({ open: true }))).toMatchObject([{ planId: "p3" }]);
  });

  it("tells how the incident of a plan is by the time it is judged", async () => {
    await using file = await newPlace();
    const { ledger } = file;
    const standing = async (incidentId: string) =>
      (await ledger.transact((tx) => tx.facts(planOf({ incidentId }), 0))).incident;
    expect([await standing(NO_INCIDENT), await standing("incident-1")]).toEqual(["none", "unknown"]);
    await ledger.saveIncident(incidentOf());
    expect(await standing("incident-1")).toBe("open");
    await ledger.saveIncident(incidentOf({ stage: "closed", outcome: "no-action", closedAt: NOW + 1 }));
    expect(await standing("incident-1")).toBe("closed");
  });

  it("keeps an incident as it is now, and each step of it in the chain", async () => {
    await using file = await newPlace();
    const { ledger } = file;
    await ledger.saveIncident(incidentOf());
    await ledger.saveIncident(incidentOf({ stage: "closed", outcome: "no-action", closedAt: NOW + 1 }));
    await ledger.saveIncident(incidentOf({ id: "incident-2", detectedAt: NOW + 5 }));
    expect(await ledger.incident("incident-1")).toMatchObject({ stage: "closed", outcome: "no-action" });
    expect((await ledger.incidents()).map(({ id }) => id)).toEqual(["incident-2", "incident-1"]);
    expect((await ledger.incidents({ open: true })).map(({ id }) => id)).toEqual(["incident-2"]);
    expect((await ledger.incidents({ open: false, limit: 1 })).map(({ id }) => id)).toEqual(["incident-1"]);
    expect(await ledger.incident("nobody")).toBeNull();
    const saved = await ledger.entries({ incidentId: "incident-1" });
    expect(saved.map(({ kind }) => kind)).toEqual(["incident.saved", "incident.saved"]);
  });

  it("hands out entries by incident, kind and place", async () => {
    await using file = await newPlace();
    for (const [kind, incidentId] of [
      ["a", "i"],
      ["b", "i"],
      ["a", "j"],
      ["c", null],
    ] as const) {
      await file.ledger.append(draftOf({}, { kind, incidentId }));
    }
    const seqs = async (filter: Parameters<typeof file.ledger.entries>[0]) =>
      (await file.ledger.entries(filter)).map(({ seq }) => seq);
    expect(await seqs({ incidentId: "i" })).toEqual([1, 2]);
    expect(await seqs({ kinds: ["a", "c"] })).toEqual([1, 3, 4]);
    expect(await seqs({ kinds: [] })).toEqual([]);
    expect(await seqs({ afterSeq: 1, limit: 2 })).toEqual([2, 3]);
  });

  it("hands out every automatic rollback, and when a later change of a service last proved healthy", async () => {
    let now = NOW;
    await using file = await newPlace({ now: () => now });
    const { ledger } = file;
    const facts = () => ledger.transact((tx) => tx.facts(planOf(), 0));
    const automatic = async () => (await facts()).automatic.map(({ planId }) => planId);
    const add = (planId: string, change = {}) =>
      ledger.transact((tx) => tx.addIntents([intentOf({ name: "checkout", planId, reservedAt: tx.now, ...change })]));
    await add("p1");
    now += 1000;
    await add("p2", { automatic: false });
    await add("p3", { released: true });
    await add("other", { target: { ...intentOf().target, service: "mail" } });
    expect(await automatic()).toEqual(["p1", "other"]);
    now += 1000;
    await ledger.append(draftOf({ service: "checkout", changeId: "c" }, { kind: "change.healthy" }));
    now += 1000;
    await add("p4", { reaches: ["checkout", "mail"] });
    expect((await facts()).healthy).toEqual(new Map([["checkout", NOW + 2000]]));
    expect((await facts()).automatic.map(({ planId, reservedAt, reaches }) => [planId, reservedAt, reaches])).toEqual([
      ["p1", NOW, undefined],
      ["other", NOW + 1000, undefined],
      ["p4", NOW + 3000, ["checkout", "mail"]],
    ]);
    await expect(ledger.append(draftOf({}, { kind: "change.healthy" }))).rejects.toMatchObject({
      code: "input.invalid",
    });
  });

  it("joins what verification said of a plan to its intents, the last word counting", async () => {
    await using file = await newPlace();
    const { ledger } = file;
    const plan = planOf();
    await ledger.transact((tx) => tx.addIntents([intentOf({ planId: plan.id })]));
    const recoveryOf = async () => (await ledger.transact((tx) => tx.intents({ planId: plan.id })))[0]?.recovery;
    expect(await recoveryOf()).toBeNull();
    for (const [verdict, kept] of [
      ["pending", null],
      ["not-recovered", "not-recovered"],
      ["recovered", "recovered"],
    ] as const) {
      await ledger.saveIncident(incidentOf({ plan, recovery: { verdict, at: null, checks: [] } }));
      expect(await recoveryOf()).toBe(kept);
    }
  });

  it("refuses to act on a row that does not fit its schema", async () => {
    await using file = await newPlace();
    const plan = planOf();
    await file.ledger.transact((tx) => tx.savePlan(plan));
    await file.tamper("update plans set body = '{}'");
    await expect(file.ledger.plan(plan.id)).rejects.toMatchObject({ code: "ledger.corrupt" });
  });

  it("says so after it was closed", async () => {
    await using file = await newPlace();
    await file.ledger.close();
    await expect(file.ledger.append(draftOf({}))).rejects.toMatchObject({ code: "ledger.unavailable" });
    await expect(file.ledger.entries()).rejects.toMatchObject({ code: "ledger.unavailable" });
  });

  it("names an incident's row that is not as it was saved", async () => {
    await using file = await newPlace();
    await file.ledger.saveIncident(incidentOf());
    await file.tamper(`update incidents set body = replace(body, 'detected', 'executing')`);
    expect(await file.ledger.verify()).toMatchObject({
      ok: false,
      problems: [{ seq: 1, reason: "incident incident-1 is not as it was saved" }],
    });
  });

  it("is verified while others go on writing", async () => {
    await using file = await newPlace();
    const other = await file.open();
    await file.ledger.transact(async (tx) => {
      for (let n = 0; n < 600; n += 1) await tx.append(draftOf({ n }));
    });
    const writing = Promise.all(Array.from({ length: 40 }, (_, n) => other.append(draftOf({ n }))));
    const during = await Promise.all([1, 2, 3].map(() => file.ledger.verify()));
    expect(during.map(({ ok, problems }) => ({ ok, problems }))).toEqual(Array(3).fill({ ok: true, problems: [] }));
    await writing;
    expect(await file.ledger.verify()).toMatchObject({ ok: true, entries: 640 });
  });
});
