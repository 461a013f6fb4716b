import { describe, expect, it } from "vitest";
import type { Topology } from "../../../../core/model/evidence.ts";
import { createHttp } from "../../../../mcp-tools/connectors/http.ts";
import { createMesh, type MeshOptions } from "../../../../mcp-tools/connectors/prometheus/mesh.ts";
import { type Counter, fakePrometheus } from "../../../fakes/fake-prometheus.ts";
import { startPrometheus } from "../../../real/prometheus.ts";
import { requireReal } from "../../../real-component.ts";

/** Four hours ago to the minute: what a real Prometheus is given from the start must be older than three. */
const AT = Math.floor((Date.now() - 4 * 3_600_000) / 60_000) * 60_000;
const never = new AbortController().signal;

const istio = (
  reporter: "source" | "destination" | "waypoint",
  [source, sourceNamespace]: readonly [string, string],
  [destination, destinationNamespace]: readonly [string, string],
  perSecond: number,
  more: Readonly<Record<string, string>> = {},
): Counter => ({
  labels: {
    __name__: "istio_requests_total",
    reporter,
    source_workload: source,
    source_workload_namespace: sourceNamespace,
    source_canonical_service: source,
    destination_workload: destination,
    destination_workload_namespace: destinationNamespace,
    destination_canonical_service: destination,
    destination_service: `${destination}.${destinationNamespace}.svc.cluster.local`,
    destination_service_name: destination,
    destination_service_namespace: destinationNamespace,
    ...more,
  },
  perSecond,
});

const linkerd = (direction: "inbound" | "outbound", deployment: string, perSecond: number, dst?: string): Counter => ({
  labels: {
    __name__: "request_total",
    direction,
    namespace: "shop",
    deployment,
    ...(dst === undefined ? {} : { dst_namespace: "shop", dst_deployment: dst }),
  },
  perSecond,
});

const graph = (client: string, server: string, perSecond: number, more: Readonly<Record<string, string>> = {}) => ({
  labels: { __name__: "traces_service_graph_request_total", client, server, ...more },
  perSecond,
});

/** What a test looks at: each edge with its rate, who is outside, whose own calls would show. */
const seenIn = ({ details = [], external, reporting = [] }: Topology) => ({
  calls: Object.fromEntries(
    details.map(({ caller, callee, traffic }) => [
      `${caller} > ${callee}`,
      Math.round((traffic?.perSecond ?? 0) * 10) / 10,
    ]),
  ),
  external,
  reporting,
});

const outside = {
  destination_workload: "unknown",
  destination_workload_namespace: "unknown",
  destination_canonical_service: "unknown",
  destination_service_namespace: "unknown",
};

