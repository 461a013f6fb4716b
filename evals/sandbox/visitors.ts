import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import type { EndpointTable } from "./service/life.ts";
import type { EndpointNews } from "./service/main.ts";
import type { Mix } from "./traffic/arrivals.ts";
import type { TrafficOrders, TrafficReport } from "./traffic/main.ts";

export interface Visitors {
  readonly child: Child;
  /** What they saw, second by second, oldest first; about the last ten minutes. */
  readonly reports: readonly TrafficReport[];
  /** Resolves with the next second's report. */
  next(): Promise<TrafficReport>;
  publish(table: EndpointTable): void;
}

const KEPT_REPORTS = 600;

/** Starts the traffic generator and listens to what visitors see. */
export function startVisitors(options: {
  readonly directory: string;
  readonly compileCache: string;
  readonly requestsPerSecond: number;
  readonly seed: number;
  readonly door: string;
  readonly mix: Mix;
  readonly table: EndpointTable;
}): Visitors {
  const { directory, compileCache, requestsPerSecond, seed, door, mix, table } = options;
  const child = startChild("./traffic/main.ts", {
    stderrFile: join(directory, "stderr", `traffic-${door}.log`),
    compileCache,
  });
  const reports: TrafficReport[] = [];
  const waiting: ((report: TrafficReport) => void)[] = [];
  child.onLine((line) => {
    const report = line as TrafficReport; // as: the other end of this pipe is ours, and says nothing else
    reports.push(report);
    if (reports.length > KEPT_REPORTS) reports.shift();
    for (const resolve of waiting.splice(0)) resolve(report);
  });
  const publish = (fresh: EndpointTable) => child.say({ kind: "endpoints", table: fresh } satisfies EndpointNews);
  publish(table);
  child.say({ kind: "start", requestsPerSecond, seed, door, mix } satisfies TrafficOrders);
  return { child, reports, publish, next: () => new Promise((resolve) => waiting.push(resolve)) };
}
