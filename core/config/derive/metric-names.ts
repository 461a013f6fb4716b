/**
 * Request counters and duration histograms as widely used instrumentation calls them, the plainest first: client libraries'
 * examples, Micrometer (Spring), OpenTelemetry's semantic conventions and the names before them, gRPC's middlewares, span
 * metrics of the collector, Istio, ingress controllers.
 *
 * @see https://prometheus.io/docs/practices/naming/
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
 * @see https://istio.io/latest/docs/reference/config/metrics/
 */
const CONVENTIONAL = [
  "http_requests",
  "http_request_duration_seconds",
  "http_server_requests",
  "http_server_requests_seconds",
  "http_server_request_duration_seconds",
  "http_server_duration_milliseconds",
  "http_request",
  "grpc_server_handled",
  "grpc_server_handling_seconds",
  "rpc_server_duration_milliseconds",
  "rpc_server_duration_seconds",
  "traces_span_metrics_calls",
  "traces_span_metrics_duration_milliseconds",
  "traces_spanmetrics_calls",
  "traces_spanmetrics_latency",
  "istio_requests",
  "istio_request_duration_milliseconds",
  "nginx_ingress_controller_requests",
  "nginx_ingress_controller_request_duration_seconds",
  "traefik_service_requests",
  "traefik_service_request_duration_seconds",
];

const REQUESTS =
  /(^|[_:.])(requests?|calls?|rpcs?|handled|transactions?|responses?|duration|latency|handling|requests?_seconds)([_:.]|$)/i;
const DURATIONS = /duration|latency|_(seconds|milliseconds|ms)_bucket$|response_time|handling/i;
/** Calls that somebody makes, and not those that they serve. */
const CALLS_OUT = /(^|[_:.])(client|upstream|outbound|outgoing)([_:.]|$)/i;
/**
 * What the platform counts of itself: scrapes, calls to the Kubernetes API, its own control plane and monitoring. They are in
 * nearly every Prometheus, and say nothing of the services beside it.
 */
const PLATFORM =
  /^(promhttp_|prometheus_|alertmanager_|grafana_|loki_|cortex_|thanos_|tempo_|scrape_|net_conntrack_|go_|process_|kube_|kubelet_|kubeproxy_|apiserver_|aggregator_|authentication_|rest_client_|workqueue_|etcd_|coredns_|container_|node_|machine_|cadvisor_|storage_operation_|csi_)/;

/** How likely a name is that of what services serve: 0 conventional, 1 another, 2 the platform's own. */
export function tierOf(name: string): 0 | 1 | 2 {
  if (PLATFORM.test(name)) return 2;
  return CONVENTIONAL.includes(stemOf(name)) ? 0 : 1;
}

/** The place of a name among the conventional ones; beyond the last where it is none. */
export const placeOf = (name: string): number => {
  const at = CONVENTIONAL.indexOf(stemOf(name));
  return at === -1 ? CONVENTIONAL.length : at;
};

/** Without the suffix that says what kind of series it is. */
export const stemOf = (name: string): string => name.replace(/_(total|count|bucket|sum)$/, "");

/** Names that may count the requests that services serve: counters, and the counts of histograms. The likeliest first. */
export function requestNames(names: readonly string[]): readonly string[] {
  const all = new Set(names);
  return names
    .filter(
      (name) =>
        /_total$/.test(name) ||
        (/_count$/.test(name) && all.has(name.replace(/_count$/, "_sum"))) ||
        CONVENTIONAL.includes(name),
    )
    .filter((name) => REQUESTS.test(stemOf(name)) && !CALLS_OUT.test(name))
    .toSorted(byTier);
}

/** Names of histograms that may measure how long requests take. The likeliest first. */
export function latencyNames(names: readonly string[]): readonly string[] {
  return names
    .filter((name) => /_bucket$/.test(name) && DURATIONS.test(name) && !CALLS_OUT.test(name))
    .toSorted(byTier);
}

const byTier = (one: string, other: string): number =>
  tierOf(one) - tierOf(other) || placeOf(one) - placeOf(other) || one.localeCompare(other);
