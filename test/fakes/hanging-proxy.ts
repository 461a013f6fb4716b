import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that was accepted and has no answer. */
interface Held {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly response: ServerResponse;
}

/**
 * A server in front of another one that accepts what it is sent and does not answer while it hangs: `hang` says which
 * requests ("PATCH /apis/…"). What was accepted is carried out when it is released, also where nobody waits for the answer
 * any more, as a server does whose store had stalled; or it is lost, as with one that is killed.
 */
export async function hangingProxy(upstream: URL, onWrite: (request: string, body: string) => void = () => {}) {
  let hangs: (request: string) => boolean = () => false;
  let held: Held[] = [];
  const carryOut = async ({ method, path, headers, body, response }: Held): Promise<void> => {
    const { host: _, connection: __, "content-length": ___, ...rest } = headers;
    const kept = Object.entries(rest).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []));
    const answer = await fetch(new URL(path, upstream), {
      method,
      headers: Object.fromEntries(kept),
      ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
    });
    const text = await answer.text();
    if (response.destroyed) return;
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(text);
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = request;
    const one = { method, path: url, headers, body: Buffer.concat(chunks), response };
    if (method !== "GET") onWrite(`${method} ${url}`, one.body.toString());
    if (hangs(`${method} ${url}`)) held.push(one);
    else await carryOut(one).catch(() => response.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    held: () => held.map(({ method, path }) => `${method} ${path}`),
    hang(which: typeof hangs) {
      hangs = which;
    },
    /** It answers again: what it holds is carried out in its order, or is lost. */
    async release(does: "carry out" | "lose"): Promise<void> {
      hangs = () => false;
      const waiting = held;
      held = [];
      for (const one of waiting) {
        if (does === "lose") one.response.destroy();
        else await carryOut(one).catch(() => one.response.destroy());
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
