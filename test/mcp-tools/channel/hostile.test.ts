import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Incident } from "../../../core/model/incident.ts";
import type { Notifier } from "../../../core/ports.ts";
import { policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { incident as WHOLE } from "../../knowledge/incidents.ts";
import { ALICE_TOKEN } from "../gate/gate-world.ts";
import { openChannelWorld } from "./channel-world.ts";

const MINUTE = 60_000;
const incidentOf = (change: Partial<Incident>): Incident => ({ ...WHOLE, plan: null, gate: null, ...change });
const policy = policyOf();
/** People are told of what waits. */
const TOLD = {
  config: { policies: policy.policies.map((one) => ({ ...one, notification: ["slack:#incidents"] })) },
};

describe("people, while an agent that was taken over talks to the gate", () => {
  it("are reminded of a plan that waits, whatever it wrote down about who was told", async () => {
    await using channel = await openChannelWorld({ world: TOLD });
    const { world, agent } = channel;
    const other = targetOf({ name: "billing" });
    world.targets.place(other);
    await agent.ledger.saveIncident(
      incidentOf({ id: "incident-1", stage: "waiting-approval", outcome: null, closedAt: null, recovery: null }),
    );
    const { plan } = await agent.gate.propose(world.draft({ targets: [other] }));
    expect(await agent.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
    expect(world.notices).toHaveLength(1);
    const draft = { kind: "notice.undelivered", incidentId: "incident-1", planId: plan.id, actor: "watch" };
    await agent.ledger.append({ ...draft, body: { heldBack: true } }).catch(() => undefined);
    world.time.now += 10 * MINUTE;
    await agent.gate.recover();
    expect(world.notices.length).toBeGreaterThan(1);
  });

  it("are told of few of the plans that are filed at the same moment, and of each once", async () => {
    const titles: string[] = [];
    const notifier: Notifier = {
      async notify({ title }) {
        await delay(20);
        titles.push(title);
        return { delivered: true, detail: "kept" };
      },
    };
    await using channel = await openChannelWorld({ world: { ...TOLD, parts: { notifier } } });
    const { world, agent } = channel;
    const other = targetOf({ name: "billing" });
    world.targets.place(other);
    const ids = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const { plan } = await agent.gate.propose(
          world.draft({ targets: [other], proposedBy: `mcp:stdio:client-${n}`, reason: `time ${n}` }),
        );
        return plan.id;
      }),
    );
    await Promise.all([...ids, ...ids].map((id) => agent.gate.submit(id)));
    expect(titles.filter((title) => title.endsWith("needs a person"))).toHaveLength(6);
    expect(titles.filter((title) => title.includes("asks for many approvals"))).toHaveLength(1);
  });

  it("are not told without end", async () => {
    await using channel = await openChannelWorld();
    const notice = { incidentId: "i", title: "t", lines: ["l"], severity: "critical", to: "pagerduty:x" } as const;
    const telling = Array.from({ length: 300 }, () => channel.agent.notifier.notify(notice));
    const refused = (await Promise.allSettled(telling)).filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(100);
    expect(channel.world.notices.length).toBeGreaterThan(50);
  });

  it("can approve though somebody shows wrong tokens without end, which fill no ledger", async () => {
    await using channel = await openChannelWorld({ world: TOLD });
    const { world, agent, stranger } = channel;
    const other = targetOf({ name: "billing" });
    world.targets.place(other);
    const { plan } = await agent.gate.propose(world.draft({ targets: [other] }));
    await agent.gate.submit(plan.id);
    for (let turn = 0; turn < 120; turn += 1) await stranger.gate.approve(plan.id, `guess-${turn}`).catch(() => 0);
    for (let turn = 0; turn < 120; turn += 1) await stranger.gate.resume("all", `guess-${turn}`).catch(() => 0);
    expect((await world.store.entries()).length).toBeLessThan(100);
    await stranger.gate.pause("all", "alice");
    expect(await stranger.gate.resume("all", ALICE_TOKEN)).toEqual({ by: "alice" });
    expect(await stranger.gate.approve(plan.id, ALICE_TOKEN)).toMatchObject({ by: "alice" });
  });

  it("can pause everything though somebody pauses names without end, which fill no ledger", async () => {
    await using channel = await openChannelWorld();
    const { world, stranger } = channel;
    for (let turn = 0; turn < 200; turn += 1) await stranger.gate.pause(`nothing-${turn}`, "mallory").catch(() => 0);
    await stranger.gate.pause("all", "alice");
    for (let turn = 0; turn < 200; turn += 1) await stranger.gate.pause("all", "mallory").catch(() => 0);
    const pauses = await world.store.pauses();
    expect(pauses.map(({ scope }) => scope)).toContain("*");
    expect(pauses.length).toBeLessThan(150);
    expect((await world.store.entries()).length).toBeLessThan(200);
  });

  it("read who paused as plain text, and never as the gate", async () => {
    await using channel = await openChannelWorld();
    await channel.stranger.gate.pause("shop\u001b[2J\u202e", "gate");
    const [entry] = await channel.world.store.entries({ kinds: ["gate.paused"] });
    expect(JSON.stringify(entry?.body)).not.toMatch(/\\u001b|\u202e/);
    expect(entry?.actor).not.toBe("gate");
  });
});
