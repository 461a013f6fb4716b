import { createHash } from "node:crypto";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Incident } from "../../core/model/incident.ts";
import type { GateAnswer, Plan } from "../../core/model/plan.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import type { ToolContext } from "../../mcp-tools/context.ts";
import { openHttp } from "../../mcp-tools/http.ts";
import { createServer, type ServerOptions } from "../../mcp-tools/server.ts";
import { until } from "../../mcp-tools/waiting.ts";
import { incident } from "../knowledge/incidents.ts";
import { callTool } from "./call-tool.ts";
import { context, NOW } from "./scenario.ts";

const sha256 = (of: string) => createHash("sha256").update(of).digest("hex");
const never = new AbortController().signal;
const MINUTE = 60_000;
const plan: Plan = { ...(incident.plan as Plan), createdAt: NOW - MINUTE, expiresAt: NOW + 10 * MINUTE };
const held: GateAnswer = {
  planId: plan.id,
  outcome: "held",
  review: { verdict: "require_approval", rules: [{ rule: "mode", verdict: "require_approval", reason: "so" }] },
  results: [],
  executedAt: null,
};
const executed: GateAnswer = { ...held, outcome: "executed", review: { verdict: "allow", rules: [] }, executedAt: NOW };
const waiting: Incident = {
  ...{ ...incident, stage: "waiting-approval", outcome: null, closedAt: null, recovery: null },
  ...{ plan, gate: held },
};

/** A world in which time passes only by pauses, and something happens in one of them. */
function world(happens: ReadonlyMap<number, (now: World) => void> = new Map()) {
  const state: World = { incident: waiting, entries: [], answers: [held], plan };
  const paused: number[] = [];
  const submitted: string[] = [];
  let now = NOW;
  state.entries.push(entry("plan.reviewed", { review: held.review }));
  const base = context();
  const of: ToolContext = {
    ...base,
    clock: { now: () => now },
    ledger: {
      ...base.ledger,
      incident: async (id) => (id === state.incident.id ? state.incident : null),
      incidents: async () => [state.incident],
      plan: async (id) => (id === plan.id ? state.plan : null),
      entries: async ({ kinds = [] } = {}) => state.entries.filter(({ kind }) => kinds.includes(kind)),
    },
    gate: {
      propose: async () => {
        throw new Error("nothing is proposed here");
      },
      submit: async (id) => {
        submitted.push(id);
        return state.answers.at(-1) ?? held;
      },
    },
    pause: async (ms, abort) => {
      abort.throwIfAborted();
      paused.push(ms);
      now += ms;
      happens.get(paused.length)?.(state);
    },
  };
  return { of, paused, submitted, state };
}

interface World {
  incident: Incident;
  plan: Plan;
  readonly entries: LedgerEntry[];
  readonly answers: GateAnswer[];
}

let seq = 0;
function entry(kind: string, body: unknown, actor = "gate"): LedgerEntry {
  seq += 1;
  return { ...{ seq, at: NOW, kind, incidentId: incident.id, planId: plan.id, actor, body, prev: "", hash: "" } };
}
const approve = (one: World) => {
  one.entries.push(entry("approval.given", { expiresAt: plan.expiresAt }, "ada"));
  one.answers.push(executed);
};
const reject = (one: World) => {
  one.entries.push(entry("approval.rejected", {}, "ada"));
  one.answers.push({ ...held, outcome: "denied", review: { verdict: "deny", rules: [] } });
};
const carriedOut = (one: World) => {
  one.entries.push(entry("plan.reserved", { approvedBy: "ada" }), entry("plan.answered", executed));
  one.incident = { ...one.incident, stage: "verifying", gate: executed };
};
const verified = (one: World) => {
  one.incident = { ...one.incident, recovery: incident.recovery, gate: executed, stage: "verifying" };
};

const is = (incident: Incident) => (one: World) => {
  one.incident = incident;
};
const byAnother = (one: World) => {
  one.answers.push(executed);
  carriedOut(one);
  verified(one);
};
const expire = (one: World) => {
  one.plan = { ...plan, expiresAt: NOW };
};

