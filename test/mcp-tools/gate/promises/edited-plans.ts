import type { GateStore } from "../../../../core/guardrails/gate-store.ts";
import type { Plan } from "../../../../core/model/plan.ts";
import type { Ledger } from "../../../../core/ports.ts";

/** The ledger, in which somebody has edited the plans with these ids behind the gate's back. */
export function withEdited(store: Ledger & GateStore, ids: ReadonlySet<string>): Ledger & GateStore {
  const edit = (plan: Plan | null): Plan | null =>
    plan === null || !ids.has(plan.id)
      ? plan
      : { ...plan, targets: plan.targets.map((one) => ({ ...one, restore: { version: "edited", revision: "1" } })) };
  return {
    ...store,
    plan: async (id) => edit(await store.plan(id)),
    transact: (work) =>
      store.transact((tx) =>
        work({
          ...tx,
          plan: async (id) => edit(await tx.plan(id)),
          // The store would notice (`tampering.test.ts`): here the rules are asked what they make of it by themselves.
          trust: async (plan) => tx.trust((await tx.plan(plan.id)) ?? plan),
        }),
      ),
  };
}
