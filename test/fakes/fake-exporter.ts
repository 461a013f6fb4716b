import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What an exporter does when it is asked. `hang`: takes the request and never answers. */
export type ExporterMood = "fine" | "refuse" | "hang" | "cut-off" | "error";

/** A process that serves `/metrics` over a real socket: a page made anew for each request, and every way to fail. */
export async function fakeExporter(page: () => string, contentType = "text/plain; version=0.0.4; charset=utf-8") {
  let mood: ExporterMood = "fine";
  let now = page;
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    if (mood === "hang") return;
    if (mood === "refuse") return void request.socket.destroy();
    const known = (request.url ?? "").split("?")[0] === "/metrics";
    const status = mood === "error" ? 500 : known ? 200 : 404;
    response.writeHead(status, { "content-type": contentType });
    if (mood === "cut-off") {
      response.write(now().slice(0, 40));
      return void setImmediate(() => request.socket.destroy());
    }
    response.end(status === 200 ? now() : "no such page");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/metrics`,
    address: `127.0.0.1:${port}`,
    get asked() {
      return asked;
    },
    serve(next: () => string) {
      now = next;
    },
    be(next: ExporterMood) {
      mood = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Counters of one version of one service, as its process would hold them. */
export interface Process {
  readonly service: string;
  readonly version: string;
  /** Requests so far, by status. A status that is absent has no series, as in many real exporters. */
  readonly requests: Readonly<Record<string, number>>;
  /** Cumulative counts at `BOUNDS`. */
  readonly durations?: readonly number[];
  readonly cpuSeconds?: number;
  readonly memoryBytes?: number;
  readonly memoryLimitBytes?: number;
  readonly startedAt?: number;
}

export const BOUNDS = [0.1, 0.5, 1, 2, 3, 5, Number.POSITIVE_INFINITY] as const;

/** The page of one process, in the text format. */
export function pageOf(one: Process): string {
  const labels = `service="${one.service}",version="${one.version}"`;
  const lines = ["# HELP http_requests_total Requests served.", "# TYPE http_requests_total counter"];
  for (const [status, count] of Object.entries(one.requests)) {
    lines.push(`http_requests_total{${labels},route="/",status="${status}"} ${count}`);
  }
  lines.push("# TYPE http_request_duration_seconds histogram");
  one.durations?.forEach((count, i) => {
    const bound = BOUNDS[i] === Number.POSITIVE_INFINITY ? "+Inf" : BOUNDS[i];
    lines.push(`http_request_duration_seconds_bucket{${labels},le="${bound}"} ${count}`);
  });
  if (one.durations) lines.push(`http_request_duration_seconds_count{${labels}} ${one.durations.at(-1)}`);
  if (one.cpuSeconds !== undefined) lines.push(`process_cpu_seconds_total{${labels}} ${one.cpuSeconds}`);
  if (one.memoryBytes !== undefined) lines.push(`process_resident_memory_bytes{${labels}} ${one.memoryBytes}`);
  if (one.memoryLimitBytes !== undefined)
    lines.push(`container_spec_memory_limit_bytes{${labels}} ${one.memoryLimitBytes}`);
  if (one.startedAt !== undefined) lines.push(`process_start_time_seconds ${one.startedAt / 1000}`);
  return `${lines.join("\n")}\n`;
}
