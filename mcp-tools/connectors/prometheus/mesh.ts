import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import type { Topology } from "../../../core/model/evidence.ts";
import { type CallCount, edgeKey, seenEdge } from "../../../core/model/seen-edge.ts";
import type { Clock } from "../../../core/ports.ts";
import { type RememberedTopology, rememberedTopology } from "../edge-memory.ts";
import { type Http, type Path, path } from "../http.ts";
import { Answer, sampleValue, seriesOf } from "./answer.ts";
import { MESH_FAMILIES, type MeshCall, type MeshFamily, type MeshNode } from "./mesh-families.ts";

export interface MeshOptions {
  readonly http: Http;
  readonly clock: Clock;
  /** The service that this workload is, as configured; null: nobody says. */
  readonly serviceOf?: (node: MeshNode) => string | null;
}

/**
 * The window of the rates, as Prometheus' own examples and Istio's dashboards have it: four scrapes of a minute fit.
 * @see https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
 */
const WINDOW_MS = 5 * 60_000;
/** A mesh is installed once: whether a family is there is asked again every ten minutes. */
const FAMILIES_MS = 10 * 60_000;
/** A family counts as there where it had samples in the last hour. */
const LOOK_BACK_MS = 3_600_000;

const Names = z.object({ status: z.literal("success"), data: z.array(z.string()) });
const FORM = "application/x-www-form-urlencoded";

/**
 * Who calls whom, and how often, as a service mesh or a trace collector counts it in Prometheus (or anything that speaks
 * its HTTP API): one query for each family of metrics that is there. Requests a second are measured over five minutes.
 */
export function createMesh({ http, clock, serviceOf = () => null }: MeshOptions): RememberedTopology {
  let families: { readonly at: number; readonly found: readonly MeshFamily[] } | null = null;

  async function present(now: number, abort: AbortSignal): Promise<readonly MeshFamily[]> {
    if (families !== null && now >= families.at && now - families.at < FAMILIES_MS) return families.found;
    const matches = MESH_FAMILIES.map(({ selector }) => ["match[]", selector] as [string, string]);
    const form = new URLSearchParams([...matches, ["start", seconds(now - LOOK_BACK_MS)], ["end", seconds(now)]]);
    const names = await familyNames(`/api/v1/label/__name__/values?${form}` as Path, abort);
    families = { at: now, found: MESH_FAMILIES.filter(({ name }) => names.includes(name)) };
    return families.found;
  }

  /** A server that has no such question, or refuses it, has no family that anyone could read. */
  async function familyNames(where: Path, abort: AbortSignal): Promise<readonly string[]> {
    try {
      return (await http.getJson(where, Names, abort)).data;
    } catch (error) {
      if (error instanceof UnshipError && ["source.refused", "source.not_found"].includes(error.code)) return [];
      throw error;
    }
  }

  async function callsOf(family: MeshFamily, now: number, abort: AbortSignal): Promise<readonly CountedCall[]> {
    const query = `sum by (${family.by.join(", ")}) (rate(${family.selector}[${WINDOW_MS / 1000}s])) > 0`;
    const body = new URLSearchParams({ query, time: seconds(now) }).toString();
    const answer = (await http.send("POST", path`/api/v1/query`, body, FORM, Answer, abort)).body;
    const series = seriesOf(answer);
    if (series === null) throw new UnshipError("source.shape", { source: http.source });
    return series.flatMap(({ metric, points: [point] }) => {
      const perSecond = sampleValue(point?.[1] ?? "");
      const isCount = perSecond !== null && Number.isFinite(perSecond) && perSecond > 0;
      return isCount ? [{ family: family.name, ...family.call(metric), perSecond }] : [];
    });
  }

  return rememberedTopology({
    name: "mesh metrics",
    clock,
    read: async (abort) => {
      const now = clock.now();
      const found = await present(now, abort);
      const calls = await Promise.all(found.map((family) => callsOf(family, now, abort)));
      return topologyOf(calls.flat(), serviceOf, now);
    },
  });
}

interface CountedCall extends MeshCall {
  readonly family: string;
  readonly perSecond: number;
}

/**
 * Both proxies of a call count it, and two families may: the larger figure stands. A workload that no configured service
 * is has its own name, and with its namespace where workloads of that name run in several.
 */
function topologyOf(calls: readonly CountedCall[], serviceOf: (node: MeshNode) => string | null, at: number): Topology {
  const nodes = calls.flatMap(({ caller, callee }) => [caller, callee]).filter((one) => one !== null);
  const namespaces = Map.groupBy(nodes, ({ name }) => name);
  const isAmbiguous = (name: string) =>
    new Set((namespaces.get(name) ?? []).map(({ namespace }) => namespace).filter((one) => one !== "")).size > 1;
  const nameOf = (one: MeshNode): string =>
    serviceOf(one) ?? (isAmbiguous(one.name) && one.namespace !== "" ? `${one.name}.${one.namespace}` : one.name);
  const sums = new Map<string, CallCount>();
  const byReporter = new Map<string, CallCount>();
  for (const { family, caller, callee, perSecond, reporting } of calls) {
    if (caller === null || callee === null) continue;
    const [from, to] = [nameOf(caller), nameOf(callee)];
    if (from === to) continue;
    // Series of one end and family are parts of one count: pods of two versions, ports, protocols.
    const end = `${family} ${reporting.map(nameOf).join(" ")}`;
    const before = byReporter.get(`${end}\n${edgeKey(from, to)}`)?.requests ?? 0;
    const call = { caller: from, callee: to, requests: before + (perSecond * WINDOW_MS) / 1000, at };
    byReporter.set(`${end}\n${edgeKey(from, to)}`, call);
    const largest = sums.get(edgeKey(from, to));
    if (largest === undefined || largest.requests < call.requests) sums.set(edgeKey(from, to), call);
  }
  const external = calls.flatMap(({ callee, isExternal }) =>
    isExternal && callee !== null && serviceOf(callee) === null ? [nameOf(callee)] : [],
  );
  const counted = [...sums.values()];
  return {
    edges: counted.map(({ caller, callee }) => [caller, callee] as const),
    external: [...new Set(external)],
    details: counted.map((call) => seenEdge(call, "mesh", WINDOW_MS)),
    reporting: [...new Set(calls.flatMap(({ reporting }) => reporting.map(nameOf)))],
  };
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);
