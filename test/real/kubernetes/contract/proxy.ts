import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent, request } from "undici";
import type { ClusterAccess } from "../../../../mcp-tools/connectors/kubernetes/kubeconfig.ts";

/** A way to an API server on which a test stands between a client's requests. */
export interface Proxy extends AsyncDisposable {
  readonly access: ClusterAccess;
  /** The status of each answer that was handed on. */
  readonly answers: readonly number[];
}

/** `beforeNextPage`: done once, before the first request for a further page goes on; `page` asks for that page itself. */
export async function proxyTo(
  { server: target, namespace, http }: ClusterAccess,
  beforeNextPage: (page: () => Promise<number>) => Promise<void>,
): Promise<Proxy> {
  const dispatcher = new Agent(http.ca === undefined ? {} : { connect: { ca: http.ca } });
  const headers = typeof http.headers === "function" ? await http.headers() : (http.headers ?? {});
  const answers: number[] = [];
  let isFirst = true;
  const ask = async (path: string) => {
    const answer = await request(new URL(path, target), { dispatcher, headers });
    return { status: answer.statusCode, text: await answer.body.text() };
  };
  const server = createServer(async ({ url = "" }, response) => {
    if (isFirst && url.includes("continue=")) {
      isFirst = false;
      await beforeNextPage(async () => (await ask(url)).status);
    }
    const { status, text } = await ask(url);
    answers.push(status);
    response.writeHead(status, { "content-type": "application/json" }).end(text);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    access: { server: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), namespace, http: {} },
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await dispatcher.close();
    },
  };
}