/** Servers in the tests below: the same counters, and the same calls to be read from them. */
const cases: readonly {
  readonly title: string;
  readonly counters: readonly Counter[];
  readonly seen: ReturnType<typeof seenIn>;
}[] = [
  {
    title: "a server without any of these metrics tells nothing",
    counters: [],
    seen: { calls: {}, external: [], reporting: [] },
  },
  {
    title: "Istio: both proxies count a call, which is one call; who has no proxy would not show its own",
    counters: [
      istio("source", ["web", "shop"], ["cart", "shop"], 4),
      istio("destination", ["web", "shop"], ["cart", "shop"], 4),
      istio("source", ["cart", "shop"], ["stock", "shop"], 2),
    ],
    seen: { calls: { "cart > stock": 2, "web > cart": 4 }, external: [], reporting: ["cart", "web"] },
  },
  {
    title: "Istio: versions of a workload are one service, and its proxy in ambient mode is nobody's",
    counters: [
      istio("waypoint", ["web", "shop"], ["cart", "shop"], 3, { destination_workload: "cart-v1" }),
      istio("waypoint", ["web", "shop"], ["cart", "shop"], 2, { destination_workload: "cart-v2" }),
    ],
    seen: { calls: { "web > cart": 5 }, external: [], reporting: [] },
  },
  {
    title: "Istio: a host outside is an external node; what passes through unnamed, or comes from nowhere, is no edge",
    counters: [
      istio("source", ["pay", "shop"], ["", ""], 1, {
        ...outside,
        destination_service: "api.bank.example",
        destination_service_name: "api.bank.example",
      }),
      istio("source", ["pay", "shop"], ["", ""], 1, { ...outside, destination_service_name: "PassthroughCluster" }),
      istio("destination", ["unknown", "unknown"], ["pay", "shop"], 9),
    ],
    seen: { calls: { "pay > api.bank.example": 1 }, external: ["api.bank.example"], reporting: ["pay"] },
  },
  {
    title: "Istio: workloads of one name in two namespaces are told apart",
    counters: [
      istio("source", ["web", "shop"], ["cart", "shop"], 1),
      istio("source", ["web", "staging"], ["cart", "staging"], 1),
    ],
    seen: {
      calls: { "web.shop > cart.shop": 1, "web.staging > cart.staging": 1 },
      external: [],
      reporting: ["web.shop", "web.staging"],
    },
  },
  {
    title: "Istio: a database shows by the connections to it",
    counters: [
      {
        labels: {
          ...istio("source", ["cart", "shop"], ["db", "shop"], 1).labels,
          __name__: "istio_tcp_connections_opened_total",
        },
        perSecond: 0.5,
      },
    ],
    seen: { calls: { "cart > db": 0.5 }, external: [], reporting: ["cart"] },
  },
  {
    title: "Linkerd: a service that is only called reports too, and its callees are those that it calls",
    counters: [
      linkerd("outbound", "web", 3, "cart"),
      linkerd("outbound", "web", 1),
      linkerd("inbound", "cart", 3),
      linkerd("inbound", "web", 8),
    ],
    seen: { calls: { "web > cart": 3 }, external: [], reporting: ["cart", "web"] },
  },
  {
    title: "request_total of somebody's own is no mesh",
    counters: [{ labels: { __name__: "request_total", deployment: "web", dst_deployment: "cart" }, perSecond: 3 }],
    seen: { calls: {}, external: [], reporting: [] },
  },
  {
    title: "service graph: a pair of spans reports at both ends, a database at one, and a user is nobody's service",
    counters: [
      graph("web", "cart", 2, { connection_type: "" }),
      graph("cart", "orders", 1, { connection_type: "messaging_system" }),
      graph("cart", "cartdb", 5, { connection_type: "database" }),
      graph("user", "web", 2, { connection_type: "virtual_node", virtual_node: "client" }),
      graph("orders", "mailer", 1, { connection_type: "virtual_node", virtual_node: "server" }),
      graph("stock", "legacy", 1, { connection_type: "virtual_node" }),
    ],
    seen: {
      calls: { "cart > cartdb": 5, "cart > orders": 1, "orders > mailer": 1, "stock > legacy": 1, "web > cart": 2 },
      external: ["cartdb"],
      reporting: ["cart", "orders", "web"],
    },
  },
  {
    title: "Hubble: workloads where it has them; what it does not show may be called all the same",
    counters: [
      {
        labels: {
          __name__: "hubble_http_requests_total",
          source_workload: "web",
          source_namespace: "shop",
          destination_workload: "cart",
          destination_namespace: "shop",
        },
        perSecond: 2,
      },
      { labels: { __name__: "hubble_http_requests_total", source: "web" }, perSecond: 7 },
    ],
    seen: { calls: { "web > cart": 2 }, external: [], reporting: [] },
  },
  {
    title: "two families that see the same call are one edge with the larger rate; a counter that stands still is none",
    counters: [
      istio("source", ["web", "shop"], ["cart", "shop"], 4),
      graph("web", "cart", 0.5),
      graph("web", "attic", 0),
    ],
    seen: { calls: { "web > cart": 4 }, external: [], reporting: ["cart", "web"] },
  },
];

