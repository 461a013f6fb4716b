import { spawnSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Incident } from "../../../core/model/incident.ts";
import type { GateAnswer } from "../../../core/model/plan.ts";
import type { Ledger } from "../../../core/ports.ts";
import { assessmentOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { incident as WHOLE } from "../../knowledge/incidents.ts";
import { ALICE_TOKEN } from "../gate/gate-world.ts";
import { CHANNEL_TOKEN, openChannelWorld } from "./channel-world.ts";

/** An incident as the watch saves it, of which the gate knows nothing yet. */
const incidentOf = (change: Partial<Incident>): Incident => ({ ...WHOLE, plan: null, gate: null, ...change });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("the agent, over the channel", () => {
  it("has a plan carried out that the gate's own fresh decision names, and reads what came of it", async () => {
    await using channel = await openChannelWorld();
    const { gate, ledger } = channel.agent;
    const { plan, review } = await gate.propose(channel.world.draft());
    expect(review.verdict).toBe("allow");
    const answer = await gate.submit(plan.id);
    expect(answer).toMatchObject({ outcome: "executed", results: [{ result: "done" }] });
    expect(channel.world.targets.writes()).toHaveLength(1);
    expect(await ledger.plan(plan.id)).toEqual(plan);
    expect(await ledger.entries()).toEqual(await channel.world.store.entries());
    expect(await ledger.verify([await ledger.head()])).toMatchObject({ ok: true, problems: [] });
  });

  it("gets the gate's own no: what it proposes beside the decision is held, whatever it calls itself", async () => {
    await using channel = await openChannelWorld();
    const other = targetOf({ name: "billing" });
    channel.world.targets.place(other);
    for (const proposedBy of ["watch", "gate", "alice"]) {
      const { plan } = await channel.agent.gate.propose(channel.world.draft({ targets: [other], proposedBy }));
      expect(await channel.agent.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
    }
    expect(channel.world.targets.writes()).toEqual([]);
  });

  it("gets the gate's errors in the gate's words", async () => {
    await using channel = await openChannelWorld();
    await expect(channel.agent.gate.submit("plan-none")).rejects.toMatchObject({
      code: "plan.unknown",
      message: "There is no plan plan-none.",
    });
    const twice = channel.world.draft({ targets: [targetOf(), targetOf()] });
    await expect(channel.agent.gate.propose(twice)).rejects.toMatchObject({ code: "input.invalid" });
  });

  it("saves its incidents as they are, with the plan and the answer that the gate gave", async () => {
    await using channel = await openChannelWorld();
    const { gate, ledger } = channel.agent;
    const { plan } = await gate.propose(channel.world.draft());
    const held = incidentOf({ id: "incident-1", plan, gate: null, stage: "executing", recovery: null, outcome: null });
    await ledger.saveIncident(held);
    const answer = await gate.submit(plan.id);
    await ledger.saveIncident({ ...held, stage: "verifying", gate: answer });
    expect(await channel.world.store.incident("incident-1")).toMatchObject({ stage: "verifying", gate: answer });
    expect(await ledger.incidents({ open: true })).toHaveLength(1);
  });

  it("reads the record by every filter that a ledger has, as the gate itself reads it", async () => {
    await using channel = await openChannelWorld();
    const { gate, ledger } = channel.agent;
    const { plan } = await gate.propose(channel.world.draft());
    await gate.propose(channel.world.draft({ incidentId: "incident-2" }));
    const filters: Required<Parameters<Ledger["entries"]>[0]> & object = {
      incidentId: plan.incidentId,
      planId: plan.id,
      kinds: ["plan.proposed"],
      afterSeq: 0,
      limit: 1,
    };
    for (const filter of [...Object.entries(filters).map(([key, value]) => ({ [key]: value })), filters]) {
      const read = await ledger.entries(filter);
      expect(read).toEqual(await channel.world.store.entries(filter));
      expect(read.length).toBeGreaterThan(0);
    }
    const own = await ledger.entries({ planId: plan.id });
    expect(new Set(own.map(({ planId }) => planId))).toEqual(new Set([plan.id]));
  });

  it("tells people through the gate, and can ask them for nothing that way", async () => {
    await using channel = await openChannelWorld();
    const notice = { incidentId: "i", title: "t", lines: ["l"], severity: "info", to: "slack:#x" } as const;
    const asks = { planId: "p", planHash: "h", diff: [] };
    expect(await channel.agent.notifier.notify({ ...notice, asks })).toEqual({ delivered: true, detail: "kept" });
    expect(channel.world.notices).toEqual([notice]);
    const raw = await channel.raw("/v1/notify", JSON.stringify({ ...notice, asks }), bearer(CHANNEL_TOKEN));
    expect(raw.status).toBe(422);
    expect(channel.world.notices).toHaveLength(1);
  });
});

describe("an agent that somebody has taken over", () => {
  it.each([
    ["an approval", "approval.given"],
    ["an answer of the gate", "plan.answered"],
    ["a review", "plan.reviewed"],
    ["a reservation", "plan.reserved"],
    ["a permit", "permit.redeemed"],
    ["the end of a pause", "gate.resumed"],
    ["a healthy change, which would end a row of rollbacks", "change.healthy"],
    ["a saved incident", "incident.saved"],
    ["what has no kind that anybody knows", "no.such.kind"],
  ])("cannot write down %s", async (_, kind) => {
    await using channel = await openChannelWorld();
    const draft = { kind, incidentId: "incident-1", planId: "id-1", actor: "watch", body: { by: "alice" } };
    await expect(channel.agent.ledger.append(draft)).rejects.toMatchObject({ code: "gate.refused" });
    expect(await channel.kinds()).toEqual(["channel.refused"]);
    expect(await channel.refusals()).toEqual([{ call: "append", reason: expect.stringContaining("gate's alone") }]);
  });

  it("cannot sign as the gate, nor claim that people were told", async () => {
    await using channel = await openChannelWorld();
    const draft = { kind: "notice.sent", incidentId: "i", planId: "p", actor: "watch", body: { to: "slack:#x" } };
    await expect(channel.agent.ledger.append({ ...draft, actor: "gate" })).rejects.toThrow("signs as watch or cli");
    await expect(channel.agent.ledger.append({ ...draft, body: { about: "held" } })).rejects.toThrow("by the gate");
    expect(await channel.agent.ledger.append(draft)).toMatchObject({ kind: "notice.sent" });
  });

  it("S4: cannot edit a plan: only its id is submitted, and what was proposed is what runs", async () => {
    await using channel = await openChannelWorld();
    const { gate, ledger } = channel.agent;
    const { plan } = await gate.propose(channel.world.draft());
    const [target] = plan.targets;
    if (target === undefined) throw new Error("a plan has a target");
    const edited = { ...plan, targets: [{ ...target, restore: { version: "evil", revision: "9" } }] };
    const incident = incidentOf({ id: "incident-1", plan: edited, gate: null });
    await expect(ledger.saveIncident(incident)).rejects.toThrow("its plan is not the one that was proposed");
    const raw = await channel.raw(
      "/v1/submit",
      JSON.stringify({ planId: plan.id, plan: edited, targets: edited.targets }),
      bearer(CHANNEL_TOKEN),
    );
    expect(raw.status).toBe(422);
    await gate.submit(plan.id);
    expect(channel.world.targets.writes()).toMatchObject([{ version: "v1" }]);
  });

  it("cannot make the gate believe that something was rolled back, or worked", async () => {
    await using channel = await openChannelWorld();
    const { plan } = await channel.agent.gate.propose(channel.world.draft());
    const [target] = plan.targets;
    if (target === undefined) throw new Error("a plan has a target");
    const answer = (planId: string): GateAnswer => ({
      planId,
      outcome: "executed",
      review: { verdict: "allow", rules: [] },
      results: [{ target, result: "done", detail: "", at: 1, warnings: [] }],
      executedAt: 1,
    });
    const forged = incidentOf({ id: "incident-1", plan, gate: answer(plan.id) });
    await expect(channel.agent.ledger.saveIncident(forged)).rejects.toThrow("the gate never answered so");
    const unknown = incidentOf({ id: "incident-1", gate: answer("p") });
    await expect(channel.agent.ledger.saveIncident(unknown)).rejects.toThrow("its answer is of no plan");
    expect(await channel.world.store.incidents()).toEqual([]);
  });

  it("cannot lend what the gate answered in one incident to another", async () => {
    await using channel = await openChannelWorld();
    const { plan } = await channel.agent.gate.propose(channel.world.draft());
    const gate = await channel.agent.gate.submit(plan.id);
    const elsewhere = incidentOf({ id: "incident-2", plan: null, gate });
    await expect(channel.agent.ledger.saveIncident(elsewhere)).rejects.toThrow("its answer is of another incident");
    const claimed = incidentOf({ id: "incident-2", plan, gate: null });
    await expect(channel.agent.ledger.saveIncident(claimed)).rejects.toThrow("its plan is of another incident");
  });

  it("cannot call a failed rollback a good one afterwards", async () => {
    await using channel = await openChannelWorld();
    const { gate, ledger } = channel.agent;
    const { plan } = await gate.propose(channel.world.draft());
    const answer = await gate.submit(plan.id);
    const ended = (verdict: "recovered" | "not-recovered", stage: "verifying" | "closed" = "closed") =>
      incidentOf({
        id: "incident-1",
        stage,
        plan,
        gate: answer,
        outcome: verdict,
        recovery: { verdict, at: 1, checks: [] },
      });
    await ledger.saveIncident(ended("not-recovered", "verifying"));
    await expect(ledger.saveIncident(ended("recovered"))).rejects.toThrow("its act was verified, with another outcome");
    await ledger.saveIncident(ended("not-recovered"));
    await expect(ledger.saveIncident(ended("recovered"))).rejects.toThrow("it is closed, and ended otherwise");
    await ledger.saveIncident(ended("not-recovered"));
  });

  it("cannot approve: the channel's token is nobody's, and only what a person typed is proof there", async () => {
    await using channel = await openChannelWorld();
    channel.world.assessment = assessmentOf({ targets: [] });
    const { gate } = channel.agent;
    const { plan } = await gate.propose(channel.world.draft());
    for (const token of [CHANNEL_TOKEN, "", "alice"]) {
      await expect(gate.approve(plan.id, token)).rejects.toMatchObject({ code: "identity.refused" });
    }
    for (const proof of [
      { via: "http", bearer: ALICE_TOKEN },
      { via: "slack", body: "x" },
    ]) {
      const body = JSON.stringify({ planId: plan.id, token: proof });
      expect((await channel.raw("/v1/approve", body, bearer(CHANNEL_TOKEN))).status).toBe(422);
    }
    expect(await gate.submit(plan.id)).toMatchObject({ outcome: "held" });
    expect(await channel.kinds()).not.toContain("approval.given");
    expect(channel.world.targets.writes()).toEqual([]);
  });

  it("cannot tire people with plans without end", async () => {
    await using channel = await openChannelWorld();
    const proposing = async () => {
      for (let turn = 0; turn < 60; turn += 1) await channel.agent.gate.propose(channel.world.draft());
    };
    await expect(proposing()).rejects.toThrow("plans were proposed in a minute");
  });

  it("cannot end a pause", async () => {
    await using channel = await openChannelWorld();
    await channel.agent.gate.pause("all", "somebody");
    await expect(channel.agent.gate.resume("all", CHANNEL_TOKEN)).rejects.toMatchObject({ code: "identity.refused" });
    const { plan } = await channel.agent.gate.propose(channel.world.draft());
    expect(await channel.agent.gate.submit(plan.id)).toMatchObject({ outcome: "denied" });
  });
});

describe("an acknowledgement", () => {
  const asked = { as: "snooze", forMs: 3_600_000, note: "known" } as const;

  it("S14: is a person's, by their own token; the agent can neither give nor forge nor end one", async () => {
    await using channel = await openChannelWorld();
    await channel.agent.ledger.saveIncident(incidentOf({ id: "inc-1", stage: "detected", outcome: null }));
    await expect(channel.agent.gate.acknowledge("inc-1", CHANNEL_TOKEN, asked)).rejects.toMatchObject({
      code: "identity.refused",
    });
    for (const kind of ["incident.acknowledged", "acknowledgement.ended"]) {
      const forged = { kind, incidentId: "inc-1", planId: null, actor: "alice", body: { ...asked, until: 9e12 } };
      await expect(channel.agent.ledger.append(forged)).rejects.toMatchObject({ code: "gate.refused" });
    }
    expect(await channel.kinds()).not.toContain("incident.acknowledged");
    expect(await channel.stranger.gate.acknowledge("inc-1", ALICE_TOKEN, asked)).toMatchObject({ by: "alice" });
    const [entry] = await channel.agent.ledger.entries({ kinds: ["incident.acknowledged"] });
    expect(entry).toMatchObject({
      actor: "alice",
      incidentId: "inc-1",
      body: { as: "snooze", note: "known", via: "channel" },
    });
  });
});

describe("somebody else at the socket", () => {
  it.each([
    ["without a token", null],
    ["with a wrong token", "guessed"],
  ])("%s can neither propose nor submit nor write", async (_, token) => {
    await using channel = await openChannelWorld();
    const { plan } = await channel.agent.gate.propose(channel.world.draft());
    const other = channel.as(token);
    const draft = { kind: "canary.judged", incidentId: null, planId: null, actor: "watch", body: {} };
    const notice = { incidentId: "i", title: "t", lines: [], severity: "info", to: "slack:#x" } as const;
    for (const attempt of [
      () => other.gate.submit(plan.id),
      () => other.gate.propose(channel.world.draft()),
      () => other.gate.recover(),
      () => other.ledger.append(draft),
      () => other.ledger.saveIncident(incidentOf({ id: "x" })),
      () => other.ledger.saveEvaluation({ at: 1, stepMs: 1, down: [] }),
      () => other.notifier.notify(notice),
      () => other.holdWatch(),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: "gate.refused" });
    }
    expect(channel.world.targets.writes()).toEqual([]);
    expect((await channel.refusals()).map(({ call }) => call)).toEqual([
      "submit",
      "propose",
      "recover",
      "append",
      "saveIncident",
      "saveEvaluation",
      "notify",
      "watch",
    ]);
  });

  it("hands the watch's last evaluation to whoever asks", async () => {
    await using channel = await openChannelWorld();
    expect(await channel.stranger.ledger.lastEvaluation()).toBeNull();
    const last = { at: 1, stepMs: 15_000, down: [{ source: "prometheus", parts: ["targets"], since: 1 }] };
    await channel.agent.ledger.saveEvaluation(last);
    expect(await channel.stranger.ledger.lastEvaluation()).toEqual(last);
  });

  it("who may open it can read, pause, and approve with a personal token", async () => {
    await using channel = await openChannelWorld();
    channel.world.assessment = assessmentOf({ targets: [] });
    const { plan } = await channel.agent.gate.propose(channel.world.draft());
    const person = channel.stranger;
    expect((await person.ledger.plan(plan.id))?.hash).toBe(plan.hash);
    await person.gate.pause("checkout", "bob");
    expect(await person.ledger.pauses()).toMatchObject([{ scope: "checkout", by: "person bob" }]);
    expect(await person.gate.resume("checkout", ALICE_TOKEN)).toEqual({ by: "alice" });
    expect(await person.gate.approve(plan.id, ALICE_TOKEN, plan.hash)).toMatchObject({ by: "alice", stillNeeded: 0 });
    expect(await channel.agent.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  });

  it("floods the ledger with nothing: of many refusals a few are written down", async () => {
    await using channel = await openChannelWorld();
    for (let turn = 0; turn < 60; turn += 1) await channel.stranger.gate.recover().catch(() => undefined);
    expect((await channel.refusals()).length).toBeLessThan(30);
  });
});

describe("on the loopback instead of a socket", () => {
  it("every call needs the agent's token, reading too", async () => {
    await using channel = await openChannelWorld({ listen: true });
    for (const attempt of [
      () => channel.stranger.ledger.entries(),
      () => channel.stranger.hello(),
      () => channel.stranger.gate.pause("all", "x"),
      () => channel.stranger.gate.approve("p", ALICE_TOKEN),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: "gate.refused" });
    }
    const { plan } = await channel.agent.gate.propose(channel.world.draft());
    expect(await channel.agent.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  });

  it.each([
    ["a web page", { origin: "https://evil.example" }],
    ["a name that was pointed here", { host: "evil.example" }],
  ])("%s is turned away, with the right token too", async (_, headers) => {
    await using channel = await openChannelWorld({ listen: true });
    expect((await channel.raw("/v1/hello", "{}", { ...bearer(CHANNEL_TOKEN), ...headers })).status).toBe(403);
  });
});

describe("what is no call", () => {
  it.each([
    ["a call that there is not", "/v1/execute", "{}", {}, "POST", 404],
    ["one of every object", "/v1/constructor", "{}", {}, "POST", 404],
    ["a GET", "/v1/hello", "", {}, "GET", 404],
    ["a form", "/v1/hello", "a=b", { "content-type": "application/x-www-form-urlencoded" }, "POST", 415],
    ["no JSON", "/v1/plan", "{", {}, "POST", 422],
    ["more than an incident can be", "/v1/plan", "", { "content-length": String(17 * 1024 * 1024) }, "POST", 413],
  ] as const)("%s is refused", async (_, path, body, headers, method, status) => {
    await using channel = await openChannelWorld();
    expect((await channel.raw(path, body, { ...bearer(CHANNEL_TOKEN), ...headers }, method)).status).toBe(status);
    expect(channel.world.targets.writes()).toEqual([]);
  });
});

describe("the socket", () => {
  it("is made for its owner and group, and nobody else", async () => {
    await using channel = await openChannelWorld();
    const path = join(channel.world.folder, "gate.sock");
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  it("is not taken from a gate that answers, and no other file is taken away for it", async () => {
    await using channel = await openChannelWorld();
    await expect(channel.serve()).rejects.toThrow("another gate answers at");
    const file = join(channel.world.folder, "precious");
    writeFileSync(file, "data");
    await expect(channel.serve({ socket: file })).rejects.toThrow("is no socket");
    expect(readFileSync(file, "utf8")).toBe("data");
    await expect(channel.serve({ socket: join(channel.world.folder, "none", "gate.sock") })).rejects.toMatchObject({
      code: "input.invalid",
    });
  });

  it("that a dead gate left is replaced", async () => {
    await using channel = await openChannelWorld();
    await channel.stop();
    writeSocketOfTheDead(join(channel.world.folder, "gate.sock"));
    await channel.start();
    expect(await channel.agent.hello()).toMatchObject({ mode: "auto" });
  });

  it("without a gate behind it says so, and is an error that may pass", async () => {
    await using channel = await openChannelWorld();
    await channel.stop();
    const asked = channel.agent.gate.submit("p");
    await expect(asked).rejects.toMatchObject({ code: "gate.unavailable", retry: true });
    await expect(channel.agent.ledger.entries()).rejects.toThrow("start unship gate");
  });
});

/** A socket file that nobody listens at. */
function writeSocketOfTheDead(path: string): void {
  const made = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", made]);
  if (!statSync(path).isSocket()) throw new Error("no socket was left");
}
