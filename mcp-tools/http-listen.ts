import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
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

/**
 * Takes so many connections at once, and closes what one address opens beyond its share, so that no single one can take
 * all that there are. Say nothing and stay costs a connection until the time for a request is over.
 */
export function limitConnections(
  http: Server,
  { most, ofOne }: { readonly most: number; readonly ofOne: number },
): void {
  http.maxConnections = most;
  const open = new Map<string, number>();
  http.on("connection", (socket) => {
    const from = socket.remoteAddress ?? "unknown";
    const count = (open.get(from) ?? 0) + 1;
    open.set(from, count);
    socket.once("close", () => {
      const left = (open.get(from) ?? 0) - 1;
      if (left > 0) open.set(from, left);
      else open.delete(from);
    });
    if (count > ofOne) socket.destroy();
  });
}
