import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { oauthCaller } from "../../../core/guardrails/approver-rights.ts";
import { planContent } from "../../../core/guardrails/targets.ts";
import type { Target } from "../../../core/model/plan.ts";
import { assessmentOf, flagOf, MINUTE, policyOf, serviceOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, APPROVERS, BOB_TOKEN, openWorld, sha256, type World } from "./gate-world.ts";

const approving = () => openWorld({ config: policyOf({ mode: "approve" }) });

async function held(world: World, change: Parameters<World["draft"]>[0] = {}) {
  const { plan } = await world.gate.propose(world.draft(change));
  expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
  return plan;
}

describe("approvals", () => {
  it("S3: a held plan runs after a person approved it, and counts as approved", async () => {
    await using world = await approving();
    const plan = await held(world);
    const { by, expiresAt } = await world.gate.approve(plan.id, ALICE_TOKEN);
    expect({ by, expiresAt }).toEqual({ by: "alice", expiresAt: world.time.now + 10 * MINUTE });
    const answer = await world.gate.submit(plan.id);
    expect(answer).toMatchObject({ outcome: "executed", review: { verdict: "require_approval" } });
    expect(await world.store.transact((tx) => tx.intents({}))).toMatchObject([{ automatic: false }]);
    expect(await world.store.entries({ kinds: ["plan.reserved"] })).toMatchObject([{ body: { approvedBy: "alice" } }]);
  });

  it.each([
    ["a wrong token", "wrong"],
    ["no token", ""],
    ["the token's hash, which is listed in the file", sha256(ALICE_TOKEN)],
    ["another spelling of the token", ALICE_TOKEN.toUpperCase()],
  ])("S3: %s approves nothing", async (_, token) => {
    await using world = await approving();
    const plan = await held(world);
    await expect(world.gate.approve(plan.id, token)).rejects.toMatchObject({ code: "approval.refused" });
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
  });

  it("S3: an empty token is nobody's, even where someone configured its hash", async () => {
    await using world = await openWorld({
      config: {
        ...policyOf({ mode: "approve" }),
        approvers: [{ name: "x", tokenSha256: sha256(""), services: null, actions: null, upTo: "critical" }],
      },
    });
    const plan = await held(world);
    await expect(world.gate.approve(plan.id, "")).rejects.toMatchObject({ code: "approval.refused" });
  });

  it.each(["alice", "cli:alice", "mcp:Alice", "аlice"])("S3: the proposer %s does not approve", async (proposedBy) => {
    await using world = await approving();
    const plan = await held(world, { proposedBy });
    await expect(world.gate.approve(plan.id, ALICE_TOKEN)).rejects.toThrow("nobody approves a plan of their own");
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
  });

  it.each([
    ["00u-alice", "mcp:http(oauth 00u-alice):an-assistant", true],
    ["idp|alice: ops", "mcp:http(oauth «idp|alice: ops»):an-assistant", true],
    ["00u-alice", "mcp:http(oauth 00u-alice2):an-assistant", false],
  ])("S3: whose access token proposed it does not approve: %s, %s", async (oidc, proposedBy, own) => {
    const approvers = APPROVERS.map((one) => (one.name === "alice" ? { ...one, oidc } : one));
    await using world = await openWorld({ config: { ...policyOf({ mode: "approve" }), approvers } });
    expect(`mcp:http(${oauthCaller(oidc)}):an-assistant` === proposedBy).toBe(own);
    const plan = await held(world, { proposedBy });
    const approved = world.gate.approve(plan.id, ALICE_TOKEN);
    if (own) await expect(approved).rejects.toThrow("nobody approves a plan of their own");
    else await expect(approved).resolves.toMatchObject({ by: "alice" });
  });

  it("S3: whoever answers for a flag answers for every service that it reaches", async () => {
    const target = flagOf();
    const services = { checkout: serviceOf({ flags: ["new-cart"] }), billing: serviceOf() };
    await using world = await openWorld({ config: policyOf({ mode: "approve", services }) });
    world.targets.place(target);
    const flags = world.targets.executor("feature_flag_disable");
    const inspect = async (of: Target, abort: AbortSignal) => ({
      ...(await flags.inspect(of, abort)),
      reaches: ["checkout", "billing"],
    });
    const gate = world.newGate({ executors: [{ ...flags, inspect }] });
    world.assessment = assessmentOf({ targets: [target] });
    const { plan } = await gate.propose(world.draft({ targets: [target] }));
    await gate.approve(plan.id, BOB_TOKEN);
    const answer = await gate.submit(plan.id);
    expect(answer.outcome).toBe("held");
    expect(answer.review.rules).toContainEqual({
      rule: "approver-rights",
      verdict: "require_approval",
      reason: "bob may not answer for billing, and the plan changes that too",
    });
    expect(answer.review.rules.find(({ rule }) => rule === "aftermath")?.reason).toContain("billing change with it");
    await gate.approve(plan.id, ALICE_TOKEN);
    expect(await gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
    expect(await world.store.entries({ kinds: ["plan.reserved"] })).toMatchObject([{ body: { approvedBy: "alice" } }]);
  });

  it("S3: an approver answers for the services of theirs alone", async () => {
    await using world = await approving();
    const cart = targetOf({ name: "cart" });
    world.targets.place(cart);
    const targets = [targetOf(), cart];
    world.assessment = assessmentOf({ targets });
    const plan = await held(world, { targets });
    await expect(world.gate.approve(plan.id, BOB_TOKEN)).rejects.toThrow("bob may not answer for cart");
    await expect(world.gate.reject(plan.id, BOB_TOKEN, "")).rejects.toThrow("bob may not answer for cart");
  });

  it("S4: an approval is over at its end", async () => {
    await using world = await approving();
    const plan = await held(world);
    await world.gate.approve(plan.id, ALICE_TOKEN);
    world.time.now += 10 * MINUTE;
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
    await world.gate.approve(plan.id, ALICE_TOKEN);
    world.time.now += 4 * MINUTE;
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  });

  it("S4: an approval never outlives its plan", async () => {
    await using world = await approving();
    const plan = await held(world);
    world.time.now += 14 * MINUTE;
    expect((await world.gate.approve(plan.id, ALICE_TOKEN)).expiresAt).toBe(plan.expiresAt);
    world.time.now += MINUTE;
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "denied" });
    await expect(world.gate.approve(plan.id, ALICE_TOKEN)).rejects.toMatchObject({ code: "plan.expired" });
  });

  it("S4: an approval is over by the clock on the wall where the ledger's time stands still", async () => {
    await using world = await approving();
    const plan = await held(world);
    world.time.now += 14 * MINUTE;
    await world.store.append({ kind: "note", incidentId: null, planId: null, actor: "a wrong clock", body: {} });
    world.time.now -= 14 * MINUTE;
    await world.gate.approve(plan.id, ALICE_TOKEN);
    world.time.now += 2 * MINUTE;
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
  });

  it("S4: the approval of a plan whose time is over is none of the next one with the same targets", async () => {
    await using world = await approving();
    const plan = await held(world);
    await world.gate.approve(plan.id, ALICE_TOKEN);
    world.time.now = plan.expiresAt;
    const other = await held(world);
    expect(other.hash).toBe(plan.hash);
    expect(other.id).not.toBe(plan.id);
    expect(world.targets.calls()).toEqual([]);
  });

  describe("S4: there is one plan a hash", () => {
    const by = (world: World, proposedBy: string) => world.gate.propose(world.draft({ proposedBy }));

    it("whoever asks for a plan that waits gets that one: one question, one yes, and it is executed once", async () => {
      await using world = await approving();
      const { plan } = await by(world, "watch");
      const { plan: again, review } = await by(world, "mcp:stdio:assistant");
      expect([again.id, again.proposedBy, review.verdict]).toEqual([plan.id, "watch", "require_approval"]);
      await world.gate.approve(plan.id, ALICE_TOKEN);
      expect((await by(world, "mcp:stdio:other")).plan.id).toBe(plan.id);
      expect((await world.gate.submit(plan.id)).outcome).toBe("executed");
      expect((await by(world, "mcp:stdio:other")).plan.id).not.toBe(plan.id);
      expect((await world.store.verify()).problems).toEqual([]);
    });

    it("one that a person rejected stands no more", async () => {
      await using world = await approving();
      const { plan } = await by(world, "mcp:stdio:assistant");
      await world.gate.reject(plan.id, ALICE_TOKEN, "not now");
      expect((await by(world, "mcp:stdio:assistant")).plan.id).not.toBe(plan.id);
    });

    it("the watch takes up what a person approved for somebody else, and files its own in place of what nobody did", async () => {
      await using world = await approving();
      const { plan } = await by(world, "mcp:stdio:assistant");
      const { plan: own } = await by(world, "watch");
      expect([own.id === plan.id, own.hash === plan.hash, own.proposedBy]).toEqual([false, true, "watch"]);
      await using other = await approving();
      const { plan: theirs } = await by(other, "mcp:stdio:assistant");
      await other.gate.approve(theirs.id, ALICE_TOKEN);
      expect((await by(other, "watch")).plan.id).toBe(theirs.id);
    });
  });

  it.each([
    ["with its old hash", false],
    ["with a hash that fits again", true],
  ])("S1, S4: a plan that was edited in the store, %s, is not executed on the old approval", async (_, rehashed) => {
    await using world = await approving();
    const plan = await held(world);
    await world.gate.approve(plan.id, ALICE_TOKEN);
    const victim = targetOf({ name: "payments" });
    world.targets.place(victim);
    world.assessment = assessmentOf({ targets: [victim] });
    const edited = { ...plan, targets: [victim] };
    const hash = rehashed ? sha256(planContent(edited)) : plan.hash;
    const database = new DatabaseSync(join(world.folder, "ledger.db"));
    database
      .prepare("update plans set body = ?, hash = ? where id = ?")
      .run(JSON.stringify({ ...edited, hash }), hash, plan.id);
    database.close();
    await expect(world.gate.submit(plan.id)).rejects.toThrow(`plan ${plan.id} is not as it was proposed`);
    expect(world.targets.calls()).toEqual([]);
    if (!rehashed)
      await expect(world.gate.approve(plan.id, ALICE_TOKEN)).rejects.toMatchObject({ code: "plan.changed" });
  });

  it("S4: an approver who was taken out of the file has approved nothing", async () => {
    await using world = await approving();
    const plan = await held(world);
    await world.gate.approve(plan.id, ALICE_TOKEN);
    const gate = world.newGate({ config: { ...policyOf({ mode: "approve" }), approvers: APPROVERS.slice(1) } });
    expect(await gate.submit(plan.id)).toMatchObject({ outcome: "held" });
  });

  it("S4: waiting for approval stops no safety check", async () => {
    await using world = await approving();
    const plan = await held(world);
    await world.gate.approve(plan.id, ALICE_TOKEN);
    world.targets.place(targetOf(), { version: "v3", revision: "8" });
    const answer = await world.gate.submit(plan.id);
    expect(answer.outcome).toBe("denied");
    expect(answer.review.rules[0]).toMatchObject({ rule: "stale", verdict: "deny" });
  });

  it.each<readonly [string, readonly string[], readonly string[], readonly string[]]>([
    ["a part", ["checkout", "cart"], ["cart"], ["cart"]],
    ["the other part", ["checkout", "cart"], ["checkout"], ["checkout"]],
    ["more", ["checkout"], ["checkout", "cart"], ["checkout"]],
    ["a part, and something else", ["checkout", "cart"], ["cart", "search"], ["cart"]],
  ])(
    "S4: a person's no holds a later plan of %s of it, of another incident and by another gate",
    async (_, refused, planned, bound) => {
      const targetsOf = (names: readonly string[]) => names.map((name) => targetOf({ name }));
      await using world = await openWorld({
        config: policyOf({ blastRadius: { services: null, trafficShare: null, replicas: null } }),
      });
      for (const name of ["checkout", "cart", "search"]) world.targets.place(targetOf({ name }));
      const first = await world.gate.propose(world.draft({ targets: targetsOf(refused) }));
      await world.gate.reject(first.plan.id, ALICE_TOKEN, "it is innocent");
      world.assessment = assessmentOf({ targets: targetsOf(planned) });
      const gate = world.newGate();
      const next = await gate.propose(world.draft({ incidentId: "incident-2", targets: targetsOf(planned) }));
      const answer = await gate.submit(next.plan.id);
      expect(answer.outcome).toBe("held");
      const said = answer.review.rules.find(({ rule }) => rule === "rejected")?.reason ?? "";
      expect(said).toContain(`alice rejected plan ${first.plan.id}`);
      for (const name of bound.length === planned.length ? [] : bound)
        expect(said).toContain(`Deployment production/${name}`);
      expect(world.targets.writes()).toEqual([]);
      await gate.approve(next.plan.id, ALICE_TOKEN);
      expect(await gate.submit(next.plan.id)).toMatchObject({ outcome: "executed" });
    },
  );

  it.each([
    ["deploy", targetOf(), targetOf({ changeId: "deploy-2", expected: { version: "v3", revision: "8" } })],
    ["flag", flagOf(), flagOf({ changeId: "flag-2" })],
  ])("S4: a no to a %s says nothing of a newer change of the same object", async (_, refused, newer) => {
    await using world = await openWorld();
    world.targets.place(refused);
    const first = await world.gate.propose(world.draft({ targets: [refused] }));
    await world.gate.reject(first.plan.id, ALICE_TOKEN, "it is innocent");
    world.assessment = assessmentOf({ targets: [refused] });
    const same = await world.gate.propose(
      world.draft({ targets: [{ ...refused, restore: { ...refused.restore, version: "v0" } }] }),
    );
    expect(same.review.rules).toContainEqual(
      expect.objectContaining({ rule: "rejected", verdict: "require_approval" }),
    );
    world.targets.place(newer);
    world.assessment = assessmentOf({ targets: [newer] });
    const { plan, review } = await world.gate.propose(world.draft({ targets: [newer] }));
    expect(review).toMatchObject({ verdict: "allow" });
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  });

  it("S4: a plan that someone rejected is denied, and no one can approve it after", async () => {
    await using world = await approving();
    const plan = await held(world);
    await world.gate.approve(plan.id, BOB_TOKEN);
    const reason = "we roll\u202e forward\u0007\u200b: password=hunter2hunter2";
    expect(await world.gate.reject(plan.id, ALICE_TOKEN, reason)).toEqual({ by: "alice" });
    const answer = await world.gate.submit(plan.id);
    expect(answer.outcome).toBe("denied");
    expect(answer.review.rules[0]).toMatchObject({
      rule: "rejected",
      reason: expect.stringContaining("we roll forward: password=[redacted]"),
    });
    // S10, S11: what a person pasted is cleaned before it stands anywhere.
    expect(JSON.stringify(await world.store.entries())).not.toMatch(/hunter2|\\u202e|\u202e|\u200b|\\u0007/);
    await expect(world.gate.approve(plan.id, BOB_TOKEN)).rejects.toThrow("alice rejected this plan");
  });

  it("refuses to answer for a plan that is unknown or was executed", async () => {
    await using world = await openWorld();
    await expect(world.gate.approve("plan-x", ALICE_TOKEN)).rejects.toMatchObject({ code: "plan.unknown" });
    const { plan } = await world.gate.propose(world.draft());
    await world.gate.submit(plan.id);
    await expect(world.gate.approve(plan.id, ALICE_TOKEN)).rejects.toThrow("was submitted");
  });

  it("after ten wrong tokens in a minute no token is looked at, in any process, and the minute ends", async () => {
    await using world = await approving();
    const plan = await held(world);
    for (let n = 0; n < 10; n += 1) {
      await expect(world.newGate().approve(plan.id, `guess-${n}`)).rejects.toThrow("no approver's");
    }
    await expect(world.newGate().approve(plan.id, ALICE_TOKEN)).rejects.toThrow("too many wrong tokens");
    await expect(world.gate.resume("*", ALICE_TOKEN)).rejects.toThrow("too many wrong tokens");
    expect(await world.store.entries({ kinds: ["token.refused"] })).toHaveLength(10);
    world.time.now += MINUTE;
    expect(await world.gate.approve(plan.id, ALICE_TOKEN)).toMatchObject({ by: "alice" });
  });

  it("S10: no token stands anywhere in the store", async () => {
    await using world = await approving();
    const plan = await held(world);
    await world.gate.approve(plan.id, ALICE_TOKEN);
    await expect(world.gate.approve(plan.id, "a-wrong-secret")).rejects.toThrow();
    await world.gate.pause("checkout", "cli:zoe");
    await world.gate.resume("checkout", BOB_TOKEN);
    const files = ["ledger.db", "ledger.db-wal"]
      .map((name) => readFileSync(join(world.folder, name), "latin1"))
      .join("");
    for (const secret of [ALICE_TOKEN, BOB_TOKEN, "a-wrong-secret"]) expect(files).not.toContain(secret);
  });
});

