import { request } from "node:http";
import { text } from "node:stream/consumers";
import type { GateConfig, GateParts } from "../../../mcp-tools/gate/parts.ts";
import { approvalRoutes } from "../../../mcp-tools/listener/approval-routes.ts";
import { openListener, type Route } from "../../../mcp-tools/listener/listener.ts";
import { openWorld, type World } from "../gate/gate-world.ts";

export interface Answer {
  readonly status: number | undefined;
  readonly headers: import("node:http").IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Sending {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** One raw request, its headers as given: `fetch` would not let us lie about Host and Origin. */
export async function send(url: string, { method, token, headers, body }: Sending = {}): Promise<Answer> {
  const sent = request(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
  const answered = Promise.withResolvers<import("node:http").IncomingMessage>();
  sent.once("response", answered.resolve).once("error", answered.reject);
  sent.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
  const response = await answered.promise;
  const read = await text(response);
  return { status: response.statusCode, headers: response.headers, body: read === "" ? null : JSON.parse(read) };
}

/** The gate's world with the listener beside it, as `unship watch` opens it. */
export async function openListening(options: {
  readonly config: GateConfig;
  readonly parts?: Partial<GateParts>;
  readonly requestsPerMinute?: number;
  readonly hosts?: readonly string[];
  readonly more?: (world: World) => readonly Route[];
}) {
  const { config } = options;
  const world = await openWorld({ config, ...(options.parts === undefined ? {} : { parts: options.parts }) });
  const errors: unknown[] = [];
  const listener = await openListener({
    host: "127.0.0.1",
    port: 0,
    hosts: options.hosts ?? [],
    origins: [],
    routes: [
      ...approvalRoutes({
        config,
        gate: world.gate,
        ledger: world.store,
        clock: { now: () => world.time.now },
        requestsPerMinute: options.requestsPerMinute ?? 10_000,
        at: () => ({ isGateApart: false, isWatched: true }),
      }),
      ...(options.more?.(world) ?? []),
    ],
    onError: (error) => errors.push(error),
  });
  return {
    world,
    url: listener.url,
    errors,
    ask: (path: string, sending?: Sending) => send(`${listener.url}${path}`, sending),
    /** A plan that waits for a person. */
    async held(change: Parameters<World["draft"]>[0] = {}) {
      const { plan } = await world.gate.propose(world.draft(change));
      await world.gate.submit(plan.id);
      return plan;
    },
    kinds: async () => (await world.store.entries()).map(({ kind }) => kind),
    async [Symbol.asyncDispose]() {
      await listener.close();
      await world[Symbol.asyncDispose]();
    },
  };
}
