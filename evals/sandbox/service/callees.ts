import { Agent, type IncomingMessage, request } from "node:http";
import type { Endpoint, EndpointTable } from "./life.ts";

export interface OutgoingCall {
  readonly service: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What came of a call: an answer with its status, or none. */
export type CallResult =
  | { readonly kind: "answered"; readonly status: number; readonly port: number }
  | { readonly kind: "timed-out"; readonly port: number }
  | { readonly kind: "unreachable"; readonly port: number };

export interface Callees {
  /** Sends one request to a ready pod of the service and reads the whole answer. Never throws. */
  call(call: OutgoingCall): Promise<CallResult>;
  update(table: EndpointTable): void;
}

/** Another pod is tried at most so often, and only while no request can have been processed. */
const MAX_ATTEMPTS = 3;

/** Balances calls over the ready pods of each service, one after another, over kept-alive connections. */
export function createCallees(): Callees {
  const agent = new Agent({ keepAlive: true, scheduling: "lifo" });
  let table: EndpointTable = {};
  let turn = Math.floor(Math.random() * 1000);

  function next(service: string, avoid: number | undefined): Endpoint | undefined {
    const all = table[service] ?? [];
    const others = all.filter(({ port }) => port !== avoid);
    const choice = others.length > 0 ? others : all;
    turn += 1;
    return choice[turn % Math.max(1, choice.length)];
  }

  return {
    async call(call) {
      let avoid: number | undefined;
      for (let attempt = 1; ; attempt += 1) {
        const endpoint = next(call.service, avoid);
        if (endpoint === undefined) return { kind: "unreachable", port: 0 };
        const result = await send(agent, endpoint.port, call);
        if (result.kind !== "never-processed") return { ...result, port: endpoint.port };
        if (attempt === MAX_ATTEMPTS) return { kind: "unreachable", port: endpoint.port };
        avoid = endpoint.port;
      }
    },
    update(fresh) {
      table = fresh;
    },
  };
}

type SendResult =
  | { readonly kind: "answered"; readonly status: number }
  | { readonly kind: "timed-out" }
  | { readonly kind: "unreachable" }
  | { readonly kind: "never-processed" };

/**
 * `never-processed`: the connection was refused, or it was a kept-alive one that the other side had already closed.
 * Only then is it safe to send the same request again (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
 */
function send(agent: Agent, port: number, call: OutgoingCall): Promise<SendResult> {
  return new Promise((resolve) => {
    let timedOut = false;
    const outgoing = request(
      { agent, host: "127.0.0.1", port, method: call.method, path: call.path, headers: call.headers },
      (answer) => {
        drain(answer)
          .then(() => resolve({ kind: "answered", status: answer.statusCode ?? 0 }))
          .catch(() => resolve({ kind: timedOut ? "timed-out" : "unreachable" }))
          .finally(() => clearTimeout(timer));
      },
    );
    const timer = setTimeout(() => {
      timedOut = true;
      outgoing.destroy();
    }, call.timeoutMs);
    outgoing.on("error", (error) => {
      clearTimeout(timer);
      if (timedOut) return resolve({ kind: "timed-out" });
      const stale = outgoing.reusedSocket && hasCode(error, "ECONNRESET");
      resolve({ kind: stale || hasCode(error, "ECONNREFUSED") ? "never-processed" : "unreachable" });
    });
    outgoing.end();
  });
}

async function drain(answer: IncomingMessage): Promise<void> {
  for await (const _ of answer);
}

function hasCode(error: Error, code: string): boolean {
  return "code" in error && error.code === code;
}
