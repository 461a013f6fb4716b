import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, it, vi } from "vitest";
import { UnshipError } from "../../core/errors.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { ToolContext } from "../../mcp-tools/context.ts";
import { openHttp } from "../../mcp-tools/http.ts";
import { MOST_SUBSCRIBED } from "../../mcp-tools/resources/subscriptions.ts";
import { createServer, type ServerOptions } from "../../mcp-tools/server.ts";
import { incident } from "../knowledge/incidents.ts";
import { context, NOW } from "./scenario.ts";

const open: Incident = { ...incident, stage: "investigated", outcome: null, closedAt: null, recovery: null };
const OPEN = "unship://open-incidents";
const ONE = `unship://incidents/${open.id}`;
const PLAN = `unship://plans/${open.plan?.id}`;
const EVERY_MS = 5;

interface World {
  incidents: readonly Incident[];
  now: number;
  isDown: boolean;
}

function world(): { readonly state: World; readonly of: ToolContext; readonly reads: () => number } {
  const plan = { ...(open.plan as NonNullable<Incident["plan"]>), createdAt: NOW, expiresAt: NOW + 60_000 };
  const state: World = { incidents: [{ ...open, plan }], now: NOW, isDown: false };
  const base = context();
  let reads = 0;
  const read = <T>(value: T): T => {
    reads++;
    if (state.isDown) throw new UnshipError("ledger.unavailable", { reason: "it is locked" });
    return value;
  };
  const of: ToolContext = {
    ...base,
    clock: { now: () => state.now },
    ledger: {
      ...base.ledger,
      incident: async (id) => read(state.incidents.find((one) => one.id === id) ?? null),
      incidents: async () => read(state.incidents.filter(({ stage }) => stage !== "closed")),
      plan: async (id) => read(id === plan.id ? plan : null),
    },
  };
  return { state, of, reads: () => reads };
}

async function client(transport: Transport) {
  const heard: string[] = [];
  const one = new Client({ name: "subscriber", version: "0" });
  one.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri));
  await one.connect(transport);
  return { one, heard };
}

async function connected(of: ToolContext, options: ServerOptions = {}) {
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await createServer(of, { subscribedMs: EVERY_MS, ...options }).connect(theirs);
  return client(ours);
}

/** Long enough for several reads of everything. */
const someReads = async (reads: () => number, more = 12) => {
  const before = reads();
  await vi.waitFor(() => expect(reads()).toBeGreaterThan(before + more));
};

describe("subscriptions", () => {
  it.each<[string, string, (state: World) => void]>([
    ["an incident opens", OPEN, (state) => (state.incidents = [...state.incidents, { ...open, id: "inc-other" }])],
    ["an incident is closed", OPEN, (state) => (state.incidents = [])],
    ["the stage of an open one changes", OPEN, (state) => (state.incidents = [{ ...open, stage: "verifying" }])],
    ["the stage of that incident changes", ONE, (state) => (state.incidents = [{ ...open, stage: "verifying" }])],
    ["that incident ends", ONE, (state) => (state.incidents = [{ ...incident, stage: "closed" }])],
    ["that plan expires", PLAN, (state) => (state.now = NOW + 60_001)],
  ])("are told, once, that %s", async (_, uri, happens) => {
    const { state, of, reads } = world();
    const { one, heard } = await connected(of);
    await one.subscribeResource({ uri });
    await someReads(reads);
    expect(heard).toEqual([]);
    happens(state);
    await vi.waitFor(() => expect(heard).toEqual([uri]));
    await someReads(reads);
    expect(heard).toEqual([uri]);
    await one.close();
  });

  it("say nothing of what moves with each evaluation, nor of what is subscribed to no more", async () => {
    const { state, of, reads } = world();
    const { one, heard } = await connected(of);
    for (const uri of [OPEN, ONE]) await one.subscribeResource({ uri });
    state.incidents = state.incidents.map((each) => ({ ...each, seenAt: NOW + 1_000 }));
    await someReads(reads);
    await one.unsubscribeResource({ uri: ONE });
    state.incidents = state.incidents.map((each) => ({ ...each, stage: "verifying" }));
    await vi.waitFor(() => expect(heard).toEqual([OPEN]));
    await someReads(reads);
    expect(heard).toEqual([OPEN]);
    await one.close();
  });

  it("read nothing once there are none, or their client has gone", async () => {
    const { of, reads } = world();
    const { one } = await connected(of);
    const settled = async () => {
      await vi.waitFor(async () => {
        const before = reads();
        await new Promise((done) => setTimeout(done, 10 * EVERY_MS));
        expect(reads()).toBe(before);
      });
    };
    await one.subscribeResource({ uri: OPEN });
    await someReads(reads);
    await one.unsubscribeResource({ uri: OPEN });
    await settled();
    await one.subscribeResource({ uri: OPEN });
    await someReads(reads);
    await one.close();
    await settled();
  });

  it("are refused for what does not change or is not known, and beyond a bound", async () => {
    const { of, state } = world();
    const { one } = await connected(of);
    for (const uri of [
      "unship://policy",
      "unship://incidents/inc-nobody",
      "unship://plans/%E0%A4%A",
      "file:///etc/passwd",
      `unship://postmortems/${open.id}`,
    ])
      await expect(one.subscribeResource({ uri }), uri).rejects.toThrow(/can be subscribed to/);
    state.incidents = Array.from({ length: MOST_SUBSCRIBED + 1 }, (_, index) => ({ ...open, id: `inc-${index}` }));
    const asked = await Promise.allSettled(
      state.incidents.map(({ id }) => one.subscribeResource({ uri: `unship://incidents/${id}` })),
    );
    expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(MOST_SUBSCRIBED);
    await one.close();
  });

  it("note a ledger that is down once, and go on when it is back", async () => {
    const { state, of, reads } = world();
    const failures: unknown[] = [];
    const { one, heard } = await connected(of, { onError: (_, error) => void failures.push(error) });
    await one.subscribeResource({ uri: ONE });
    state.isDown = true;
    await someReads(reads);
    state.incidents = state.incidents.map((each) => ({ ...each, stage: "verifying" }));
    state.isDown = false;
    await vi.waitFor(() => expect(heard).toEqual([ONE]));
    expect(failures).toHaveLength(1);
    await one.close();
  });

  it("reach a client over HTTP on the stream of its session, and no other client", async () => {
    const { state, of } = world();
    const serving = await openHttp(() => createServer(of, { subscribedMs: EVERY_MS }), {
      host: "127.0.0.1",
      port: 0,
      tokens: [],
      hosts: [],
      origins: [],
      requestsPerMinute: 1_000,
      isPersonal: () => false,
    });
    const at = () => new StreamableHTTPClientTransport(new URL(serving.url));
    const [first, second] = [await client(at()), await client(at())];
    await first.one.subscribeResource({ uri: OPEN });
    state.incidents = [];
    await vi.waitFor(() => expect(first.heard).toEqual([OPEN]));
    expect(second.heard).toEqual([]);
    await Promise.all([first.one.close(), second.one.close()]);
    await serving.close();
  });
});
