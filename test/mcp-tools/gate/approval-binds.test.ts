import { describe, expect, it } from "vitest";
import { MINUTE, policyOf, serviceOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, openWorld, type World } from "./gate-world.ts";

const synced = targetOf({
  action: "argocd_sync_to_previous",
  service: "cart",
  object: { kind: "Application", namespace: "argocd", name: "shop" },
});
const services = {
  cart: serviceOf({ argocdApplication: "shop", mode: "approve" }),
  payments: serviceOf({ workload: { kind: "Deployment", name: "pay-api" } }),
};
const config = { services, guardrails: { ...policyOf().guardrails, neverAutoRollback: ["checkout", "prices"] } };

/** A gate whose application changes what the caller says, from one look to the next. */
function gateOver(world: World, holds: { reaches: readonly string[]; touches: readonly string[] }) {
  world.targets.place(synced);
  const app = world.targets.executor("argocd_sync_to_previous");
  const inspect: typeof app.inspect = async (target, abort) => ({
    ...(await app.inspect(target, abort)),
    ...holds,
    capacity: { replicas: 2, less: [] },
  });
  return world.newGate({ executors: [{ ...app, inspect }, world.targets.executor("kubectl_rollout_undo")] });
}

describe("S4: a yes is to what the plan would change when it was read", () => {
  it.each([
    ["a service that the file describes", { reaches: ["cart", "pay-api"], touches: [] }, "payments"],
    ["what no service of the file describes", { reaches: ["cart", "cron"], touches: [] }, "cron"],
    ["an object that is protected", { reaches: ["cart"], touches: ["prices"] }, "prices"],
  ])("and not where %s has come into the application since, until it is given again", async (_, later, name) => {
    await using world = await openWorld({ config });
    const holds = { reaches: ["cart"] as readonly string[], touches: [] as readonly string[] };
    const gate = gateOver(world, holds);
    const { plan } = await gate.propose(world.draft({ targets: [synced] }));
    await gate.approve(plan.id, ALICE_TOKEN, plan.hash);
    Object.assign(holds, later);
    const held = await gate.submit(plan.id);
    expect(held).toMatchObject({ outcome: "held", results: [] });
    expect(held.review.rules).toContainEqual({
      rule: "approved-reach",
      verdict: "require_approval",
      reason: `alice approved before the plan was known to change ${name} as well; read the plan as it is now and approve it again`,
    });
    world.time.now += MINUTE;
    await gate.approve(plan.id, ALICE_TOKEN, plan.hash);
    expect(await gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  });

  it("and still where less would change, or an object that nobody protects", async () => {
    await using world = await openWorld({ config });
    const holds = { reaches: ["cart", "pay-api"] as readonly string[], touches: [] as readonly string[] };
    const gate = gateOver(world, holds);
    const { plan } = await gate.propose(world.draft({ targets: [synced] }));
    await gate.approve(plan.id, ALICE_TOKEN);
    Object.assign(holds, { reaches: ["cart"], touches: ["settings"] });
    expect(await gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  });
});

describe("S4: a clock that was set back makes no yes younger", () => {
  const approved = async (world: World) => {
    const { plan } = await world.gate.propose(world.draft());
    await world.gate.approve(plan.id, ALICE_TOKEN);
    return plan.id;
  };

  it("counts no yes of a time that the clock has yet to reach", async () => {
    await using world = await openWorld({ config });
    const id = await approved(world);
    world.time.now -= 40 * MINUTE;
    expect(await world.gate.submit(id)).toMatchObject({ outcome: "held" });
  });

  it("nor once the clock has come there again, where a look meanwhile saw it behind", async () => {
    await using world = await openWorld({ config });
    const id = await approved(world);
    world.time.now -= 40 * MINUTE;
    expect(await world.gate.submit(id)).toMatchObject({ outcome: "held" });
    world.time.now += 41 * MINUTE;
    expect(await world.gate.submit(id)).toMatchObject({ outcome: "held" });
    await world.gate.approve(id, ALICE_TOKEN);
    expect(await world.gate.submit(id)).toMatchObject({ outcome: "executed" });
  });

  it("counts one that was given since, and one of a clock that differs by no more than those of NTP do", async () => {
    await using world = await openWorld({ config });
    const id = await approved(world);
    world.time.now -= 40 * MINUTE;
    await world.gate.approve(id, ALICE_TOKEN);
    expect(await world.gate.submit(id)).toMatchObject({ outcome: "executed" });
    await using other = await openWorld({ config });
    const same = await approved(other);
    other.time.now -= MINUTE;
    expect(await other.gate.submit(same)).toMatchObject({ outcome: "executed" });
  });
});
