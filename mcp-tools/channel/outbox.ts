import type { ServerResponse } from "node:http";

/** Answers that are on their way, bounded: whoever asks and does not read would keep the ledger in memory many times over. */
export interface Outbox {
  /** Sends JSON. An answer that is not taken in time, or in whose place others wait, is cut off, the oldest first. */
  send(response: ServerResponse, status: number, body: unknown): void;
}

/** `mostBytes`: of all answers on their way together; one alone may be larger. `patienceMs`: how long one may take. */
export function createOutbox({ mostBytes, patienceMs }: { mostBytes: number; patienceMs: number }): Outbox {
  const underWay = new Map<ServerResponse, number>();
  let total = 0;
  const gone = (response: ServerResponse) => {
    total -= underWay.get(response) ?? 0;
    underWay.delete(response);
  };
  return {
    send(response, status, body) {
      const data = Buffer.from(JSON.stringify(body));
      total += data.length;
      for (const oldest of underWay.keys()) {
        if (total <= mostBytes) break;
        gone(oldest);
        oldest.destroy();
      }
      underWay.set(response, data.length);
      const timer = setTimeout(() => response.destroy(), patienceMs);
      const over = () => {
        clearTimeout(timer);
        gone(response);
      };
      response.once("finish", over).once("close", over);
      response.writeHead(status, {
        "content-type": "application/json; charset=utf-8",
        "cache-control": "no-store",
        connection: "close",
      });
      response.end(data);
    },
  };
}

/** Lets `places` do at once what takes memory while it is made; the others wait for their turn. */
export function createRoom(places: number): <T>(work: () => Promise<T>) => Promise<T> {
  let taken = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (taken >= places) await new Promise<void>((resolve) => waiting.push(resolve));
    else taken += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) taken -= 1;
      else next();
    }
  };
}