describe("waiting", () => {
  it("ends as soon as what is read is reached, never later than it was told, whatever the clock does", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(60),
        fc.nat(50),
        fc.integer({ min: -2_000, max: 5_000 }),
        async (reachedAt, seconds, drift) => {
          let reads = 0;
          let now = NOW;
          const paused: number[] = [];
          const pause = async (ms: number) => {
            paused.push(ms);
            now += ms + drift;
          };
          const read = async () => reads++;
          const parts = { clock: { now: () => now }, pause };
          const found = await until(read, (state) => state >= reachedAt, seconds, parts, never);
          const total = paused.reduce((sum, ms) => sum + ms, 0);
          expect(total).toBeLessThanOrEqual(seconds * 1_000);
          expect(paused.length).toBeLessThanOrEqual(reachedAt);
          if (drift <= 0) expect(found).toBe(Math.min(reachedAt, seconds));
          expect(found).toBe(reads - 1);
        },
      ),
    );
  });

  it.each<[string, (one: World) => void, Record<string, unknown>]>([
    ["its plan is rejected", reject, { stage: "waiting-approval" }],
    ["its plan expires", expire, { stage: "waiting-approval" }],
    ["its plan is executed", carriedOut, { stage: "verifying", state: "executed, verifying recovery" }],
    ["it is verified", verified, { recovery: expect.stringMatching(/^recovered/) }],
    ["it is closed", is(incident), { stage: "closed", outcome: "recovered" }],
  ])("get_incident answers at once when %s", async (_, happens, answer) => {
    const { of, paused } = world(new Map([[7, happens]]));
    const { structured, text } = await callTool(of, "get_incident", { incident: incident.id, wait_seconds: 50 });
    expect(structured, text).toMatchObject(answer);
    expect(paused).toHaveLength(7);
  });

  it.each<[string, (one: World) => void, Record<string, unknown>]>([
    ["its plan is approved", approve, { state: "approved by ada, not carried out yet" }],
    ["the policy's duration begins", is({ ...waiting, stage: "waiting-policy" }), { stage: "waiting-policy" }],
    ["the gate judges it", is({ ...waiting, stage: "executing" }), { stage: "executing" }],
  ])("get_incident waits on through what unship alone does next: %s", async (_, happens, answer) => {
    const then = world(
      new Map([
        [7, happens],
        [19, carriedOut],
      ]),
    );
    const { structured: after } = await callTool(then.of, "get_incident", { incident: incident.id, wait_seconds: 50 });
    expect(after).toMatchObject({ state: "executed, verifying recovery" });
    expect(then.paused).toHaveLength(19);
    const { of, paused } = world(new Map([[7, happens]]));
    const { structured } = await callTool(of, "get_incident", { incident: incident.id, wait_seconds: 50 });
    expect(structured).toMatchObject(answer);
    expect(paused).toHaveLength(50);
  });

  it("get_incident answers once the time is over, at once without a wait, and of what is closed", async () => {
    const still = world();
    const { structured } = await callTool(still.of, "get_incident", { incident: incident.id, wait_seconds: 20 });
    expect(structured).toMatchObject({ stage: "waiting-approval", state: "needs approval" });
    expect(still.paused).toHaveLength(20);
    await callTool(still.of, "get_incident", { incident: incident.id });
    still.state.incident = incident;
    await callTool(still.of, "get_incident", { incident: incident.id, wait_seconds: 50 });
    expect(still.paused).toHaveLength(20);
    const { isError } = await callTool(still.of, "get_incident", { incident: incident.id, wait_seconds: 51 });
    expect(isError).toBe(true);
  });

  it.each<[string, ReadonlyMap<number, (one: World) => void>, number, number, Record<string, unknown>]>([
    [
      "approved, executed and verified",
      new Map([
        [3, approve],
        [5, carriedOut],
        [9, verified],
      ]),
      9,
      2,
      { outcome: "executed", recovery: "recovered", next: expect.stringContaining("the services recovered") },
    ],
    ["rejected", new Map([[4, reject]]), 4, 2, { outcome: "denied", state: "rejected" }],
    [
      "expired",
      new Map([[6, expire]]),
      6,
      1,
      { outcome: "held", state: "expired", next: expect.stringContaining("can no longer be approved") },
    ],
    ["not answered", new Map(), 30, 1, { outcome: "held", state: "waiting" }],
    ["approved and not verified in time", new Map([[3, approve]]), 30, 2, { outcome: "executed", recovery: "pending" }],
  ])("submit_plan waits until its plan is %s", async (_, happens, pauses, asked, answer) => {
    const { of, paused, submitted } = world(happens);
    const { structured, text } = await callTool(of, "submit_plan", { plan_id: plan.id, wait_seconds: 30 });
    expect(structured, text).toMatchObject(answer);
    expect(paused).toHaveLength(pauses);
    expect(submitted).toHaveLength(asked);
  });

  it("submit_plan waits for another call that carries its plan out", async () => {
    const { of, state, submitted } = world(new Map([[2, byAnother]]));
    state.answers.push({ ...held, outcome: "in-progress" });
    const { structured } = await callTool(of, "submit_plan", { plan_id: plan.id, wait_seconds: 30 });
    expect(structured).toMatchObject({ outcome: "executed", recovery: "recovered", approved_by: ["ada"] });
    expect(submitted).toHaveLength(2);
  });
});

