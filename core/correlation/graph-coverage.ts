import { EdgeSource, type Topology } from "../model/evidence.ts";
import { calleesKnown, knownEdges } from "./known-edges.ts";

/** What a call graph is made of, and what it leaves open. Names are sorted. */
export interface GraphCoverage {
  /** Edges by where they are known from. */
  readonly edges: Readonly<Record<EdgeSource, number>>;
  /** Edges over which traffic was measured. */
  readonly measured: number;
  readonly services: number;
  /** Services that no edge names. */
  readonly withoutEdges: readonly string[];
  /** Services of which it is not known what they call: see `calleesKnown`. */
  readonly calleesUnknown: readonly string[];
}

/** Of these services, as far as the topology (null: none) tells. Pure. */
export function graphCoverage(topology: Topology | null, services: Iterable<string>): GraphCoverage {
  const edges = topology === null ? [] : [...knownEdges(topology).values()];
  const named = new Set(edges.flatMap(({ caller, callee }) => [caller, callee]));
  const outside = new Set(topology?.external ?? []);
  const all = [...new Set(services)].filter((service) => !outside.has(service)).sort();
  const count = (source: EdgeSource) => edges.filter((edge) => edge.source === source).length;
  return {
    edges: Object.fromEntries(EdgeSource.options.map((source) => [source, count(source)])) as GraphCoverage["edges"],
    measured: edges.filter(({ traffic }) => traffic !== undefined).length,
    services: all.length,
    withoutEdges: all.filter((service) => !named.has(service)),
    calleesUnknown: all.filter((service) => !calleesKnown(topology, service)),
  };
}

const NAMES: Readonly<Record<EdgeSource, string>> = {
  configured: "configured",
  mesh: "from mesh metrics",
  spans: "from traces",
  template: "from pod templates",
};

/** The same in sentences, and what its gaps cost. */
export function coverageWords({
  edges,
  measured,
  services,
  withoutEdges,
  calleesUnknown,
}: GraphCoverage): readonly string[] {
  const total = EdgeSource.options.reduce((sum, source) => sum + edges[source], 0);
  const parts = EdgeSource.options
    .filter((source) => edges[source] > 0)
    .map((source) => `${edges[source]} ${NAMES[source]}`);
  const made =
    total === 0
      ? "no edge is known"
      : `${total} ${total === 1 ? "edge" : "edges"}: ${parts.join(", ")}; traffic is measured over ${measured}`;
  const learnedOnly = total > edges.configured && measured < total;
  const [of, have] = [
    `of ${services} ${services === 1 ? "service" : "services"}`,
    calleesUnknown.length === 1 ? "has" : "have",
  ];
  return [
    made,
    ...(learnedOnly ? ["over a learned edge without measured traffic nothing is rolled back automatically"] : []),
    ...(withoutEdges.length === 0 ? [] : [`${withoutEdges.length} ${of} without any edge: ${some(withoutEdges)}`]),
    ...(calleesUnknown.length === 0
      ? []
      : [
          `${calleesUnknown.length} ${of} ${have} no known callees (${some(calleesUnknown)}): for those a deploy's timing alone never leads to an automatic rollback; configure topology, Zipkin or mesh metrics`,
        ]),
  ];
}

/** Names that a person reads at a glance; the JSON has all. */
const SHOWN = 10;
const some = (names: readonly string[]): string =>
  `${names.slice(0, SHOWN).join(", ")}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ""}`;
