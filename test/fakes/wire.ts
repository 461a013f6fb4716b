import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request on its way through the wire. */
export interface Passing {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
}

/** `pass`: on it goes. `cut`: it, or the answer to it, is lost with the connection. */
export type Fate = "pass" | "cut";

/** Told of each request before the server has it, and of each before its answer goes back; may take its time over both. */
export interface Watcher {
  before(passing: Passing): Promise<Fate> | Fate;
  after(passing: Passing): Promise<Fate> | Fate;
}

export interface Wire extends AsyncDisposable {
  readonly url: URL;
  /** Every request that was not a GET, in the order in which they came: "POST /api/…". */
  readonly writes: readonly string[];
  /** Resolves when nothing is on its way: what was sent has arrived, whether or not anybody waits for the answer. */
  quiet(): Promise<void>;
  /** Sets who is told from now on; null: everything passes. */
  watch(watcher: Watcher | null): void;
}

/**
 * A wire between a client and an HTTP API whose server has no hooks of its own. Whole bodies are kept on the way, so that a
 * request is either with the server or not, whatever becomes of the client meanwhile.
 */
export async function startWire(upstream: URL): Promise<Wire> {
  const writes: string[] = [];
  let watcher: Watcher | null = null;

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const passing = { method: incoming.method ?? "", path: incoming.url ?? "/" };
    const body = await bytes(incoming);
    if (passing.method !== "GET") writes.push(`${passing.method} ${passing.path}`);
    const told = watcher;
    if ((await told?.before(passing)) === "cut") return void incoming.socket.destroy();
    const headers = { ...incoming.headers, host: upstream.host };
    const onward = request(new URL(passing.path, upstream), { method: passing.method, headers });
    onward.end(body);
    const [answer] = (await once(onward, "response")) as [IncomingMessage];
    const answered = await bytes(answer);
    if ((await told?.after(passing)) === "cut") return void incoming.socket.destroy();
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(answered);
  }

  const underway = new Set<Promise<void>>();
  const server = createServer((incoming, outgoing) => {
    // A client that is gone, or a server that is: the connection ends, as on any wire.
    const passed = pass(incoming, outgoing)
      .catch(() => void incoming.socket.destroy())
      .finally(() => underway.delete(passed));
    underway.add(passed);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    writes,
    async quiet() {
      while (underway.size > 0) await Promise.all(underway);
    },
    watch(next) {
      watcher = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bytes(from: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of from) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
