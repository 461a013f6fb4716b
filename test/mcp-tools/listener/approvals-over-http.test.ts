import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { NO_INCIDENT } from "../../../core/model/plan.ts";
import { MINUTE, policyOf, serviceOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { incident } from "../../knowledge/incidents.ts";
import { ALICE_TOKEN, APPROVERS, BOB_TOKEN, sha256 } from "../gate/gate-world.ts";
import { openListening, send } from "./listening.ts";

const config = { ...policyOf({ mode: "approve" }), approvers: APPROVERS };
const opened = (more: Partial<Parameters<typeof openListening>[0]> = {}) => openListening({ config, ...more });
const alice = { token: ALICE_TOKEN };

describe("approvals over HTTP", () => {
  it("lists what waits, shows it as a diff, and a yes lets the gate execute exactly that", async () => {
    await using on = await opened();
    const plan = await on.held({ incidentId: NO_INCIDENT });
    const list = await on.ask("/v1/plans", alice);
    expect(list).toMatchObject({ status: 200, body: { plans: [{ id: plan.id, hash: plan.hash, state: "waiting" }] } });
    const shown = await on.ask(`/v1/plans/${plan.id}`, alice);
    expect(shown.body).toMatchObject({
      incident: null,
      reason: plan.reason,
      targets: [
        {
          action: "kubectl_rollout_undo",
          object: "Deployment/checkout in production",
          runs_now: "v2 (revision 7)",
          will_run: "v1 (revision 6)",
        },
      ],
      also_moves: [],
      not_covered: [
        expect.stringContaining("ConfigMaps"),
        expect.stringContaining("data:"),
        expect.stringContaining("replicas:"),
      ],
      held_by: expect.arrayContaining([expect.objectContaining({ rule: "mode", verdict: "require_approval" })]),
      may_approve: ["alice", "bob"],
      people_needed: 1,
      answers: [],
    });
    const yes = await on.ask(`/v1/plans/${plan.id}/approve`, { ...alice, body: { hash: plan.hash } });
    expect(yes).toMatchObject({ status: 200, body: { plan: plan.id, approved_by: "alice", still_needed: 0 } });
    expect(on.world.targets.calls()).toEqual([]);
    expect(await on.world.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
    expect(await on.world.store.entries({ kinds: ["approval.given"] })).toMatchObject([
      { actor: "alice", planId: plan.id, body: { planHash: plan.hash, via: "http" } },
    ]);
    expect(await on.ask("/v1/plans", alice)).toMatchObject({ body: { plans: [] } });
    expect(await on.ask(`/v1/plans/${plan.id}`, alice)).toMatchObject({ body: { state: "submitted" } });
    expect((await on.world.store.verify()).problems).toEqual([]);
  });

  it("a no is final, stands with its reason, and the plan waits no more", async () => {
    await using on = await opened();
    const plan = await on.held({ incidentId: NO_INCIDENT });
    const body = { hash: plan.hash, reason: "the deploy is innocent" };
    const no = await on.ask(`/v1/plans/${plan.id}/reject`, { ...alice, body });
    expect(no).toMatchObject({ status: 200, body: { rejected_by: "alice" } });
    expect(await on.ask("/v1/plans", alice)).toMatchObject({ body: { plans: [] } });
    const yes = await on.ask(`/v1/plans/${plan.id}/approve`, { token: BOB_TOKEN, body: { hash: plan.hash } });
    expect(yes).toMatchObject({ status: 403, body: { error: { message: expect.stringContaining("alice rejected") } } });
    expect(await on.world.gate.submit(plan.id)).toMatchObject({ outcome: "denied" });
  });

  it("where two people are needed, the first yes says so and executes nothing", async () => {
    const approval = {
      ...config.approval,
      twoPersons: [{ services: null, actions: null, criticality: "low" as const }],
    };
    await using on = await opened({ config: { ...config, approval } });
    const plan = await on.held();
    const first = await on.ask(`/v1/plans/${plan.id}/approve`, { ...alice, body: { hash: plan.hash } });
    expect(first.body).toMatchObject({ still_needed: 1, next: "A second person has to approve it." });
    expect(await on.world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
    const second = await on.ask(`/v1/plans/${plan.id}/approve`, { token: BOB_TOKEN, body: { hash: plan.hash } });
    expect(second.body).toMatchObject({ approved_by: "bob", still_needed: 0 });
    expect(await on.world.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  });

  it("S3: without a token nothing is shown and nothing answered, not even whether the plan exists", async () => {
    await using on = await opened();
    const plan = await on.held();
    for (const path of ["/v1/plans", `/v1/plans/${plan.id}`, "/v1/plans/plan-x"]) {
      const answer = await on.ask(path);
      expect(answer).toMatchObject({ status: 401, body: { error: { code: "identity.refused" } } });
      expect(answer.headers["www-authenticate"]).toBe('Bearer realm="unship"');
    }
    expect(await on.ask(`/v1/plans/${plan.id}/approve`, { body: { hash: plan.hash } })).toMatchObject({ status: 401 });
    expect(await on.world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
  });

  it.each([
    ["a wrong token", "wrong-token"],
    ["the token's hash, which is listed in the file", sha256(ALICE_TOKEN)],
    ["another spelling of the token", ALICE_TOKEN.toUpperCase()],
  ])("S3: %s approves nothing, and stands in the ledger without what was sent", async (_, token) => {
    await using on = await opened();
    const plan = await on.held();
    const answer = await on.ask(`/v1/plans/${plan.id}/approve`, { token, body: { hash: plan.hash } });
    expect(answer).toMatchObject({
      status: 401,
      body: { error: { code: "identity.refused", message: "Nobody's answer: this token is no approver's." } },
    });
    const [entry] = await on.world.store.entries({ kinds: ["identity.refused"] });
    expect(entry).toMatchObject({ actor: "unknown", body: { via: "http", reason: "this token is no approver's" } });
    expect(JSON.stringify(entry)).not.toContain(token);
    expect(await on.world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
  });

  it("S3: who may not answer for a service, and who proposed it, are refused by name, each on record", async () => {
    await using on = await opened();
    const cart = targetOf({ name: "cart" });
    on.world.targets.place(cart);
    const foreign = await on.held({ targets: [cart] });
    const bob = { token: BOB_TOKEN, body: { hash: foreign.hash } };
    expect(await on.ask(`/v1/plans/${foreign.id}/approve`, bob)).toMatchObject({
      status: 403,
      body: { error: { message: expect.stringContaining("bob may not answer for cart") } },
    });
    const own = await on.held({ proposedBy: "mcp:http(alice):an-assistant" });
    expect(await on.ask(`/v1/plans/${own.id}/approve`, { ...alice, body: { hash: own.hash } })).toMatchObject({
      status: 403,
      body: { error: { message: expect.stringContaining("nobody approves a plan of their own") } },
    });
    expect(await on.world.store.entries({ kinds: ["approval.refused"] })).toMatchObject([
      { actor: "bob", planId: foreign.id },
      { actor: "alice", planId: own.id },
    ]);
  });

  it.each([
    ["with its old hash", false],
    ["with a hash that fits again", true],
  ])("S4: a plan that was edited after it was read, %s, is not approved", async (_, rehashed) => {
    await using on = await opened();
    const plan = await on.held();
    const { planContent } = await import("../../../core/guardrails/targets.ts");
    const edited = { ...plan, targets: [targetOf({ name: "payments" })] };
    const hash = rehashed ? sha256(planContent(edited)) : plan.hash;
    const database = new DatabaseSync(join(on.world.folder, "ledger.db"));
    database
      .prepare("update plans set body = ?, hash = ? where id = ?")
      .run(JSON.stringify({ ...edited, hash }), hash, plan.id);
    database.close();
    const answer = await on.ask(`/v1/plans/${plan.id}/approve`, { ...alice, body: { hash: plan.hash } });
    expect(answer).toMatchObject({ status: 409, body: { error: { code: "plan.changed" } } });
    expect(await on.kinds()).not.toContain("approval.given");
    expect(await on.kinds()).toContain("approval.refused");
  });

  it.each([
    ["unknown", "/v1/plans/plan-x/approve", 404],
    ["named by more than a plan id", "/v1/plans/..%2f..%2fadmin/approve", 404],
  ])("a plan that is %s", async (_, path, status) => {
    await using on = await opened();
    expect(await on.ask(path, { ...alice, body: { hash: "h" } })).toMatchObject({ status });
  });

  it("a plan that expired is gone, and one whose incident closed would help nobody", async () => {
    await using on = await opened();
    const closed = { ...incident, id: "incident-1", stage: "closed" as const, outcome: "withdrawn" as const };
    const useless = await on.held();
    await on.world.store.saveIncident(closed);
    const answer = await on.ask(`/v1/plans/${useless.id}/approve`, { ...alice, body: { hash: useless.hash } });
    expect(answer).toMatchObject({
      status: 403,
      body: { error: { message: expect.stringContaining("incident-1 is closed (withdrawn)") } },
    });
    const late = await on.held({ incidentId: NO_INCIDENT });
    on.world.time.now += 15 * MINUTE;
    expect(await on.ask("/v1/plans", alice)).toMatchObject({ body: { plans: [] } });
    const over = await on.ask(`/v1/plans/${late.id}/approve`, { ...alice, body: { hash: late.hash } });
    expect(over).toMatchObject({ status: 410, body: { error: { code: "plan.expired" } } });
  });

  it.each([
    ["no hash of what was read", {}],
    ["a flag that would force it", { hash: "h", force: true }],
    ["another approver's name", { hash: "h", by: "bob" }],
    ["no JSON", "{"],
  ])("a yes with %s is no yes", async (_, body) => {
    await using on = await opened();
    const plan = await on.held();
    const answer = await on.ask(`/v1/plans/${plan.id}/approve`, { ...alice, body });
    expect(answer).toMatchObject({ status: 400, body: { error: { message: expect.stringMatching(/^Send JSON/) } } });
    expect(await on.kinds()).not.toContain("approval.given");
  });
});

describe("the listener", () => {
  it.each([
    ["a foreign Host, as after DNS rebinding", { headers: { host: "evil.example" } }, 403],
    ["a web page of elsewhere", { headers: { origin: "https://evil.example" } }, 403],
    ["a host that the file names", { headers: { host: "unship.example:443" } }, 200],
    ["another method", { method: "DELETE" }, 405],
  ])("%s", async (_, sending, status) => {
    await using on = await opened({ hosts: ["unship.example"] });
    expect(await on.ask("/v1/plans", { ...alice, ...sending })).toMatchObject({ status });
  });

  it.each([
    ["larger than any answer", "x".repeat(300_000), {}, 413],
    ["a form", "hash=h", { "content-type": "application/x-www-form-urlencoded" }, 415],
  ])("a body that is %s is not read", async (_, body, headers, status) => {
    await using on = await opened();
    const plan = await on.held();
    const answer = await on.ask(`/v1/plans/${plan.id}/approve`, { ...alice, body, headers });
    expect(answer).toMatchObject({ status, headers: { connection: "close" } });
  });

  it("limits strangers by their address and writes down only so many, while an approver there still gets in", async () => {
    await using on = await opened();
    const plan = await on.held();
    const statuses: unknown[] = [];
    for (let n = 0; n < 14; n += 1) statuses.push((await on.ask("/v1/plans", { token: `guess-${n}` })).status);
    expect(statuses).toEqual([...Array(10).fill(401), ...Array(4).fill(429)]);
    expect(await on.world.store.entries({ kinds: ["identity.refused"] })).toHaveLength(10);
    expect(await on.ask(`/v1/plans/${plan.id}/approve`, { ...alice, body: { hash: plan.hash } })).toMatchObject({
      status: 200,
    });
  });

  it("strangers from everywhere fill the ledger with a bounded number of lines, and close no desk", async () => {
    await using on = await opened();
    const plan = await on.held();
    for (let n = 0; n < 70; n += 1) {
      const proof = { via: "http", bearer: `guess-${n}` } as const;
      await expect(on.world.newGate().identify(proof)).rejects.toMatchObject({ code: "identity.refused" });
    }
    const entries = await on.world.store.entries({ kinds: ["identity.refused"] });
    expect(entries).toHaveLength(61);
    expect(entries.at(-1)?.body).toMatchObject({ reason: "more than 60 in a minute; the rest is not written down" });
    expect(await on.world.gate.approve(plan.id, ALICE_TOKEN)).toMatchObject({ by: "alice" });
  });

  it("one address cannot keep the others out by opening all connections and saying nothing", async () => {
    await using on = await opened();
    const port = Number(new URL(on.url).port);
    const closed: Promise<unknown>[] = [];
    // All of 127.0.0.0/8 is this machine: somebody else's address.
    const silent = Array.from({ length: 300 }, () => {
      const socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
      socket.on("error", () => {});
      closed.push(new Promise((resolve) => socket.once("close", resolve)));
      return socket;
    });
    await Promise.all(
      silent.map((socket) => new Promise((resolve) => socket.once("connect", resolve).once("close", resolve))),
    );
    await expect(on.ask("/v1/plans", alice)).resolves.toMatchObject({ status: 200 });
    for (const socket of silent) socket.destroy();
    await Promise.all(closed);
  });

  it("limits an approver by name", async () => {
    await using on = await opened({ requestsPerMinute: 2 });
    const statuses: unknown[] = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await on.ask("/v1/plans", alice)).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(await on.ask("/v1/plans", { token: BOB_TOKEN })).toMatchObject({ status: 200 });
  });

  it("S10: a failure of ours tells the caller nothing of its cause, and the log all", async () => {
    const failing = { method: "GET", path: /^\/boom$/, handle: () => Promise.reject(new Error("secret-7")) } as const;
    await using on = await opened({ more: () => [failing] });
    const answer = await on.ask("/boom");
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toMatch(/secret-7|at .*\.ts/);
    expect(on.errors).toMatchObject([{ message: "secret-7" }]);
  });

  it("an address that is taken is said as that", async () => {
    await using on = await opened();
    const port = Number(new URL(on.url).port);
    const { openListener } = await import("../../../mcp-tools/listener/listener.ts");
    const second = openListener({ host: "127.0.0.1", port, hosts: [], origins: [], routes: [] });
    await expect(second).rejects.toThrow(`server.listen: 127.0.0.1 port ${port} cannot be bound`);
    expect(await send(`${on.url}/v1/plans`, alice)).toMatchObject({ status: 200 });
  });

  it("shows a service that shares the object, as the desk does", async () => {
    const services = {
      checkout: serviceOf(),
      worker: serviceOf({ workload: { kind: "Deployment", name: "checkout" } }),
    };
    await using on = await opened({ config: { ...config, services } });
    const plan = await on.held();
    expect(await on.ask(`/v1/plans/${plan.id}`, alice)).toMatchObject({
      body: { also_moves: [expect.stringContaining("worker")], may_approve: ["alice"] },
    });
  });
});
