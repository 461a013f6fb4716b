import type { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import type { KnownEdge, Topology } from "../../../core/model/evidence.ts";
import { edgeKey } from "../../../core/model/seen-edge.ts";
import { type RememberedTopology, rememberedTopology } from "../edge-memory.ts";
import { addressesOf, type ConfigMaps, createServiceDirectory, variableMapsOf } from "./callees.ts";
import type { KubernetesSourceOptions } from "./changes.ts";
import type { KubeClient } from "./client.ts";
import type { Workload } from "./history.ts";
import { ConfigMapObject, RolloutObject, ServiceObject, WorkloadObject } from "./objects.ts";
import { serviceOf } from "./services.ts";
import { templateMarks } from "./template.ts";

/**
 * How sure it is that an address in a pod template is called. Of the 49 addresses of Services in the manifests of two
 * public systems (telemetry left out), the callers' own code reads 43: 16 of 16 in Online Boutique 0.2.0, 27 of 33 in
 * the OpenTelemetry demo of 2026-08-22; by Laplace's rule 44 / 51. Both are well kept, so it is an upper bound.
 *
 * @see https://github.com/GoogleCloudPlatform/microservices-demo (release/kubernetes-manifests.yaml)
 * @see https://github.com/open-telemetry/opentelemetry-demo (compose.yaml at 05428231)
 */
export const TEMPLATE_CONFIDENCE = 44 / 51;

export interface TemplateTopology extends RememberedTopology {
  /** Null: Services can be read. Else why no address can be told from another word. */
  readonly unread: () => string | null;
}

/** Requests for ConfigMaps at a time. */
const AT_ONCE = 20;
/** Five minutes: templates change with deploys, and an address is but a hint. */
const REREAD_MS = 5 * 60_000;

type Owner = Pick<Workload, "kind" | "object">;

/**
 * Who calls whom, by the addresses in pod templates: variables, arguments, and the ConfigMaps that variables come from
 * where the credentials may read them. Secrets are never read. Only hosts that are Services of the cluster count, and
 * URLs of hosts outside of it, which are external nodes. An address says that a service may call, not that it does.
 */
export function kubernetesTopology(options: KubernetesSourceOptions): TemplateTopology {
  const { client, namespaces, services, now } = options;
  let unread: string | null = null;

  async function read(abort: AbortSignal): Promise<Topology> {
    const known = await orRefused(listIn(client, "Service", namespaces, ServiceObject, abort));
    unread = known === null ? "the credentials may not list Services" : null;
    if (known === null) return { edges: [], external: [], details: [], reporting: [] };
    const owners = await ownersIn(client, namespaces, abort);
    const maps = await configMapsOf(client, owners, abort);
    return topologyOf(owners, known, maps, (owner) => serviceOf(owner, services));
  }

  const remembered = rememberedTopology({
    name: "pod templates",
    clock: { now },
    read,
    keepMs: 0,
    rereadMs: REREAD_MS,
  });
  return { ...remembered, unread: () => unread };
}

function topologyOf(
  owners: readonly Owner[],
  services: readonly ServiceObject[],
  maps: ReadonlyMap<string, Readonly<Record<string, string>>>,
  nameOf: (owner: Owner) => string,
): Topology {
  const directory = createServiceDirectory(services);
  const edges = new Map<string, KnownEdge>();
  const external = new Set<string>();
  const behind = new Map<ServiceObject, readonly string[]>();
  const servedBy = (service: ServiceObject): readonly string[] => {
    const found = behind.get(service) ?? servicesBehind(service, owners, nameOf);
    behind.set(service, found);
    return found;
  };
  for (const owner of owners) {
    const { namespace } = owner.object.metadata;
    const caller = nameOf(owner);
    const mapsHere: ConfigMaps = (name) => maps.get(`${namespace}/${name}`);
    const serviceHost = (variable: string) => directory.hostOf(variable, namespace);
    for (const address of addressesOf(owner.object.spec.template, mapsHere, serviceHost)) {
      const reached = directory.reached(address, namespace);
      if (reached === null) continue;
      const outside = reached.kind === "outside" ? reached.host : outsideOf(reached.service);
      if (outside !== null) external.add(outside);
      const callees = outside !== null ? [outside] : reached.kind === "service" ? servedBy(reached.service) : [];
      for (const callee of callees)
        if (callee !== caller)
          edges.set(edgeKey(caller, callee), { caller, callee, source: "template", confidence: TEMPLATE_CONFIDENCE });
    }
  }
  const details = [...edges.values()];
  const nodes = new Set(details.map(({ callee }) => callee));
  return {
    edges: details.map(({ caller, callee }) => [caller, callee] as const),
    external: [...external].filter((node) => nodes.has(node)),
    details,
    reporting: [],
  };
}

/** The services whose pods a Service selects; its own name where it selects those of no workload that is known. */
function servicesBehind(
  { metadata, spec }: ServiceObject,
  owners: readonly Owner[],
  nameOf: (owner: Owner) => string,
): readonly string[] {
  const selector = Object.entries(spec.selector);
  const selected = owners.filter(({ object }) => {
    const { labels } = templateMarks(object.spec.template);
    return object.metadata.namespace === metadata.namespace && selector.every(([key, value]) => labels[key] === value);
  });
  return selected.length === 0 ? [metadata.name] : [...new Set(selected.map(nameOf))];
}

/** The host behind a Service that only stands for one outside; its own name where it selects no pods at all. */
function outsideOf({ metadata, spec }: ServiceObject): string | null {
  if (spec.type === "ExternalName") return spec.externalName ?? metadata.name;
  return Object.keys(spec.selector).length === 0 ? metadata.name : null;
}

async function ownersIn(client: KubeClient, namespaces: readonly string[], abort: AbortSignal): Promise<Owner[]> {
  const [deployments, statefulSets, daemonSets, rollouts] = await Promise.all([
    listIn(client, "Deployment", namespaces, WorkloadObject, abort),
    listIn(client, "StatefulSet", namespaces, WorkloadObject, abort),
    listIn(client, "DaemonSet", namespaces, WorkloadObject, abort),
    orRefused(listIn(client, "Rollout", namespaces, RolloutObject, abort)),
  ]);
  return [
    ...deployments.map((object) => ({ kind: "Deployment" as const, object })),
    ...statefulSets.map((object) => ({ kind: "StatefulSet" as const, object })),
    ...daemonSets.map((object) => ({ kind: "DaemonSet" as const, object })),
    ...(rollouts ?? []).map((object) => ({ kind: "Rollout" as const, object })),
  ];
}

/** The ConfigMaps that variables come from, by namespace and name; none where the credentials may not read them. */
async function configMapsOf(client: KubeClient, owners: readonly Owner[], abort: AbortSignal) {
  const asked = new Map(
    owners.flatMap(({ object: { metadata, spec } }) =>
      variableMapsOf(spec.template).map(
        (name) => [`${metadata.namespace}/${name}`, [metadata.namespace, name]] as const,
      ),
    ),
  );
  const found = new Map<string, Readonly<Record<string, string>>>();
  const open = [...asked];
  while (open.length > 0) {
    const some = open.splice(0, AT_ONCE);
    const answers = await Promise.all(
      some.map(async ([key, [namespace, name]]) => {
        const one = await orRefused(client.get("ConfigMap", namespace, name, ConfigMapObject, abort));
        if (one !== null) found.set(key, one.data);
        return one;
      }),
    );
    // Whoever may read none of these may read none at all.
    if (answers.every((one) => one === null)) break;
  }
  return found;
}

async function listIn<T>(
  client: KubeClient,
  kind: Parameters<KubeClient["list"]>[0],
  namespaces: readonly string[],
  schema: z.ZodType<T>,
  abort: AbortSignal,
): Promise<readonly T[]> {
  return (await Promise.all(namespaces.map((one) => client.list(kind, one, schema, abort)))).flat();
}

/** Null where the server has no such thing, or the credentials may not read it. */
async function orRefused<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof UnshipError && ["source.refused", "source.not_found"].includes(error.code)) return null;
    throw error;
  }
}