/** Counters over the quarter of an hour before `AT`, each 15 s, as a real Prometheus is given them. */
function openMetrics(counters: readonly Counter[]): string {
  const byName = Map.groupBy(counters, ({ labels }) => labels.__name__ ?? "");
  const lines = [...byName].flatMap(([name, same]) => [
    `# TYPE ${name.replace(/_total$/, "")} counter`,
    ...same.flatMap(({ labels, perSecond }) => {
      const { __name__: _, ...others } = labels;
      const text = Object.entries(others).map(([label, value]) => `${label}="${value}"`);
      return Array.from({ length: 61 }, (_, i) => {
        const at = AT / 1000 - 900 + i * 15;
        return `${name}{${text.join(",")}} ${1000 + perSecond * i * 15} ${at}`;
      });
    }),
  ]);
  return `${[...lines, "# EOF"].join("\n")}\n`;
}

const read = async (base: URL, options: Partial<MeshOptions> = {}) => {
  const http = createHttp({ source: "prometheus", base });
  try {
    return await createMesh({ http, clock: { now: () => AT }, ...options }).topology(never);
  } finally {
    await http.close();
  }
};

describe("the call graph in mesh metrics", () => {
  it.each(cases)("$title", async ({ counters, seen }) => {
    await using server = await fakePrometheus(counters);
    expect(seenIn(await read(server.url))).toEqual(seen);
  });

  it("an edge is learned from a mesh, as sure as its requests are many, its traffic measured now", async () => {
    await using server = await fakePrometheus([istio("source", ["web", "shop"], ["cart", "shop"], 0.01)]);
    const traffic = { perSecond: 0.01, at: AT };
    const { details } = await read(server.url);
    expect(details).toEqual([{ caller: "web", callee: "cart", source: "mesh", confidence: 4 / 5, traffic }]);
  });

  it("workloads go by the names of the configured services", async () => {
    await using server = await fakePrometheus([istio("source", ["web-v2", "shop"], ["cart", "shop"], 1)]);
    const serviceOf: MeshOptions["serviceOf"] = ({ name, namespace }) =>
      name === "web-v2" && namespace === "shop" ? "storefront" : null;
    expect(seenIn(await read(server.url, { serviceOf })).calls).toEqual({ "storefront > cart": 1 });
  });

  it("asks which metrics there are once in ten minutes, and one query for each that is there", async () => {
    await using server = await fakePrometheus([istio("source", ["web", "shop"], ["cart", "shop"], 1)]);
    const http = createHttp({ source: "prometheus", base: server.url });
    let now = AT;
    const mesh = createMesh({ http, clock: { now: () => now } });
    for (let minute = 0; minute < 10; minute += 1, now += 60_000) await mesh.topology(never);
    expect(server.requests.filter((path) => path.includes("label"))).toHaveLength(1);
    expect(server.requests.filter((path) => path.endsWith("query"))).toHaveLength(10);
    server.hold([linkerd("outbound", "web", 3, "stock")]);
    expect((await mesh.topology(never)).edges).toEqual([
      ["web", "cart"],
      ["web", "stock"],
    ]);
    await http.close();
  });

  it("a server that fails is said to, and leaves what was learned; one that knows no such question has no mesh", async () => {
    await using server = await fakePrometheus([istio("source", ["web", "shop"], ["cart", "shop"], 1)]);
    const http = createHttp({ source: "prometheus", base: server.url });
    let now = AT;
    const mesh = createMesh({ http, clock: { now: () => now } });
    const first = await mesh.topology(never);
    server.refuse(503);
    now += 60_000;
    expect(await mesh.topology(never)).toEqual(first);
    expect(mesh.lacks()).toMatchObject([{ source: "mesh metrics", what: "topology" }]);
    server.refuse(404);
    const other = createMesh({ http, clock: { now: () => now } });
    expect((await other.topology(never)).edges).toEqual([]);
    expect(other.lacks()).toEqual([]);
    await http.close();
  });
});

describe.skipIf(!requireReal("prometheus", "prometheus"))("the call graph in mesh metrics of a real Prometheus", () => {
  it.each(cases.filter(({ counters }) => counters.length > 0))("$title", async ({ counters, seen }) => {
    await using server = await startPrometheus({ openMetrics: openMetrics(counters) });
    expect(seenIn(await read(server.base))).toEqual(seen);
  });
});
