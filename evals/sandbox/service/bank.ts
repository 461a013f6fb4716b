import { createServer } from "node:http";
import { followParent, tellParent } from "./life.ts";

/**
 * The bank outside: no metrics, no spans, no health endpoint. Its own operators (the parent, over the pipe) can make
 * it fail; nobody inside the cluster can do anything about it.
 */
export interface BankOrders {
  /** Share of requests that it refuses with 503, 0–1. */
  readonly refuses: number;
}

/** Median of its answer time, ms. */
const WORK_MS = 15;
/** Even a healthy bank refuses two requests in a thousand: without some noise nothing would have to be told from it. */
const USUAL: BankOrders = { refuses: 0.002 };

let orders = USUAL;
followParent((message) => {
  orders = { ...USUAL, ...(message as Partial<BankOrders>) }; // as: this pipe's other end is typed by the same interface
});

const server = createServer((request, response) => {
  request.resume();
  const refused = Math.random() < orders.refuses;
  setTimeout(
    () => {
      response.writeHead(refused ? 503 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(refused ? { error: "service unavailable" } : { authorised: true }));
    },
    WORK_MS * (0.6 + 0.8 * Math.random()),
  );
});
server.keepAliveTimeout = 65_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  tellParent({ port: typeof address === "object" ? address?.port : 0 });
});
process.on("SIGTERM", () => process.exit(0));
