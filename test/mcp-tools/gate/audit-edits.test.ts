import fc from "fast-check";
import { expect, it } from "vitest";
import type { Incident } from "../../../core/model/incident.ts";
import { NOW, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { incident } from "../../knowledge/incidents.ts";
import { type LedgerPlace, type NewPlace, onEachStore } from "../../knowledge/ledger/ledger-stores.ts";
import { ALICE_TOKEN, openWorld } from "./gate-world.ts";

type Row = Readonly<Record<string, unknown>>;

/** Every table but the chain's own, and its columns. */
const TABLES = {
  incidents: ["id", "open", "detected_at", "entry_seq", "body"],
  plans: ["id", "incident_id", "hash", "body"],
  permits: ["plan_id", "id", "plan_hash", "issued_at", "expires_at", "redeemed_at"],
  intents: [
    ...["plan_id", "position", "incident_id", "service", "action", "target", "target_key", "attempt_key", "automatic"],
    ...["reserved_at", "attempts", "owner", "lease_until", "result", "finished_at", "released"],
  ],
  approvals: ["plan_id", "plan_hash", "answer", "approver", "reason", "at", "expires_at", "wall_expires_at"],
  pauses: ["scope", "paused_by", "at"],
  recoveries: ["plan_id", "verdict", "at"],
  healthy_changes: ["service", "at"],
} as const;
type Table = keyof typeof TABLES;
const NAMES = Object.keys(TABLES) as Table[];
type Contents = Readonly<Record<Table, readonly Row[]>>;

/** A plan that was executed, one with an unknown end that is open, one that was refused, one that waits; pauses and incidents. */
async function livedIn(place: LedgerPlace): Promise<void> {
  const search = targetOf({ name: "search" });
  await using world = await openWorld({ config: policyOf({ mode: "approve" }), parts: { store: place.ledger } });
  world.targets.place(search);
  const { gate } = world;
  const { plan } = await gate.propose(world.draft());
  await gate.approve(plan.id, ALICE_TOKEN);
  expect(await gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  const dark = async () => Promise.reject(new Error("connection refused"));
  const executor = { ...world.targets.executor("kubectl_rollout_undo"), execute: dark, reconcile: dark };
  const unsure = world.newGate({ executors: [executor] });
  const other = await unsure.propose(world.draft({ targets: [search], incidentId: "incident-2" }));
  await unsure.approve(other.plan.id, ALICE_TOKEN);
  expect(await unsure.submit(other.plan.id)).toMatchObject({ results: [{ result: "unknown" }] });
  const refused = await gate.propose(world.draft());
  await gate.reject(refused.plan.id, ALICE_TOKEN, "not at night");
  await gate.propose(world.draft());
  await gate.pause("checkout", "cli:zoe");
  await gate.pause("search", "cli:zoe");
  await gate.resume("search", ALICE_TOKEN);
  const healthy = { service: "checkout", changeId: "deploy-9" };
  await place.ledger.append({ kind: "change.healthy", incidentId: null, planId: null, actor: "watch", body: healthy });
  const recovery = { verdict: "not-recovered" as const, at: NOW, checks: [] };
  const saved: Incident[] = [
    { ...incident, id: "a", stage: "detected", plan: null, gate: null, recovery: null },
    { ...incident, id: "a", stage: "verifying", plan, gate: null, recovery },
    { ...incident, id: "b", stage: "detected", service: "search", plan: null, gate: null, recovery: null },
    { ...incident, id: "c", plan: null, gate: null, recovery: null },
  ];
  for (const one of saved) await place.ledger.saveIncident(one);
}

async function contentsOf(place: LedgerPlace): Promise<Contents> {
  const read = NAMES.map(async (name) => [name, await place.read(`select * from ${name}`)] as const);
  return Object.fromEntries(await Promise.all(read)) as Contents;
}

const literal = (value: unknown): string =>
  value === null || value === undefined ? "null" : `'${String(value).replaceAll("'", "''")}'`;

const written = (contents: Contents): string =>
  NAMES.flatMap((name) => [
    `delete from ${name}`,
    ...contents[name].map(
      (row) => `insert into ${name} values (${TABLES[name].map((column) => literal(row[column])).join(",")})`,
    ),
  ]).join(";");

/** All that an edit could hide in: the rows as they stand, however ordered, but for what no entry tells. */
const readable = (contents: Contents): unknown =>
  NAMES.map((name) =>
    contents[name]
      .map(({ lease_until: _, ...row }) => JSON.stringify(TABLES[name].map((column) => row[column] ?? null)))
      .sort(),
  );

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
