import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { versionOf } from "./images.ts";
import type { SeenPod } from "./pod-eye.ts";
import { BOUNDS, type PodCounters, type Traffic } from "./traffic.ts";

export interface Pages extends AsyncDisposable {
  /** Lists the pods' pages, in the format of Prometheus' HTTP service discovery. */
  readonly discovery: URL;
}

const MEMORY_BYTES = 120 * 1024 * 1024;
const MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;
/** What a request costs of a processor, s. */
const CPU_SECONDS = 0.002;

/**
 * A page of metrics for each pod whose container runs, under the conventional names, as the pods themselves would serve
 * them. A pod whose container does not run is listed and not served: its scrape fails.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export async function startPages(traffic: Traffic, pods: () => readonly SeenPod[]): Promise<Pages> {
  const server = createServer((request, response) => {
    if (request.url === "/targets") return send(response, "application/json", JSON.stringify(targets(pods(), port())));
    const name = /^\/pods\/([^/]+)\/metrics$/.exec(request.url ?? "")?.[1];
    const found = traffic.counters().find(({ pod }) => pod.name === name);
    const running = pods().some((pod) => pod.name === name && pod.running);
    if (found === undefined || !running) return void response.writeHead(503).end();
    return send(response, "text/plain; version=0.0.4", exposition(found));
  });
  const port = () => (server.address() as AddressInfo).port;
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    discovery: new URL(`http://127.0.0.1:${port()}/targets`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { "content-type": type }).end(text);
}

const targets = (pods: readonly SeenPod[], port: number) =>
  pods.map(({ name, service, image }) => ({
    targets: [`127.0.0.1:${port}`],
    labels: { __metrics_path__: `/pods/${name}/metrics`, pod: name, service, version: versionOf(image) },
  }));

export function exposition({ pod, ok, failed, seconds, buckets, called, since }: PodCounters): string {
  const own = `service="${pod.service}",version="${versionOf(pod.image)}",pod="${pod.name}"`;
  const count = ok + failed;
  const histogram = [...BOUNDS.map(String), "+Inf"].map(
    (bound, index) =>
      `http_request_duration_seconds_bucket{${own},route="/",method="GET",le="${bound}"} ${buckets[index] ?? count}`,
  );
  const calls = [...called].flatMap(([callee, { ok, failed }]) => [
    `http_client_requests_total{${own},callee="${callee}",status="200"} ${ok}`,
    `http_client_requests_total{${own},callee="${callee}",status="500"} ${failed}`,
  ]);
  return [
    "# TYPE http_requests_total counter",
    `http_requests_total{${own},route="/",method="GET",status="200"} ${ok}`,
    `http_requests_total{${own},route="/",method="GET",status="500"} ${failed}`,
    "# TYPE http_request_duration_seconds histogram",
    ...histogram,
    `http_request_duration_seconds_sum{${own},route="/",method="GET"} ${seconds}`,
    `http_request_duration_seconds_count{${own},route="/",method="GET"} ${count}`,
    ...(calls.length === 0 ? [] : ["# TYPE http_client_requests_total counter", ...calls]),
    "# TYPE process_cpu_seconds_total counter",
    `process_cpu_seconds_total{${own}} ${count * CPU_SECONDS}`,
    "# TYPE process_resident_memory_bytes gauge",
    `process_resident_memory_bytes{${own}} ${MEMORY_BYTES}`,
    "# TYPE container_spec_memory_limit_bytes gauge",
    `container_spec_memory_limit_bytes{${own}} ${MEMORY_LIMIT_BYTES}`,
    "# TYPE process_start_time_seconds gauge",
    `process_start_time_seconds{${own}} ${Math.round(since / 1000)}`,
    "",
  ].join("\n");
}
