import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import type { Sources } from "../../core/ports.ts";
import { createHttp, path } from "../../mcp-tools/connectors/http.ts";

/** What a source's server does when it is asked. `drip`: the headers at once, and then a byte a second. */
export const MOODS = ["hangs", "refuses", "drips"] as const;
export type Mood = "answers" | (typeof MOODS)[number];

export const KINDS = ["metrics", "changes", "logs", "traces", "topology", "flags", "rollouts", "alerts"] as const;
export type Kind = (typeof KINDS)[number];

export interface UnsteadySources {
  /** The same sources, each kind behind a socket of its own. */
  readonly sources: Sources;
  be(kind: Kind, mood: Mood): void;
  /** Questions that were taken and neither answered nor given up by whoever asked, at this moment. */
  held(kind: Kind): number;
  /** Whether the server of a kind has taken a question that it will not answer. */
  keeps(kind: Kind): boolean;
  close(): Promise<void>;
}

const DRIP_MS = 1000;

/**
 * Puts sources behind HTTP servers on loopback, one for each kind, and reads them through the product's own HTTP client:
 * so that each kind can hang, refuse or drip as a remote does. Only the first source of each kind is unsteady.
 */
export async function unsteadySources(given: Sources): Promise<UnsteadySources> {
  const servers = new Map(await Promise.all(KINDS.map(async (kind) => [kind, await serve(kind, given)] as const)));
  const of = (kind: Kind) => {
    const found = servers.get(kind);
    if (found === undefined) throw new Error(`no server of ${kind}`);
    return found;
  };
  const remote = <T>(kind: Kind, question: unknown, abort: AbortSignal) => of(kind).ask<T>(question, abort);
  const [firstOf, restOf] = [<T>(all: readonly T[]) => all.slice(0, 1), <T>(all: readonly T[]) => all.slice(1)];
  const named = ({ name }: { readonly name: string }, kind: Kind) => `${name} ${kind}`;
  const sources: Sources = {
    metrics: [
      ...firstOf(given.metrics).map((one) => ({
        name: named(one, "metrics"),
        metrics: () => one.metrics(),
        range: (query: unknown, abort: AbortSignal) => remote<never>("metrics", query, abort),
      })),
      ...restOf(given.metrics),
    ],
    changes: firstOf(given.changes).map((one) => ({
      name: named(one, "changes"),
      changes: (window, abort) => remote("changes", window, abort),
    })),
    logs: firstOf(given.logs).map((one) => ({
      name: named(one, "logs"),
      search: (query, abort) => remote("logs", query, abort),
    })),
    traces: firstOf(given.traces).map((one) => ({
      name: named(one, "traces"),
      spans: (query, abort) => remote("traces", query, abort),
    })),
    topology: firstOf(given.topology).map((one) => ({
      name: named(one, "topology"),
      topology: (abort) => remote("topology", null, abort),
    })),
    flags: firstOf(given.flags).map((one) => ({
      name: named(one, "flags"),
      flags: (abort) => remote("flags", null, abort),
    })),
    rollouts: firstOf(given.rollouts).map((one) => ({
      name: named(one, "rollouts"),
      rollouts: (abort) => remote("rollouts", null, abort),
    })),
    alerts: firstOf(given.alerts).map((one) => ({
      name: named(one, "alerts"),
      alerts: (window, abort) => remote("alerts", window, abort),
    })),
  };
  return {
    sources,
    be: (kind, mood) => of(kind).be(mood),
    held: (kind) => of(kind).held(),
    keeps: (kind) => of(kind).keeps(),
    async close() {
      for (const server of servers.values()) await server.close();
    },
  };
}

/** What the given sources of a kind answer to a question that came as JSON. */
async function answerOf(kind: Kind, given: Sources, asked: unknown): Promise<unknown> {
  const question = <T>(): T => z.custom<T>().parse(asked);
  const { signal } = new AbortController();
  switch (kind) {
    case "metrics":
      return given.metrics[0]?.range(question(), signal);
    case "changes":
      return given.changes[0]?.changes(question(), signal);
    case "logs":
      return given.logs[0]?.search(question(), signal);
    case "traces":
      return given.traces[0]?.spans(question(), signal);
    case "topology":
      return given.topology[0]?.topology(signal);
    case "flags":
      return given.flags[0]?.flags(signal);
    case "rollouts":
      return given.rollouts[0]?.rollouts(signal);
    case "alerts":
      return given.alerts[0]?.alerts(question(), signal);
  }
}

async function serve(kind: Kind, given: Sources) {
  let mood: Mood = "answers";
  const open = new Set<ServerResponse>();
  const server = createServer(async (request, response) => {
    open.add(response);
    response.on("close", () => open.delete(response));
    if (mood === "refuses") return void request.socket.destroy();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (mood === "hangs") return;
    const body = JSON.stringify(await answerOf(kind, given, JSON.parse(Buffer.concat(chunks).toString("utf8"))));
    response.writeHead(200, { "content-type": "application/json" });
    if (mood === "answers") return void response.end(body);
    let sent = 0;
    const timer = setInterval(() => response.write(body.slice(sent, ++sent)), DRIP_MS);
    response.flushHeaders();
    response.on("close", () => clearInterval(timer));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const http = createHttp({ source: kind, base: new URL(`http://127.0.0.1:${port}`) });
  return {
    async ask<T>(question: unknown, abort: AbortSignal): Promise<T> {
      const type = "application/json";
      return (await http.send("POST", path`/`, JSON.stringify(question), type, z.custom<T>(), abort)).body;
    },
    be(next: Mood) {
      mood = next;
    },
    held: () => open.size,
    keeps: () => (mood === "hangs" || mood === "drips") && open.size > 0,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await http.close().catch(() => undefined);
    },
  };
}
