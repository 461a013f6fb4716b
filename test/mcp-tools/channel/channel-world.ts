import { Agent, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { ChannelConfig } from "../../../core/config/config.ts";
import { type Channel, openChannel } from "../../../mcp-tools/channel/client.ts";
import { serveChannel } from "../../../mcp-tools/channel/server.ts";
import { openWorld, type World } from "../gate/gate-world.ts";

export const CHANNEL_TOKEN = "the-agent-shows-this-9f2c";

/** A gate over a real ledger behind a real socket, and how an agent, a person and a stranger reach it. */
export async function openChannelWorld(
  options: {
    readonly world?: Parameters<typeof openWorld>[0];
    readonly listen?: boolean;
    readonly services?: readonly string[];
  } = {},
) {
  const world: World = await openWorld(options.world);
  const notes: string[] = [];
  const open: Channel[] = [];
  const place: ChannelConfig["at"] =
    options.listen === true ? { host: "127.0.0.1", port: 0 } : { socket: join(world.folder, "gate.sock") };
  const serve = (at: ChannelConfig["at"] = place) =>
    serveChannel({
      at,
      token: CHANNEL_TOKEN,
      gate: world.gate,
      ledger: world.store,
      notifier: {
        notify: async (notice) => {
          world.notices.push(notice);
          return { delivered: true, detail: "kept" };
        },
      },
      known: { services: options.services ?? [] },
      hello: { version: "1", mode: "auto", actions: ["kubectl_rollout_undo"] },
      note: (line) => notes.push(line),
    });
  let server = await serve();
  const port = Number(new URL(options.listen === true ? server.where : "http://none:1").port);
  const at: ChannelConfig["at"] = options.listen === true ? { host: "127.0.0.1", port } : place;
  const as = (token: string | null): Channel => {
    const channel = openChannel({ at, where: "the gate", token });
    open.push(channel);
    return channel;
  };
  return {
    world,
    notes,
    at,
    as,
    agent: as(CHANNEL_TOKEN),
    /** Whoever can open the socket and knows nothing. */
    stranger: as(null),
    kinds: async () => (await world.store.entries()).map(({ kind }) => kind),
    refusals: async () =>
      (await world.store.entries({ kinds: ["channel.refused"] })).map(
        ({ body }) => body as { readonly call: string; readonly reason: string },
      ),
    /** A request as anybody could write it. */
    async raw(path: string, body: string, headers: Readonly<Record<string, string>> = {}, method = "POST") {
      const outgoing = request({
        ...("socket" in at ? { socketPath: at.socket } : at),
        agent: new Agent({ keepAlive: false }),
        method,
        path,
        headers: { host: "localhost", "content-type": "application/json", ...headers },
      });
      const answered = new Promise<{ status: number; body: string }>((resolve, reject) => {
        outgoing.once("error", reject).once("response", async (response) => {
          resolve({ status: response.statusCode ?? 0, body: await text(response) });
        });
      });
      outgoing.end(body);
      return answered;
    },
    stop: () => server.close(),
    async start() {
      server = await serve(at);
    },
    serve,
    async [Symbol.asyncDispose]() {
      for (const channel of open) await channel.close();
      await server.close();
      await world[Symbol.asyncDispose]();
    },
  };
}
