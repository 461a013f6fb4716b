import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Where on its way a write is cut off: the API never hears of it, or the client never hears of the API's answer. */
export type Cut = "before the API" | "after the API";

/** A wire between a client and an HTTP API that can be cut at an exact moment. */
export interface ApiProxy extends AsyncDisposable {
  readonly url: URL;
  /**
   * Cuts the next PATCH there: `act` runs while the client still waits, and then its connection is closed without an
   * answer. Resolves when that has happened.
   */
  cutNextPatch(cut: Cut, act: () => Promise<void>): Promise<void>;
}

/** Passes everything on to `upstream`, bodies streamed both ways, watches included. */
export async function startApiProxy(upstream: URL): Promise<ApiProxy> {
  let armed: { readonly cut: Cut; readonly act: () => Promise<void>; readonly done: () => void } | undefined;

  const pass = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const rule = incoming.method === "PATCH" ? armed : undefined;
    const hangUp = async () => {
      await rule?.act();
      incoming.socket.destroy();
      rule?.done();
    };
    if (rule !== undefined) armed = undefined;
    if (rule?.cut === "before the API") {
      incoming.resume().once("end", hangUp);
      return;
    }
    const { method, headers } = incoming;
    const onward = request(new URL(incoming.url ?? "/", upstream), {
      method,
      headers: { ...headers, host: upstream.host },
    });
    onward.once("response", (answer) => {
      if (rule === undefined) {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        outgoing.flushHeaders();
        answer.pipe(outgoing);
        answer.once("error", () => outgoing.destroy());
      } else {
        answer.resume().once("end", hangUp);
      }
    });
    onward.once("error", () => outgoing.destroy());
    outgoing.once("close", () => onward.destroy());
    incoming.pipe(onward);
  };

  const server = createServer(pass);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    cutNextPatch(cut, act) {
      const { promise, resolve } = Promise.withResolvers<void>();
      armed = { cut, act, done: resolve };
      return promise;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
