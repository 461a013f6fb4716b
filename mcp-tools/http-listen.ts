import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Address, addressOf } from "../core/config/address.ts";
import { UnshipError } from "../core/errors.ts";
import type { Refusal } from "./http-guard.ts";

/** Reads "HOST:PORT", "[::1]:PORT" or ":PORT" (loopback) of a command line. Throws "input.invalid". */
export function parseAddress(text: string): Address {
  const address = addressOf(text);
  if (address !== null) return address;
  throw new UnshipError("input.invalid", {
    what: "--http",
    reason: "write an address and a port, such as 127.0.0.1:7331",
  });
}

/** Binds; returns where it answers, without a path. `what`: how an error calls the address. Throws "input.invalid". */
export async function listenAt(http: Server, host: string, port: number, what: string): Promise<string> {
  http.listen(port, host);
  try {
    await once(http, "listening");
  } catch (cause) {
    const reason = `${host} port ${port} cannot be bound; is it taken?`;
    throw new UnshipError("input.invalid", { what, reason }, { cause });
  }
  // A connection that cannot be accepted (no file descriptor is left, say) is lost; without a listener it would take the
  // whole process with it, and whoever can reach the address could end the watch.
  http.on("error", () => undefined);
  const address = http.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return `http://${host.includes(":") ? `[${host}]` : host}:${bound}`;
}

/** The body of a request of this media type as it came, byte by byte; larger ones are not read to their end. */
export async function readBody(
  request: IncomingMessage,
  type: string,
  mostBytes: number,
): Promise<Refusal | { readonly bytes: Buffer }> {
  const given = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (given !== type) return { status: 415, because: `Send ${type}.` };
  const large: Refusal = { status: 413, because: `The body is larger than ${mostBytes} bytes.` };
  if (Number(request.headers["content-length"] ?? 0) > mostBytes) return large;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > mostBytes) return large;
    parts.push(part);
  }
  return { bytes: Buffer.concat(parts) };
}

/** What is under way on a connection: the request that came last on it, and its answer. */
interface Line {
  readonly from: string;
  last: { readonly request: IncomingMessage; readonly response: ServerResponse } | null;
}

/**
 * Takes so many connections at once, and no more than a share of them from one address (a proxy's carries everybody's). A
 * connection has its place for as long as a request that came whole is being answered on it. One that says nothing, is
 * not through with what it says, or waits for its next request makes place for a new one where none is left: the oldest
 * of the address that has most of these. So nobody keeps others out by connecting, or by sending slowly.
 */
export function limitConnections(
  http: Server,
  { most, ofOne }: { readonly most: number; readonly ofOne: number },
): void {
  const open = new Map<Socket, Line>();
  http.on("connection", (socket) => {
    const from = socket.remoteAddress ?? "unknown";
    open.set(socket, { from, last: null });
    socket.once("close", () => open.delete(socket));
    if ([...open.values()].filter((one) => one.from === from).length > ofOne) endOne(open, from, socket);
    if (open.size > most) endOne(open, null, socket);
  });
  http.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
    const line = open.get(request.socket);
    if (line !== undefined) line.last = { request, response };
  });
}

/** Ends a connection that makes place, of this address or (null) of all; the newcomer itself where none does. */
function endOne(open: Map<Socket, Line>, from: string | null, newcomer: Socket): void {
  const waiting = [...open].filter(
    ([socket, line]) => socket !== newcomer && (from === null || line.from === from) && !isServed(line),
  );
  const held = Map.groupBy(waiting, ([, line]) => line.from);
  const greediest = [...held.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
  const ended = greediest[0]?.[0] ?? newcomer;
  open.delete(ended);
  ended.destroy();
}

/** Whether a request that came whole is being answered. */
const isServed = ({ last }: Line): boolean =>
  last?.request.complete === true && !last.response.writableFinished && !last.response.destroyed;
