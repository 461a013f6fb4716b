import { expect } from "vitest";
import { assess, createAssessor } from "../../../core/assessment/assessor.ts";
import type { DecisionAction } from "../../../core/model/decision.ts";
import { testConfig } from "./config.ts";
import { replay } from "./replay.ts";
import { createWorld, type WorldOptions } from "./world.ts";

/** A sentence, a world, what must come of it, and the culprit where there is one. */
export type Trap = readonly [name: string, options: WorldOptions, action: DecisionAction, culprit?: string];

export const shop = {
  web: { rate: 200 },
  gateway: { rate: 200 },
  cart: { rate: 80 },
  checkout: { rate: 60 },
  pay: { rate: 40 },
  stock: { rate: 90 },
};
export const edges = [
  ["web", "gateway"],
  ["gateway", "cart"],
  ["gateway", "checkout"],
  ["checkout", "pay"],
  ["cart", "stock"],
  ["pay", "bank"],
] as const;
/** A shop at 15 s steps with two hours of history and a bank outside. */
export const base = { services: shop, edges, external: ["bank"] };
/** The same without it: then all that its services call is measured, and the time of a deploy may tell. */
export const noBank = { edges: edges.filter(([, callee]) => callee !== "bank"), external: [] };
/** A small system at 1 s steps with half a minute of history. */
export const live = {
  services: { web: { rate: 60 }, cart: { rate: 40 }, stock: { rate: 20 } },
  edges: [
    ["web", "cart"],
    ["cart", "stock"],
  ],
  stepS: 1,
  historyS: 30,
} as const;

/** Walks a world and expects this end of it, and that whoever starts afresh at that moment comes to the same. */
export async function walk(options: WorldOptions, action: DecisionAction, culprit?: string): Promise<void> {
  const world = createWorld({ ...options, seed: 7 });
  const config = testConfig({ watch: { stepMs: world.stepMs } });
  const { acting, last } = await replay(world, config);
  expect(acting?.decision.action ?? "no_action").toBe(action);
  if (culprit !== undefined) expect((acting ?? last)?.decision.culprit?.changeId).toBe(culprit);
  if (acting === null) return;
  world.now = acting.at;
  const fresh = createAssessor({ sources: world.sources, config });
  const again = assess(await fresh.gather(world.now, new AbortController().signal), config, acting.services);
  expect(again.decision.action).toBe(action);
  expect(again.decision.changeIds).toEqual(acting.decision.changeIds);
}
