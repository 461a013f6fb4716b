import { describe, expect, it } from "vitest";
import { policyOf, serviceOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, APPROVERS, BOB_TOKEN, openWorld, sha256, type World } from "./gate-world.ts";

const twoPersons = [{ services: ["checkout"], actions: null, criticality: null }];
const config = { ...policyOf(), approval: { ...policyOf().approval, twoPersons } };
const planIn = async (world: World) => (await world.gate.propose(world.draft())).plan.id;

describe("a plan for two people", () => {
  it("runs when both have approved, and the ledger names both", async () => {
    await using world = await openWorld({ config });
    const plan = await planIn(world);
    expect(await world.gate.submit(plan)).toMatchObject({ outcome: "held" });
    expect(await world.gate.approve(plan, ALICE_TOKEN)).toMatchObject({ by: "alice", stillNeeded: 1 });
    expect(await world.gate.submit(plan)).toMatchObject({ outcome: "held" });
    expect(await world.gate.approve(plan, BOB_TOKEN)).toMatchObject({ by: "bob", stillNeeded: 0 });
    expect(await world.gate.submit(plan)).toMatchObject({ outcome: "executed" });
    expect(await world.store.entries({ kinds: ["plan.reserved"] })).toMatchObject([
      { body: { approvedBy: "alice, bob", automatic: false } },
    ]);
  });

  it("is held while one person approves it twice", async () => {
    await using world = await openWorld({ config });
    const plan = await planIn(world);
    await world.gate.approve(plan, ALICE_TOKEN);
    expect(await world.gate.approve(plan, ALICE_TOKEN)).toMatchObject({ stillNeeded: 1 });
    expect(await world.gate.submit(plan)).toMatchObject({ outcome: "held" });
  });

  it("is held when the first approval has run out before the second came", async () => {
    await using world = await openWorld({ config });
    const plan = await planIn(world);
    await world.gate.approve(plan, ALICE_TOKEN);
    world.time.now += 10 * 60_000;
    expect(await world.gate.approve(plan, BOB_TOKEN)).toMatchObject({ stillNeeded: 1 });
    expect(await world.gate.submit(plan)).toMatchObject({ outcome: "held" });
  });

  it("is not approved by who proposed it", async () => {
    await using world = await openWorld({ config });
    const { plan } = await world.gate.propose(world.draft({ proposedBy: "cli:alice" }));
    await expect(world.gate.approve(plan.id, ALICE_TOKEN)).rejects.toMatchObject({ code: "approval.refused" });
  });
});

describe("S3: a token that means two things means neither", () => {
  const [alice, bob] = APPROVERS;
  if (alice === undefined || bob === undefined) throw new Error("no approvers");

  it.each([
    [
      "one person's under two names, here by its key and there by its hash",
      { approvers: [alice, { ...bob, tokenKey: undefined, tokenSha256: sha256(ALICE_TOKEN) }].map(withoutUndefined) },
      /listed for more than one approver/,
    ],
    [
      "an approver's that callers of MCP show too",
      { approvers: [alice, bob], server: serverOf([{ name: "laptop", tokenSha256: sha256(ALICE_TOKEN) }]) },
      /callers of MCP show this token too \(server\.tokens laptop\)/,
    ],
  ])("%s approves nothing", async (_, change, why) => {
    await using world = await openWorld({ config: { ...policyOf(), ...change } });
    const plan = await planIn(world);
    await expect(world.gate.approve(plan, ALICE_TOKEN)).rejects.toThrow(why);
    await expect(world.gate.identify(ALICE_TOKEN)).rejects.toThrow(why);
    expect(await world.store.entries({ kinds: ["approval.given"] })).toEqual([]);
  });
});

type Approvers = typeof APPROVERS;
const withoutUndefined = ({
  tokenKey,
  ...one
}: Omit<Approvers[number], "tokenKey"> & { tokenKey?: string | undefined }) =>
  tokenKey === undefined ? one : { ...one, tokenKey };
function serverOf(tokens: readonly { readonly name: string; readonly tokenSha256: string }[]) {
  const all = tokens.map((one) => ({ ...one, readOnly: false }));
  return { listen: null, tokens: all, hosts: [], origins: [], requestsPerMinute: 120 };
}

describe("a person's rights", () => {
  it.each([
    ["an action that they may not approve", { actions: ["feature_flag_disable" as const] }, /not answer for kubectl/],
    ["a service that matters more than they may answer for", { upTo: "low" as const }, /up to low/],
  ])("are refused, and that is written down: %s", async (_, right, why) => {
    const [alice] = APPROVERS;
    if (alice === undefined) throw new Error("no approver");
    await using world = await openWorld({
      config: {
        ...policyOf({ mode: "approve", services: { checkout: serviceOf() } }),
        approvers: [{ ...alice, ...right }],
      },
    });
    const plan = await planIn(world);
    await expect(world.gate.approve(plan, ALICE_TOKEN)).rejects.toThrow(why);
    expect(await world.store.entries({ kinds: ["approval.refused"] })).toMatchObject([
      { planId: plan, actor: "alice" },
    ]);
    expect(await world.gate.submit(plan)).toMatchObject({ outcome: "held" });
  });

  it("that a person has lost since they approved end the approval", async () => {
    await using world = await openWorld({ config: policyOf({ mode: "approve" }) });
    const plan = await planIn(world);
    await world.gate.approve(plan, ALICE_TOKEN);
    const approvers = APPROVERS.map((one) => ({ ...one, actions: ["feature_flag_disable" as const] }));
    const later = world.newGate({ config: { ...policyOf({ mode: "approve" }), approvers } });
    expect(await later.submit(plan)).toMatchObject({ outcome: "held" });
  });
});
