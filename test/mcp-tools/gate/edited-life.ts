import { expect } from "vitest";
import type { Incident } from "../../../core/model/incident.ts";
import type { Plan } from "../../../core/model/plan.ts";
import { NOW, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { incident } from "../../knowledge/incidents.ts";
import type { LedgerPlace } from "../../knowledge/ledger/ledger-stores.ts";
import { ALICE_TOKEN, openWorld } from "./gate-world.ts";

export type Row = Readonly<Record<string, unknown>>;

/** Every table that the entries amount to, and its columns. */
export const TABLES = {
  incidents: ["id", "open", "detected_at", "entry_seq", "body"],
  plans: ["id", "incident_id", "hash", "body"],
  permits: ["plan_id", "id", "plan_hash", "issued_at", "expires_at", "redeemed_at"],
  intents: [
    ...["plan_id", "position", "incident_id", "service", "action", "target", "target_key", "attempt_key", "automatic"],
    ...["reserved_at", "attempts", "owner", "lease_until", "result", "finished_at", "released", "reaches"],
  ],
  approvals: ["plan_id", "plan_hash", "answer", "approver", "reason", "at", "expires_at", "wall_expires_at", "proof"],
  pauses: ["scope", "paused_by", "at"],
  recoveries: ["plan_id", "verdict", "at"],
  healthy_changes: ["service", "at"],
} as const;
export type Table = keyof typeof TABLES;
export const NAMES = Object.keys(TABLES) as Table[];
export type Contents = Readonly<Record<Table, readonly Row[]>>;

/** Its service is not paused. */
export const CART = targetOf({ name: "cart" });

/** → a plan that waits for a person, and one whose service is paused. A plan that was executed, one with an unknown end that is open, one that was refused, one that waits; pauses and incidents. */
export async function livedIn(place: LedgerPlace): Promise<{ readonly held: Plan; readonly paused: Plan }> {
  const search = targetOf({ name: "search" });
  await place.ledger.saveEvaluation({ at: NOW, stepMs: 15_000, down: [] });
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
  const paused = await gate.propose(world.draft());
  world.targets.place(CART);
  const held = await gate.propose(world.draft({ targets: [CART], incidentId: "incident-3" }));
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
  return { held: held.plan, paused: paused.plan };
}

export async function contentsOf(place: LedgerPlace): Promise<Contents> {
  const read = NAMES.map(async (name) => [name, await place.read(`select * from ${name}`)] as const);
  return Object.fromEntries(await Promise.all(read)) as Contents;
}

export const literal = (value: unknown): string =>
  value === null || value === undefined ? "null" : `'${String(value).replaceAll("'", "''")}'`;

export const written = (contents: Contents): string =>
  NAMES.flatMap((name) => [
    `delete from ${name}`,
    ...contents[name].map(
      (row) => `insert into ${name} values (${TABLES[name].map((column) => literal(row[column])).join(",")})`,
    ),
  ]).join(";");

/** All that an edit could hide in: the rows as they stand, however ordered, but for what no entry tells. */
export const readable = (contents: Contents): unknown =>
  NAMES.map((name) =>
    contents[name]
      .map(({ lease_until: _, ...row }) => JSON.stringify(TABLES[name].map((column) => row[column] ?? null)))
      .sort(),
  );
