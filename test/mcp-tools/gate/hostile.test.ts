import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, it } from "vitest";
import type { ServiceConfig } from "../../../core/config/config.ts";
import type { Target } from "../../../core/model/plan.ts";
import { createServer } from "../../../mcp-tools/server.ts";
import {
  assessmentOf,
  flagOf,
  HOUR,
  MINUTE,
  policyOf,
  serviceOf,
  targetOf,
} from "../../core/guardrails/rule-inputs.ts";
import { caseFile, context, deploy } from "../scenario.ts";
import { ALICE_TOKEN, openWorld, type World } from "./gate-world.ts";

/**
 * Whoever may talk to the gate and means harm, where no other test in this folder tries it: permits in permit.test.ts;
 * approvals that are wrong, late, foreign or of an edited plan in approvals.test.ts, ../listener and oidc.test.ts; a plan
 * against a healthy service in gate.test.ts; a token in the agent's environment in test/agent/cli/desk.test.ts.
 */
async function submitted(world: World, targets: readonly Target[]) {
  for (const target of targets) world.targets.place(target);
  const { plan } = await world.gate.propose(world.draft({ targets, proposedBy: "mcp:stdio:an-assistant" }));
  const answer = await world.gate.submit(plan.id);
  const spoke = answer.review.rules.filter(({ verdict }) => verdict !== "allow").map(({ rule }) => rule);
  return { plan, answer, spoke };
}

/** Nothing was written anywhere, and what was tried stands in a ledger that holds. */
async function expectHarmless(world: World): Promise<void> {
  expect(world.targets.writes()).toEqual([]);
  const kinds = (await world.store.entries()).map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(["plan.proposed", "plan.reviewed"]));
  expect(kinds).not.toContain("plan.reserved");
  expect((await world.store.verify()).problems).toEqual([]);
}

const object = (change: Partial<Target["object"]>): Target =>
  targetOf({ object: { kind: "Deployment", namespace: "production", name: "checkout", ...change } });

describe("arguments that smuggle something along, while the gate's own decision names the real target", () => {
  it.each<[string, Target]>([
    ["a flag of kubectl", object({ name: "checkout --kubeconfig=/tmp/evil" })],
    ["a flag in place of a name", object({ name: "--all" })],
    ["a path", object({ name: "../../kube-system/deployments/coredns" })],
    ["an encoded path", object({ name: "..%2f..%2fkube-system" })],
    ["a URL", object({ name: "http://evil.example/x" })],
    ["another namespace", object({ namespace: "kube-system" })],
    ["a namespace with a path in it", object({ namespace: "production/../kube-system" })],
    ["a namespace that looks like an allowed one", object({ namespace: "prоduction" })],
    ["a line break", object({ name: "checkout\nbilling" })],
    ["an invisible letter", object({ name: "check\u200bout" })],
    ["another object behind the service's name", object({ name: "payments" })],
    ["another version to restore", targetOf({ restore: { version: "v0", revision: "1" } })],
    ["another expected version", targetOf({ expected: { version: "v9", revision: "9" } })],
    ["another change to blame", targetOf({ changeId: "deploy-of-mine" })],
  ])("S1: %s executes nothing", async (_, target) => {
    await using world = await openWorld();
    const { answer, spoke } = await submitted(world, [target]);
    expect(["held", "denied"]).toContain(answer.outcome);
    expect(spoke.length).toBeGreaterThan(0);
    await expectHarmless(world);
  });

  it("S1: the real target beside one more executes neither", async () => {
    await using world = await openWorld();
    expect((await submitted(world, [targetOf(), targetOf({ name: "payments" })])).answer.outcome).toBe("held");
    await expectHarmless(world);
  });

  it.each<[string, Target]>([
    ["another namespace", object({ namespace: "kube-system" })],
    ["a namespace that looks like an allowed one", object({ namespace: "prоduction" })],
  ])("%s is not executed with an approval either", async (_, target) => {
    await using world = await openWorld();
    const { plan } = await submitted(world, [target]);
    await world.gate.approve(plan.id, ALICE_TOKEN);
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "denied" });
    await expectHarmless(world);
  });
});

describe("a name that looks like another, which even the gate's own decision took for it", () => {
  it.each([
    ["a Cyrillic letter", "chеckout"],
    ["a full-width letter", "ｃheckout"],
    ["an invisible letter", "checkout\u2060"],
    ["right-to-left marks", "\u202echeckout"],
  ])("%s goes to a person", async (_, name) => {
    await using world = await openWorld();
    const target = targetOf({ name });
    world.assessment = assessmentOf({ targets: [target] });
    const { answer, spoke } = await submitted(world, [target]);
    expect(answer.outcome).toBe("held");
    expect(spoke).toContain("unusual-name");
    await expectHarmless(world);
  });

  it.each(["bi11ing-service", "Billing_Service", "billing-servicе", "b\u0131lling-service"])(
    "S3: a protected service spelled %j is as protected",
    async (name) => {
      await using world = await openWorld();
      const target = targetOf({ name });
      world.assessment = assessmentOf({ targets: [target] });
      const { answer, spoke } = await submitted(world, [target]);
      expect(answer.outcome).toBe("held");
      expect(spoke).toContain("never-auto");
      await expectHarmless(world);
    },
  );
});

