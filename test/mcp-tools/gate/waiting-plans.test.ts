import { describe, expect, it } from "vitest";
import { stateOf, waitingPlans } from "../../../core/guardrails/waiting-plans.ts";
import { NO_INCIDENT } from "../../../core/model/plan.ts";
import type { GateConfig } from "../../../mcp-tools/gate/parts.ts";
import { HOUR, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, APPROVERS, openWorld, type World } from "./gate-world.ts";

const config = { ...policyOf({ mode: "approve" }), approvers: APPROVERS };

/** A freeze that denies rollbacks, between two moments that a test sets. */
function freezing() {
  const frozen = { is: false };
  const freezeWindows: GateConfig["freezeWindows"] = [
    {
      name: "black friday",
      services: null,
      cron: "0 0 * * *",
      timeZone: "UTC",
      durationMs: HOUR,
      rollbacks: "deny",
      openAt: (at) => (frozen.is ? { from: at - HOUR, to: at + HOUR } : null),
    },
  ];
  return { frozen, freezeWindows };
}

interface Hold {
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
}

/** What denies a plan for a time only, and how it ends. */
const HOLDS: Readonly<Record<string, (world: World, frozen: { is: boolean }) => Hold>> = {
  "a pause of everything": ({ gate }) => ({
    begin: () => gate.pause("all", "bob"),
    end: () => gate.resume("all", ALICE_TOKEN),
  }),
  "a pause of its service": ({ gate }) => ({
    begin: () => gate.pause("checkout", "bob"),
    end: () => gate.resume("checkout", ALICE_TOKEN),
  }),
  "a freeze": (_, frozen) => ({
    begin: async () => (frozen.is = true),
    end: async () => (frozen.is = false),
  }),
};

/** What happens to a plan that waits, in this order. */
type Step = "approved" | "held back" | "submitted";
const ORDERS: readonly (readonly Step[])[] = [
  ["held back"],
  ["held back", "submitted"],
  ["held back", "approved"],
  ["held back", "approved", "submitted"],
  ["held back", "submitted", "approved", "submitted"],
  ["approved", "held back"],
  ["approved", "held back", "submitted"],
];

describe("S14, S15: a plan that is denied for a time only", () => {
  for (const [what, holdOf] of Object.entries(HOLDS))
    it.each(ORDERS)(`by ${what}: is listed for as long as it can run (%s, %s, %s, %s)`, async (...order) => {
      const { frozen, freezeWindows } = freezing();
      await using world = await openWorld({ config: { ...config, freezeWindows } });
      const hold = holdOf(world, frozen);
      const { plan } = await world.gate.propose(world.draft({ incidentId: NO_INCIDENT, proposedBy: "mcp:stdio:x" }));
      const listed = async () => {
        const all = await waitingPlans(world.store, world.time.now);
        return all.map((one) => [one.plan.id, stateOf(one, world.time.now)]);
      };
      for (const [index, step] of order.filter((one) => one !== undefined).entries()) {
        if (step === "approved") await world.gate.approve(plan.id, ALICE_TOKEN);
        if (step === "held back") await hold.begin();
        if (step === "submitted") expect((await world.gate.submit(plan.id)).outcome).toBe("denied");
        const isApproved = order.slice(0, index).includes("approved");
        const runsByItself = step === "submitted" && isApproved;
        expect(await listed()).toEqual([
          [plan.id, runsByItself ? "approved" : expect.stringMatching(/waiting|approved/)],
        ]);
      }
      expect(world.targets.calls()).toEqual([]);
      await hold.end();
      if (order.includes("approved")) expect((await world.gate.submit(plan.id)).outcome).toBe("executed");
      expect(await listed()).toEqual(order.includes("approved") ? [] : [[plan.id, "waiting"]]);
    });

  it("that was proposed in a pause waits for a person as well", async () => {
    await using world = await openWorld({ config });
    await world.gate.pause("all", "bob");
    const { plan } = await world.gate.propose(world.draft({ incidentId: NO_INCIDENT, proposedBy: "mcp:stdio:x" }));
    expect((await waitingPlans(world.store, world.time.now)).map((one) => one.plan.id)).toEqual([plan.id]);
  });

  it("is approved for no longer than its approval lives, and one that stays denied waits for nobody", async () => {
    await using world = await openWorld({ config });
    const { plan } = await world.gate.propose(world.draft({ incidentId: NO_INCIDENT, proposedBy: "mcp:stdio:x" }));
    const { expiresAt } = await world.gate.approve(plan.id, ALICE_TOKEN);
    await world.gate.pause("all", "bob");
    await world.gate.submit(plan.id);
    const state = async () =>
      (await waitingPlans(world.store, world.time.now)).map((one) => stateOf(one, world.time.now));
    world.time.now = expiresAt - 1;
    expect(await state()).toEqual(["approved"]);
    world.time.now = expiresAt;
    expect(await state()).not.toContain("approved");
    await using moved = await openWorld({ config });
    moved.targets.place(targetOf(), { version: "v3", revision: "8" });
    const { plan: stale } = await moved.gate.propose(
      moved.draft({ incidentId: NO_INCIDENT, proposedBy: "mcp:stdio:x" }),
    );
    expect((await moved.gate.submit(stale.id)).outcome).toBe("denied");
    expect(await waitingPlans(moved.store, moved.time.now)).toEqual([]);
  });
});
