import { describe, expect, it } from "vitest";
import { incident as WHOLE } from "../../knowledge/incidents.ts";
import { openChannelWorld } from "./channel-world.ts";

const SECRET = "hT7gQ2xLpV9sKd4WmZ8r";

describe("what comes over the channel is stored in nobody else's name, and holds nobody's secrets", () => {
  it("S14: the agent signs as itself, whatever it is called: no other name is taken", async () => {
    await using channel = await openChannelWorld();
    const { ledger } = channel.agent;
    const draft = { kind: "chain.finished", incidentId: "i", planId: null, body: {} };
    const others = ["gate", "Gate", "GATE ", "g\u0430te", "alice", "Alice", "a1ice", "bob", "watch\n", "somebody", ""];
    for (const actor of others) {
      await expect(ledger.append({ ...draft, actor })).rejects.toMatchObject({ code: "gate.refused" });
    }
    for (const actor of ["watch", "cli"]) expect(await ledger.append({ ...draft, actor })).toMatchObject({ actor });
  });

  it("S14: a pause in the name of an approver is somebody's who says so; it holds all the same", async () => {
    await using channel = await openChannelWorld();
    for (const by of ["alice", "Alice", "a1ice", "gate", "Gate"]) {
      await channel.stranger.gate.pause("all", by);
      const [last] = (await channel.world.store.entries({ kinds: ["gate.paused"] })).slice(-1);
      expect(last?.actor).toBe(`person ${by}`);
    }
    expect(await channel.world.store.pauses()).toMatchObject([{ scope: "*" }]);
  });

  it.each([
    ["a service that the gate's file lacks", "chekout"],
    ["two lines", "checkout\nall is well"],
    ["a pattern", "check*"],
    ["what steers a terminal", "checkout\u001b[2J"],
    ["nothing", " "],
  ])("a pause of %s is refused, and looks like none", async (_, scope) => {
    await using channel = await openChannelWorld({ services: ["checkout", "cart"] });
    await expect(channel.stranger.gate.pause(scope, "bob")).rejects.toMatchObject({ code: "input.invalid" });
    expect(await channel.world.store.pauses()).toEqual([]);
    await channel.stranger.gate.pause(" checkout ", "cy");
    expect(await channel.world.store.pauses()).toMatchObject([{ scope: "checkout" }]);
  });

  it("S10: no secret in whatever it writes reaches the gate's ledger or people", async () => {
    await using channel = await openChannelWorld();
    const { ledger, notifier, gate } = channel.agent;
    const said = `curl --token ${SECRET}: DB_PASSWORD=${SECRET}`;
    await ledger.append({
      kind: "chain.finished",
      incidentId: "i",
      planId: null,
      actor: "watch",
      body: { at: [said] },
    });
    const { plan } = await gate.propose(channel.world.draft({ reason: said }));
    const open = { gate: null, stage: "executing", recovery: null, outcome: null } as const;
    const held = { ...WHOLE, ...open, id: "incident-1", plan };
    await ledger.saveIncident({ ...held, unheard: [said] });
    await notifier.notify({ incidentId: "i", title: said, lines: [said], severity: "info", to: "slack:#x" });
    const all = [...(await channel.world.store.entries()), ...channel.world.notices];
    expect(JSON.stringify(all)).toContain("[redacted]");
    expect(JSON.stringify(all)).not.toContain(SECRET);
    expect((await ledger.incident("incident-1"))?.plan).toEqual(plan);
  });
});
