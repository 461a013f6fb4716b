import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ImageManifest } from "./manifest.ts";

/**
 * Bounds in seconds, 5 ms to 10 s: fine where good versions answer, and with some between 1 and 5 s because alerts on a
 * p99 are usually set there.
 */
const BUCKETS = [0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 1.5, 2, 2.5, 3.5, 5, 10];

export interface Telemetry {
  /** A request that was answered in full. */
  served(request: { readonly route: string; readonly method: string; readonly status: number; seconds: number }): void;
  /** A call to another service; status "error" where no answer came. */
  called(call: { readonly callee: string; readonly status: number | "error" }): void;
  exposition(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/**
 * The pod's metrics under their conventional names (Prometheus' naming rules; cAdvisor's for the container's limit).
 * Every series carries service, version and pod.
 *
 * @see https://prometheus.io/docs/practices/naming/
 */
export function createTelemetry(manifest: ImageManifest, pod: string): Telemetry {
  const registers = [new Registry()];
  registers[0]?.setDefaultLabels({ service: manifest.service, version: manifest.version, pod });
  const requests = new Counter({
    name: "http_requests_total",
    help: "Requests served, by route and status.",
    labelNames: ["route", "method", "status"],
    registers,
  });
  const durations = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from a request's arrival to the end of its answer.",
    labelNames: ["route", "method"],
    buckets: BUCKETS,
    registers,
  });
  const calls = new Counter({
    name: "http_client_requests_total",
    help: "Requests made to other services, by callee and status.",
    labelNames: ["callee", "status"],
    registers,
  });
  addProcessMetrics(registers, manifest);
  // Series that exist from the start let a counter's first increase be seen as an increase.
  for (const { path, method } of manifest.routes)
    for (const status of ["200", "500"]) requests.inc({ route: path, method, status }, 0);
  return {
    served({ route, method, status, seconds }) {
      requests.inc({ route, method, status: String(status) });
      durations.observe({ route, method }, seconds);
    },
    called({ callee, status }) {
      calls.inc({ callee, status: String(status) });
    },
    exposition: async () => {
      const [registry] = registers;
      return { contentType: registry?.contentType ?? "", text: (await registry?.metrics()) ?? "" };
    },
  };
}

function addProcessMetrics(registers: Registry[], manifest: ImageManifest): void {
  let seen = 0;
  new Counter({
    name: "process_cpu_seconds_total",
    help: "User and system CPU time spent.",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      const total = (user + system) / 1e6;
      this.inc(total - seen);
      seen = total;
    },
  });
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory size.",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "Start time of the process since the Unix epoch.",
    registers,
  }).set(Math.round(Date.now() / 1000 - process.uptime()));
  new Gauge({
    name: "container_spec_memory_limit_bytes",
    help: "Memory limit of the container.",
    registers,
  }).set(manifest.memoryLimitMiB * 1024 * 1024);
}