describe("a service that is never taken back automatically, reached round a corner by the gate's own decision", () => {
  const billing = (change: Partial<ServiceConfig>) => ({ checkout: serviceOf(), "billing-service": serviceOf(change) });
  it.each<[string, Record<string, ServiceConfig>, Target]>([
    ["through a flag that it owns", billing({ flags: ["new-cart"] }), flagOf()],
    [
      "through a flag that two services own",
      { checkout: serviceOf({ flags: ["new-cart"] }), "billing-service": serviceOf({ flags: ["new-cart"] }) },
      flagOf(),
    ],
    ["through a workload that it shares", billing({ workload: { kind: "Deployment", name: "checkout" } }), targetOf()],
    ["through the application that deploys it", billing({ argocdApplication: "checkout" }), targetOf()],
    ["through an object of its name behind another service's", billing({}), object({ name: "billing-service" })],
  ])("S3: %s needs a person", async (_, services, target) => {
    await using world = await openWorld({ config: { ...policyOf(), services } });
    world.assessment = assessmentOf({ targets: [target] });
    const { plan, answer, spoke } = await submitted(world, [target]);
    expect(answer.outcome).toBe("held");
    expect(spoke).toContain("never-auto");
    await expectHarmless(world);
    await world.gate.approve(plan.id, ALICE_TOKEN);
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  });
});

describe("a clock that jumps", () => {
  it.each([
    ["ahead and back", [2 * HOUR, -2 * HOUR]],
    ["a year ahead and back", [365 * 24 * HOUR, -365 * 24 * HOUR]],
  ])("S2: %s frees no budget and no cooldown", async (_, jumps) => {
    await using world = await openWorld();
    expect((await submitted(world, [targetOf()])).answer.outcome).toBe("executed");
    const second = targetOf({ changeId: "deploy-2", expected: { version: "v3", revision: "8" } });
    world.assessment = assessmentOf({ targets: [second] });
    for (const jump of jumps) {
      world.time.now += jump;
      await world.store.append({ kind: "note", incidentId: null, planId: null, actor: "test", body: {} });
    }
    world.time.now += MINUTE;
    const writes = world.targets.writes().length;
    expect((await submitted(world, [second])).answer.outcome).toBe("held");
    expect(world.targets.writes()).toHaveLength(writes);
  });
});

describe("what no MCP client can do", () => {
  async function client(world: World, yes: boolean) {
    const target = targetOf();
    const server = createServer(
      context({
        gate: world.gate,
        caller: "mcp",
        caseFile: async () => caseFile({ changes: [{ ...deploy, id: target.changeId }] }),
        targetsFor: async () => ({ targets: [target], obstacles: [] }),
      }),
    );
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    await server.connect(ours, "stdio");
    const one = new Client({ name: "alice", version: "1" }, { capabilities: { elicitation: {} } });
    const asked: string[] = [];
    one.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      asked.push(params.message);
      return { action: yes ? "accept" : "decline", content: { approved: yes } };
    });
    await one.connect(theirs);
    return { one, asked };
  }

  it("S3: a dialog that says yes approves nothing; it asks for an approver and the plan stays held", async () => {
    await using world = await openWorld({ config: policyOf({ mode: "approve" }) });
    const { one, asked } = await client(world, true);
    const proposed = await one.callTool({
      name: "propose_plan",
      arguments: { change_ids: [targetOf().changeId], reason: "customers complain since this deploy, take it back" },
    });
    const id = (proposed.structuredContent as { plan_id: string }).plan_id;
    const answer = await one.callTool({ name: "submit_plan", arguments: { plan_id: id } });
    expect(answer.structuredContent).toMatchObject({ outcome: "held" });
    expect(asked).toEqual([expect.stringContaining("Answering here approves nothing")]);
    expect((await world.store.entries({ kinds: ["approval.given"] })).length).toBe(0);
    await expectHarmless(world);
    await one.close();
  });

  it.each([
    "approve",
    "approve_plan",
    "reject_plan",
    "resume",
    "set_mode",
    "graduate",
    "suppress_alert",
    "edit_policy",
  ])("S14: there is no tool %s", async (name) => {
    await using world = await openWorld();
    const { one } = await client(world, true);
    await world.gate.pause("all", "zoe");
    await expect(one.callTool({ name, arguments: { scope: "all", token: ALICE_TOKEN } })).rejects.toThrow(
      "There is no such tool",
    );
    expect(await world.store.pauses()).toHaveLength(1);
    await one.close();
  });

  it.each([
    ["an approval", { approved: true }],
    ["an approver's token", { token: ALICE_TOKEN }],
    ["a wider mode", { mode: "auto" }],
    ["force", { force: true }],
  ])("S14: %s passed along with submit_plan is refused as an argument, and nothing runs", async (_, more) => {
    await using world = await openWorld({ config: policyOf({ mode: "approve" }) });
    const { one } = await client(world, false);
    const { plan } = await world.gate.propose(world.draft());
    const answer = await one.callTool({ name: "submit_plan", arguments: { plan_id: plan.id, ...more } });
    expect(answer.isError).toBe(true);
    expect(JSON.stringify(answer.content)).not.toContain(ALICE_TOKEN);
    expect(world.targets.writes()).toEqual([]);
    await one.close();
  });
});
