import { type Series, WELL_KNOWN_METRICS } from "../../core/model/signal.ts";

/** The signals that a measured service has. */
export const TICK_METRICS = ["request_rate", "error_rate", "p50_latency", "p99_latency", "memory_usage"] as const;
export type TickMetric = (typeof TICK_METRICS)[number];

/** Which of the metrics a query of ours asks for. */
export function metricOf(query: string): TickMetric {
  if (query.includes("histogram_quantile(0.5")) return "p50_latency";
  if (query.includes("histogram_quantile(0.99")) return "p99_latency";
  if (query.includes("5..")) return "error_rate";
  return query.includes("resident_memory") || query.includes("memory_working_set") ? "memory_usage" : "request_rate";
}

/** A value of one service then: noise around what is usual; `worseFrom`: errors are twenty times as many from then on. */
export function sampleOf(metric: TickMetric, service: number, at: number, seed: number, worseFrom: number): number {
  const noise = unit(service * 7919 + Math.round(at / 1000) * 104_729 + seed + TICK_METRICS.indexOf(metric));
  const other = unit(service * 31 + seed);
  switch (metric) {
    case "request_rate":
      return 20 + 60 * other + 6 * (noise - 0.5);
    case "error_rate":
      return (at >= worseFrom ? 20 : 1) * 0.004 * noise;
    case "p50_latency":
      return 40 * (1 + 0.1 * (noise - 0.5));
    case "p99_latency":
      return 180 * (1 + 0.3 * (noise - 0.5));
    case "memory_usage":
      return 0.4 + 0.05 * noise;
  }
}

/** A number in 0–1 from an integer: the finaliser of MurmurHash3. */
function unit(key: number): number {
  let h = key | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4_294_967_296;
}

export const serviceName = (service: number): string => `service-${String(service).padStart(5, "0")}`;

/** One service in a hundred is under an open test: worse from the given time on. */
export const worseFromOf = (service: number, at: number): number => (service % 100 === 0 ? at : Infinity);

/** What Prometheus answers to a range query of ours, as bytes; one series a service. */
export function answerBytes(form: URLSearchParams, services: number, seed: number, worseAt: number): Buffer {
  const metric = metricOf(form.get("query") ?? "");
  const [start, end, step] = ["start", "end", "step"].map((name) => Number(form.get(name)));
  if (start === undefined || end === undefined || step === undefined)
    throw new Error("a range has start, end and step");
  const parts: string[] = [];
  for (let service = 0; service < services; service++) {
    const worseFrom = worseFromOf(service, worseAt);
    const values: string[] = [];
    for (let at = start; at <= end + 1e-6; at += step)
      values.push(`[${at},"${written(sampleOf(metric, service, at * 1000, seed, worseFrom), metric)}"]`);
    parts.push(`{"metric":{"service":"${serviceName(service)}"},"values":[${values.join(",")}]}`);
  }
  return Buffer.from(`{"status":"success","data":{"resultType":"matrix","result":[${parts.join(",")}]}}`);
}

/** Prometheus gives latencies in seconds, and every digit that a double has. */
const written = (value: number, metric: TickMetric): string =>
  String(metric.endsWith("latency") ? value / 1000 : value);

/** The same values as series, for the past that is loaded before anything is measured. */
export function seriesOf(service: number, from: number, to: number, stepMs: number, seed: number): readonly Series[] {
  return TICK_METRICS.map((metric) => {
    const values: number[] = [];
    for (let at = from; at <= to; at += stepMs) values.push(sampleOf(metric, service, at, seed, Infinity));
    const { unit: unitName, worse } = WELL_KNOWN_METRICS[metric];
    return { service: serviceName(service), metric, unit: unitName, worse, labels: {}, startAt: from, stepMs, values };
  });
}
