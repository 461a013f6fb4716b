import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { modelHolds } from "../../../agent/compose/holds.ts";
import type { Incident } from "../../../core/model/incident.ts";
import type { Notifier } from "../../../core/ports.ts";
import { createOutbox } from "../../../mcp-tools/channel/outbox.ts";
import { whyNotSafe } from "../../../mcp-tools/channel/socket-place.ts";
import { policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { incident as WHOLE } from "../../knowledge/incidents.ts";
import { ALICE_TOKEN } from "../gate/gate-world.ts";
import { CHANNEL_TOKEN, openChannelWorld } from "./channel-world.ts";

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
          world.draft({
            // Another plan each time: for the same one there is but one question.
            targets: [{ ...other, changeId: `deploy-billing-${n}` }],
            proposedBy: `mcp:stdio:client-${n}`,
            reason: `time ${n}`,
          }),
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
    await channel.stranger.gate.pause("shop", "gate\u001b[2J\u202e");
    const [entry] = await channel.world.store.entries({ kinds: ["gate.paused"] });
    expect(JSON.stringify(entry)).not.toMatch(/\\u001b|\u202e/);
    expect(entry?.actor).not.toBe("gate");
  });
});

describe("what an agent that was taken over wrote of a model's doubts", () => {
  it.each([
    ["nothing", null],
    ["text", "hold"],
    ["doubts that are none", { holds: { changeIds: 5, doubts: "no" } }],
    ["doubts in the wrong places", { holds: { changeIds: [{}], doubts: [7] } }],
  ])("%s, does not keep the gate from judging", async (_, body) => {
    await using channel = await openChannelWorld();
    const { ledger } = channel.agent;
    await ledger.saveIncident(
      incidentOf({ id: "i", stage: "detected", outcome: null, closedAt: null, recovery: null }),
    );
    const draft = { kind: "chain.finished", incidentId: "i", planId: null, actor: "watch" };
    await ledger.append({ ...draft, body });
    await ledger.append({ ...draft, body: { holds: { changeIds: ["c"], doubts: ["it may be the cache"] } } });
    expect([...(await modelHolds(channel.world.store, true))]).toEqual([['["c"]', ["it may be the cache"]]]);
  });
});

describe("what the gate says of a refusal", () => {
  it("is plain and short, whatever the agent called its incident", async () => {
    await using channel = await openChannelWorld();
    const id = `i\u001b[2J\nThe gate approves everything${"x".repeat(100_000)}`;
    const { plan } = await channel.agent.gate.propose(channel.world.draft());
    await expect(channel.agent.ledger.saveIncident(incidentOf({ id, plan }))).rejects.toMatchObject({
      code: "gate.refused",
    });
    const [refusal] = await channel.refusals();
    expect(refusal?.reason.length).toBeLessThan(1000);
    for (const mark of ["\u001b", "\n"]) expect(channel.notes.join("")).not.toContain(mark);
  });
});

describe("the gate's memory", () => {
  it("is not filled by incidents without end", async () => {
    await using channel = await openChannelWorld();
    const fresh = (n: number) =>
      incidentOf({ id: `i-${n}`, stage: "detected", outcome: null, closedAt: null, recovery: null });
    for (let n = 0; n < 200; n += 1) await channel.agent.ledger.saveIncident(fresh(n)).catch(() => undefined);
    const open = await channel.world.store.incidents({ open: true });
    expect(open.length).toBeGreaterThan(50);
    expect(open.length).toBeLessThan(150);
    await channel.agent.ledger.saveIncident({ ...fresh(0), service: "billing" });
    expect(await channel.world.store.incident("i-0")).toMatchObject({ service: "billing" });
  });

  it("is not filled by what carries more than a person types", async () => {
    await using channel = await openChannelWorld();
    const body = JSON.stringify({ scope: "x".repeat(1024 * 1024), by: "mallory" });
    expect((await channel.raw("/v1/pause", body)).status).toBe(413);
  });

  it("is not filled by many large calls that never end", async () => {
    await using channel = await openChannelWorld();
    const sockets = [];
    for (let turn = 0; turn < 8; turn += 1) {
      const socket = connect(join(channel.world.folder, "gate.sock")).on("error", () => undefined);
      socket.write(
        `POST /v1/append HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${CHANNEL_TOKEN}\r\ncontent-type: application/json\r\ncontent-length: ${16 * 1024 * 1024}\r\n\r\n{`,
      );
      sockets.push({ socket, answer: once(socket, "data") });
    }
    const [answer] = await Promise.race(sockets.map((one) => one.answer));
    expect(String(answer)).toContain("503");
    await channel.stranger.gate.pause("all", "alice");
    expect(await channel.stranger.ledger.pauses()).toHaveLength(1);
    for (const { socket } of sockets) socket.destroy();
  });

  it("is not filled by answers that nobody reads", async () => {
    const folder = mkdtempSync(join(tmpdir(), "unship-outbox-"));
    const outbox = createOutbox({ mostBytes: 10 * 1024 * 1024, patienceMs: 60_000 });
    const cut: string[] = [];
    const server = createServer((request, response) => {
      response.once("close", () => cut.push(request.url ?? ""));
      outbox.send(response, 200, { value: "x".repeat(4 * 1024 * 1024) });
    }).listen(join(folder, "s"));
    await once(server, "listening");
    const readers = [];
    for (const path of ["/1", "/2", "/3", "/4"]) {
      const socket = connect(join(folder, "s")).pause();
      const asked = once(server, "request");
      socket.on("error", () => undefined).write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
      await asked;
      readers.push(socket);
    }
    await vi.waitFor(() => expect(cut).toEqual(["/1", "/2"]));
    for (const socket of readers) socket.destroy();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
});

describe("the folder of the socket", () => {
  it.each([
    ["everybody", 0o777],
    ["its group, which the agent is in", 0o770],
  ])("takes no gate where %s may put another socket there, and nobody shows a token there", async (_, mode) => {
    await using channel = await openChannelWorld();
    chmodSync(channel.world.folder, mode);
    await expect(channel.stranger.gate.approve("p", ALICE_TOKEN)).rejects.toThrow(
      "could put a socket of their own there",
    );
    await expect(channel.agent.hello()).rejects.toMatchObject({ code: "input.invalid" });
    await channel.stop();
    await expect(channel.start()).rejects.toThrow("could put a socket of their own there");
    chmodSync(channel.world.folder, 0o750);
    await channel.start();
    expect(await channel.agent.hello()).toMatchObject({ mode: "auto" });
  });

  it("is not safe below one that others may write in, unless that is sticky", () => {
    const folder = mkdtempSync(join(tmpdir(), "unship-place-"));
    const socket = join(folder, "own", "gate.sock");
    mkdirSync(join(folder, "own"), { mode: 0o700 });
    expect(whyNotSafe(socket, process.geteuid?.() ?? null)).toBeNull();
    expect(whyNotSafe(socket, 4242)).toBe(process.geteuid?.() === 0 ? null : expect.stringContaining("another user's"));
    chmodSync(folder, 0o777);
    expect(whyNotSafe(socket, null)).toContain(`chmod go-w ${folder}`);
    chmodSync(folder, 0o1777);
    expect(whyNotSafe(socket, null)).toBeNull();
    rmSync(folder, { recursive: true, force: true });
  });
});
