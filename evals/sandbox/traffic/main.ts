import { createCallees } from "../service/callees.ts";
import { followParent, tellParent } from "../service/life.ts";
import type { EndpointNews } from "../service/main.ts";
import { arrivals, type Mix } from "./arrivals.ts";

/** The visitors of one world, in a process of their own: open loop, so that a slow service gets no fewer of them. */
export interface TrafficOrders {
  readonly kind: "start";
  readonly requestsPerSecond: number;
  readonly seed: number;
  /** The service that they come to, and what they ask there. */
  readonly door: string;
  readonly mix: Mix;
}

/** What visitors saw in about one second. Latencies in ms, over the answered ones. */
export interface TrafficReport {
  readonly kind: "report";
  readonly at: number;
  readonly sent: number;
  readonly answered: number;
  /** Answered with 5xx, or not at all. */
  readonly failed: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** A visitor gives up after this. */
const PATIENCE_MS = 15_000;
const REPORT_MS = 1000;
/** At this many visits under way new ones are dropped and counted as failed: the generator must not be the victim. */
const MAX_UNDER_WAY = 2000;

const callees = createCallees();
let underWay = 0;
let seen = { sent: 0, answered: 0, failed: 0, latencies: [] as number[] };

followParent((message) => {
  const line = message as TrafficOrders | EndpointNews; // as: the other end of this pipe is ours, typed by the same two
  if (line.kind === "endpoints") callees.update(line.table);
  else start(line);
});
process.on("SIGTERM", () => process.exit(0));

function start({ requestsPerSecond, seed, door, mix }: TrafficOrders): void {
  const stream = arrivals(requestsPerSecond, seed, mix);
  let next = stream.next().value;
  let dueAt = performance.now() + next.afterMs;
  const step = () => {
    while (dueAt <= performance.now()) {
      void visit(door, next.method, next.path);
      next = stream.next().value;
      dueAt += next.afterMs;
    }
    setTimeout(step, dueAt - performance.now());
  };
  step();
  setInterval(report, REPORT_MS);
}

async function visit(service: string, method: "GET" | "POST", path: string): Promise<void> {
  seen.sent += 1;
  if (underWay >= MAX_UNDER_WAY) {
    seen.failed += 1;
    return;
  }
  underWay += 1;
  const startedAt = performance.now();
  const result = await callees.call({ service, method, path, timeoutMs: PATIENCE_MS, headers: {} });
  underWay -= 1;
  if (result.kind === "answered") {
    seen.answered += 1;
    seen.latencies.push(performance.now() - startedAt);
  }
  if (result.kind !== "answered" || result.status >= 500) seen.failed += 1;
}

function report(): void {
  const { latencies, ...counts } = seen;
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.floor(q * latencies.length)] ?? null;
  const line: TrafficReport = {
    kind: "report",
    at: Date.now(),
    ...counts,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  };
  tellParent(line);
  seen = { sent: 0, answered: 0, failed: 0, latencies: [] };
}
