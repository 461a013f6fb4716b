import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** One thing that a model server does with a request. */
export type Act =
  | { readonly kind: "say"; readonly text?: string; readonly calls?: readonly FakeCall[]; readonly stop?: string }
  | { readonly kind: "refuse" }
  | { readonly kind: "status"; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Sends the first half of what it would say, then an error event, or closes the socket. */
  | { readonly kind: "break"; readonly by: "error event" | "closed socket" }
  /** Sends nothing for good. */
  | { readonly kind: "hang" }
  /** Sends what it would say piece by piece with a pause before each, the last one never if `forever`. */
  | {
      readonly kind: "drip";
      readonly pauseMs: number;
      readonly forever: boolean;
      readonly say: Omit<Extract<Act, { kind: "say" }>, "kind">;
    }
  /** Answers 200 with a body that is none of the vendor's. */
  | { readonly kind: "garbage"; readonly type: string; readonly body: string };

/** What to do with a request, or how to tell from it. */
export type Acting = Act | ((body: Readonly<Record<string, unknown>>) => Act);

export interface FakeCall {
  readonly id: string;
  readonly name: string;
  /** As the model writes them, valid JSON or not. */
  readonly args: string;
}

export interface FakeModelServer {
  readonly baseUrl: string;
  /** Bodies as they were sent, in order, with the headers that authenticate. */
  readonly requests: readonly {
    readonly body: Record<string, unknown>;
    readonly headers: IncomingMessage["headers"];
  }[];
  close(): Promise<void>;
}

/** Events of a stream, in order: name (empty: none) and data. */
export type Wire = (act: Extract<Act, { kind: "say" } | { kind: "refuse" }>) => readonly (readonly [string, unknown])[];

/** A vendor's endpoint on loopback that plays its acts in order, the last one for ever. */
export async function startModelServer(options: {
  readonly path: string;
  readonly acts: readonly Acting[];
  readonly wire: Wire;
  readonly errorBody: (status: number) => unknown;
  readonly errorEvent: readonly [string, unknown];
  readonly end: string | null;
}): Promise<FakeModelServer> {
  const requests: { body: Record<string, unknown>; headers: IncomingMessage["headers"] }[] = [];
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method !== "POST" || new URL(request.url ?? "/", "http://fake").pathname !== options.path) {
      response.writeHead(404).end();
      return;
    }
    requests.push({ body: JSON.parse(Buffer.concat(chunks).toString("utf8")), headers: request.headers });
    const acting = options.acts[Math.min(requests.length, options.acts.length) - 1] ?? { kind: "hang" };
    const act = typeof acting === "function" ? acting(requests.at(-1)?.body ?? {}) : acting;
    if (act.kind === "hang") return;
    if (act.kind === "status") {
      response.writeHead(act.status, { "content-type": "application/json", ...act.headers });
      response.end(JSON.stringify(options.errorBody(act.status)));
      return;
    }
    if (act.kind === "garbage") {
      response.writeHead(200, { "content-type": act.type }).end(act.body);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = ([name, data]: readonly [string, unknown]) =>
      response.write(`${name === "" ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`);
    if (act.kind === "drip") {
      const pieces = options.wire({ kind: "say", ...act.say });
      for (const piece of act.forever ? pieces.slice(0, -1) : pieces) {
        await sleep(act.pauseMs);
        send(piece);
      }
      if (!act.forever) response.end(options.end === null ? "" : `data: ${options.end}\n\n`);
      return;
    }
    const whole = options.wire(act.kind === "break" ? { kind: "say", text: "half of it" } : act);
    if (act.kind !== "break") {
      whole.forEach(send);
      response.end(options.end === null ? "" : `data: ${options.end}\n\n`);
      return;
    }
    whole.slice(0, Math.ceil(whole.length / 2)).forEach(send);
    if (act.by === "closed socket") response.socket?.destroy();
    else {
      send(options.errorEvent);
      response.end();
    }
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