describe("pausing", () => {
  it.each([
    ["all", "*"],
    ["*", "*"],
    [" checkout ", "checkout"],
  ])("S14: anyone may pause %j; an approver resumes", async (scope, named) => {
    await using world = await openWorld();
    await world.gate.pause(scope, "mcp:anyone");
    await world.gate.pause(scope, "cli:later");
    expect(await world.store.pauses()).toEqual([{ scope: named, by: "mcp:anyone", at: world.time.now }]);
    const { plan, review } = await world.gate.propose(world.draft());
    expect(review.verdict).toBe("deny");
    await expect(world.gate.resume(scope, "wrong")).rejects.toMatchObject({ code: "approval.refused" });
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "denied" });
    expect(await world.gate.resume(scope, ALICE_TOKEN)).toEqual({ by: "alice" });
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
    const kinds = (await world.store.entries({ kinds: ["gate.paused", "gate.resumed"] })).map(({ kind }) => kind);
    expect(kinds).toEqual(["gate.paused", "gate.paused", "gate.resumed"]);
  });

  it("S14: an approver of some services cannot resume everything", async () => {
    await using world = await openWorld();
    await world.gate.pause("*", "zoe");
    await expect(world.gate.resume("*", BOB_TOKEN)).rejects.toThrow("bob may not resume *");
    expect(await world.store.pauses()).toHaveLength(1);
  });

  it("says so where nothing is paused, and where no name was given", async () => {
    await using world = await openWorld();
    await expect(world.gate.resume("checkout", ALICE_TOKEN)).rejects.toMatchObject({ code: "input.invalid" });
    await expect(world.gate.pause("  ", "zoe")).rejects.toMatchObject({ code: "input.invalid" });
  });
});
