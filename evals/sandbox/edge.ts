import { Agent, request as ask } from "node:http";
import { type Listener, listen } from "./listener.ts";
import type { Endpoint } from "./service/life.ts";

/**
 * One stable address in front of the gateway's pods, for people and their tools. Passes requests on to ready pods in
 * turn; answers 503 while none is ready and 502 where a pod breaks off. The visitors' traffic does not come this way.
 */
export async function startEdge(ready: () => readonly Endpoint[]): Promise<Listener> {
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  return listen((request, response) => {
    const pods = ready();
    turn += 1;
    const pod = pods[turn % Math.max(1, pods.length)];
    if (pod === undefined) {
      response.writeHead(503).end("no gateway pod is ready\n");
      return;
    }
    const { method, url: path, headers } = request;
    const passed = ask({ agent, host: "127.0.0.1", port: pod.port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    request.pipe(passed);
  });
}