/** A world in which pauses last until they are told to end. */
function hanging() {
  const { of, submitted, state } = world();
  const begun: AbortSignal[] = [];
  const pause: ToolContext["pause"] = (_, abort) => {
    begun.push(abort);
    return new Promise((_resolve, fail) => abort.addEventListener("abort", () => fail(abort.reason), { once: true }));
  };
  return { of: { ...of, pause }, submitted, state, begun };
}

async function linked(of: ToolContext, options: ServerOptions = {}) {
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await createServer(of, options).connect(theirs);
  const client = new Client({ name: "waits", version: "0" });
  await client.connect(ours);
  return client;
}

const CALLS = [
  ["get_incident", { incident: incident.id, wait_seconds: 50 }],
  ["submit_plan", { plan_id: plan.id, wait_seconds: 50 }],
] as const;

describe.each(CALLS)("a call of %s that waits", (name, args) => {
  it("ends at once when the client cancels it, asks the gate nothing more, and keeps no other call waiting", async () => {
    const failures: unknown[] = [];
    const { of, begun, submitted, state } = hanging();
    const client = await linked(of, { onError: (_, error) => failures.push(error) });
    const cancel = new AbortController();
    const call = client.callTool({ name, arguments: args }, undefined, { signal: cancel.signal });
    await vi.waitFor(() => expect(begun).toHaveLength(1));
    const other = await client.callTool({ name: "get_incident", arguments: { incident: incident.id } });
    expect(other.isError).not.toBe(true);
    approve(state);
    const asked = submitted.length;
    cancel.abort();
    await expect(call).rejects.toThrow();
    await vi.waitFor(() => expect(begun[0]?.aborted).toBe(true));
    await client.listTools();
    expect(submitted).toHaveLength(asked);
    expect(failures).toEqual([]);
    await client.close();
  });

  it("ends at once when the client goes", async () => {
    const { of, begun } = hanging();
    const client = await linked(of);
    const call = client.callTool({ name, arguments: args });
    const ended = expect(call).rejects.toThrow();
    await vi.waitFor(() => expect(begun).toHaveLength(1));
    await client.close();
    await ended;
    await vi.waitFor(() => expect(begun[0]?.aborted).toBe(true));
  });

  it("tells of its progress where the client asked for it", async () => {
    const { of, begun } = hanging();
    const client = await linked(of, { progressMs: 1 });
    const cancel = new AbortController();
    const twice = Promise.withResolvers<void>();
    const onprogress = ({ progress }: { progress: number }) => (progress >= 2 ? twice.resolve() : undefined);
    const call = client.callTool({ name, arguments: args }, undefined, { signal: cancel.signal, onprogress });
    const ended = expect(call).rejects.toThrow();
    await twice.promise;
    expect(begun).toHaveLength(1);
    cancel.abort();
    await ended;
    await client.close();
  });

  it("counts among its caller's requests over HTTP, and ends when its connection is gone", async () => {
    const { of, begun } = hanging();
    const tokens = ["ada", "ben"].map((one) => ({ name: one, tokenSha256: sha256(one), readOnly: false }));
    const options = { tokens, hosts: [], origins: [], requestsPerMinute: 10_000, sessions: 8 };
    const serving = await openHttp(() => createServer(of), { host: "127.0.0.1", port: 0, ...options });
    const connected = async (token: string) => {
      const requestInit = { headers: { authorization: `Bearer ${token}` } };
      const transport = new StreamableHTTPClientTransport(new URL(serving.url), { requestInit });
      const client = new Client({ name: "waits", version: "0" });
      await client.connect(transport as Parameters<Client["connect"]>[0]);
      return { client, transport };
    };
    const { client, transport } = await connected("ada");
    const other = await connected("ben");
    const gone = new AbortController();
    const ask = (id: number, signal: AbortSignal) =>
      fetch(serving.url, {
        method: "POST",
        headers: {
          authorization: "Bearer ada",
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          "mcp-session-id": transport.sessionId ?? "",
        },
        body: JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args } }),
        signal,
      });
    // A caller may have eight open here, and its client's own stream is one of them.
    const calls = [1, 2, 3, 4, 5, 6, 7].map((id) => ask(100 + id, gone.signal).then((answer) => answer.text()));
    for (const call of calls) call.catch(() => {});
    await vi.waitFor(() => expect(begun).toHaveLength(7), { timeout: 10_000 });
    let id = 200;
    await vi.waitFor(async () => expect((await ask(++id, gone.signal)).status).toBe(429), { timeout: 10_000 });
    expect((await other.client.listTools()).tools.length).toBeGreaterThan(0);
    gone.abort();
    await vi.waitFor(() => expect(begun.every(({ aborted }) => aborted)).toBe(true), { timeout: 10_000 });
    await vi.waitFor(async () => expect((await client.listTools()).tools.length).toBeGreaterThan(0), {
      timeout: 10_000,
    });
    await other.client.close();
    await client.close();
    await serving.close();
  });
});
