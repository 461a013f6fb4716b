/** A workload as a mesh names it. `namespace` "": it does not say. */
export interface MeshNode {
  readonly name: string;
  readonly namespace: string;
  /** The workload's own name, where `name` is that of what it serves. */
  readonly workload?: string;
}

/** What one series of a family says. */
export interface MeshCall {
  /** Null: the series speaks of one end alone. */
  readonly caller: MeshNode | null;
  readonly callee: MeshNode | null;
  /** Ends whose own calls this family would count as well. */
  readonly reporting: readonly MeshNode[];
  /** The callee runs outside of what is measured: a host on the internet, a database. */
  readonly isExternal: boolean;
}

export interface MeshFamily {
  readonly name: string;
  /** A series selector that holds only for this family as its maker documents it, and not for a namesake. */
  readonly selector: string;
  /** Labels that the answer is grouped by. */
  readonly by: readonly string[];
  readonly call: (labels: Readonly<Record<string, string>>) => MeshCall;
}

type Labels = Readonly<Record<string, string>>;

/** What Istio writes where it does not know. */
const known = (value: string | undefined): string | null =>
  value === undefined || value === "" || value === "unknown" ? null : value;

const node = (name: string | null, namespace: string | null): MeshNode | null =>
  name === null ? null : { name, namespace: namespace ?? "" };

function istioNode(labels: Labels, end: "source" | "destination"): MeshNode | null {
  const workload = known(labels[`${end}_workload`]);
  const one = node(known(labels[`${end}_canonical_service`]) ?? workload, known(labels[`${end}_workload_namespace`]));
  return one === null || workload === null ? one : { ...one, workload };
}

/** Istio's names for traffic to hosts that it does not know, and to those that it blocks. */
const NO_SERVICE: ReadonlySet<string> = new Set([
  "PassthroughCluster",
  "BlackHoleCluster",
  "InboundPassthroughCluster",
]);

/**
 * Each call is counted by the client's proxy (`reporter="source"`) and by the server's ("destination"; in ambient mode
 * "waypoint"). A proxy counts both ways: who is counted by its own would show its other calls too. The canonical service
 * is the label app.kubernetes.io/name, app, or the workload's name, in this order.
 *
 * @see https://istio.io/latest/docs/reference/config/metrics/
 */
function istioCall(labels: Labels): MeshCall {
  const caller = istioNode(labels, "source");
  const served = istioNode(labels, "destination");
  const byName = known(labels.destination_service_name);
  const host = known(labels.destination_service);
  const isExternal = served === null && host !== null && host.includes(".") && !/\.svc(\.|$)/.test(host);
  const callee =
    served !== null
      ? served
      : byName === null || NO_SERVICE.has(byName)
        ? null
        : isExternal
          ? node(host, null)
          : node(byName, known(labels.destination_service_namespace));
  const own = labels.reporter === "source" ? caller : labels.reporter === "destination" ? callee : null;
  return { caller, callee, reporting: own === null ? [] : [own], isExternal };
}

const ISTIO_BY = [
  "reporter",
  "source_workload",
  "source_workload_namespace",
  "source_canonical_service",
  "destination_workload",
  "destination_workload_namespace",
  "destination_canonical_service",
  "destination_service",
  "destination_service_name",
  "destination_service_namespace",
];

const LINKERD_KINDS = ["deployment", "statefulset", "daemonset"] as const;
const linkerdNode = (labels: Labels, prefix: "" | "dst_"): MeshNode | null => {
  const name = LINKERD_KINDS.map((kind) => known(labels[`${prefix}${kind}`])).find((value) => value !== null) ?? null;
  return node(name, known(labels[`${prefix}namespace`]));
};

/**
 * Metric families from which a call graph can be read, each with the labels that its maker documents. Envoy alone has no
 * names for who calls: `envoy_cluster_upstream_rq_total` knows clusters as its own configuration calls them.
 */
export const MESH_FAMILIES: readonly MeshFamily[] = [
  {
    name: "istio_requests_total",
    selector: "istio_requests_total",
    by: ISTIO_BY,
    call: istioCall,
  },
  {
    // Of other protocols Istio counts connections, not requests.
    name: "istio_tcp_connections_opened_total",
    selector: "istio_tcp_connections_opened_total",
    by: ISTIO_BY,
    call: istioCall,
  },
  {
    /**
     * Linkerd's proxy: the pod's own labels come from the scrape, `dst_*` stand on outbound series alone.
     *
     * @see https://linkerd.io/2/reference/proxy-metrics/
     */
    name: "request_total",
    selector: 'request_total{direction=~"inbound|outbound",namespace!=""}',
    by: ["direction", "namespace", ...LINKERD_KINDS, "dst_namespace", ...LINKERD_KINDS.map((kind) => `dst_${kind}`)],
    call: (labels) => {
      const own = linkerdNode(labels, "");
      const callee = labels.direction === "outbound" ? linkerdNode(labels, "dst_") : null;
      return { caller: own, callee, reporting: own === null ? [] : [own], isExternal: false };
    },
  },
  {
    /**
     * The collector's service graph connector, Grafana Tempo's metrics generator and Grafana Beyla count pairs of spans. A
     * virtual node is an end that reports no span of its own; `virtual_node` says which end, where it is switched on.
     *
     * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/connector/servicegraphconnector
     * @see https://grafana.com/docs/tempo/latest/metrics-from-traces/service_graphs/
     */
    name: "traces_service_graph_request_total",
    selector: 'traces_service_graph_request_total{client!="",server!=""}',
    by: ["client", "server", "connection_type", "virtual_node"],
    call: ({ client = "", server = "", connection_type = "", virtual_node = "" }) => {
      const isVirtual = connection_type === "virtual_node";
      const isDatabase = connection_type === "database";
      // Tempo calls whoever sends a request without a span "user": that is nobody's service.
      const isUser = client === "user" && isVirtual;
      const caller = isUser ? null : node(client, null);
      const callee = node(server, null);
      const both = isVirtual || isDatabase ? [] : [caller, callee];
      const one =
        isDatabase || virtual_node === "server" ? [caller] : isUser || virtual_node === "client" ? [callee] : [];
      return { caller, callee, reporting: [...both, ...one].filter((end) => end !== null), isExternal: isDatabase };
    },
  },
  {
    /**
     * Cilium's Hubble, where `labelsContext` adds the workloads. It counts requests only where a policy makes them visible,
     * so what it does not show may be called all the same.
     *
     * @see https://docs.cilium.io/en/stable/observability/metrics/
     */
    name: "hubble_http_requests_total",
    selector: 'hubble_http_requests_total{source_workload!="",destination_workload!=""}',
    by: ["source_workload", "source_namespace", "destination_workload", "destination_namespace"],
    call: (labels) => ({
      caller: node(known(labels.source_workload), known(labels.source_namespace)),
      callee: node(known(labels.destination_workload), known(labels.destination_namespace)),
      reporting: [],
      isExternal: false,
    }),
  },
];
