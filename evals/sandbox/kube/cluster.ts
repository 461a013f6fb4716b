import type { PodRuntime } from "../pod-runtime.ts";
import type { TokenGrant } from "./api/access.ts";
import { type RecordedWrite, startApiServer } from "./api/server.ts";
import { daemonSetController } from "./controllers/daemon-set.ts";
import { deploymentController } from "./controllers/deployment.ts";
import { createEventRecorder } from "./controllers/event-recorder.ts";
import { garbageCollector } from "./controllers/garbage-collector.ts";
import { startKubelet } from "./controllers/kubelet.ts";
import { startLoop } from "./controllers/loop.ts";
import type { KubeletTimings } from "./controllers/pod-worker.ts";
import { isActive, isReady } from "./controllers/pods.ts";
import { replicaSetController } from "./controllers/replica-set.ts";
import { statefulSetController } from "./controllers/stateful-set.ts";
import { NODE } from "./defaults.ts";
import { kubeconfigFor } from "./kubeconfig.ts";
import { type KubeObject, namespaceOf, type Pod } from "./objects.ts";
import { createRegistry, toTimestamp } from "./registry.ts";
import { resourceOfKind } from "./resources.ts";
import { selects } from "./selectors.ts";
import { createStore } from "./store.ts";

export interface ClusterOptions {
  readonly runtime: PodRuntime;
  /** Port on loopback; 0 or absent takes a free one. */
  readonly port?: number;
  /** The clock for everything that is written down, in Unix ms. Waiting itself is real time. */
  readonly now?: () => number;
  readonly timings?: KubeletTimings;
  /** Where given, a request needs one of these as its bearer token (kubectl sends none over plain HTTP). */
  readonly tokens?: readonly TokenGrant[];
  /** Events kept for watches; default 5,000. */
  readonly historyLimit?: number;
}

export interface ReadyEndpoint {
  readonly pod: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Cluster extends AsyncDisposable {
  readonly url: URL;
  /** Every mutating request that came over HTTP, refused and dry ones included, in order. */
  readonly writes: readonly RecordedWrite[];
  /** Whether flow control turns requests away that come while another is answered (429). */
  turnAway(is: boolean): void;
  /** Pods of this namespace that match every label, are ready and not ending. */
  readyEndpoints(namespace: string, selector: Readonly<Record<string, string>>): readonly ReadyEndpoint[];
  /** Calls back whenever the answer of `readyEndpoints` may have changed; what it returns ends that. */
  onEndpointsChange(listener: () => void): () => void;
  /** Creates or replaces an object directly, its namespace too where there is none. Not counted as a write. */
  apply(manifest: unknown): Promise<void>;
  /** Text of a kubeconfig for this cluster. */
  kubeconfig(): string;
  /** Resolves when no controller has anything to do. It does not wait for pods to become ready. */
  idle(): Promise<void>;
}

/**
 * Starts an imitation of a Kubernetes 1.36 API server with its controllers; pods are processes of the runtime's.
 *
 * Where it differs from the real one:
 * - Objects are JSON throughout. Fields that no schema knows are kept, `fieldValidation` is ignored, protobuf bodies
 *   are refused with 415 (so `kubectl create deployment` and `auth can-i` do not work; `apply` and `create -f` do).
 * - No aggregated discovery, OpenAPI schemas, RBAC, admission, quotas or TLS. Flow control knows one level, for everybody.
 * - Kinds are those of `resources.ts`: no Secrets, Endpoints, Jobs, autoscalers. Subresources are status and scale: no
 *   logs, exec, eviction.
 * - Validation is that of `validation.ts`, defaulting that of `defaults.ts`.
 * - Names of ReplicaSets and revisions come from another hash than Go's; equal templates still have equal names.
 * - One node, "sandbox". A pod is one process, that of its first container; init containers, liveness probes, volumes,
 *   resources and scheduling are stored and have no effect. The real port stands in an annotation of the pod.
 * - A container without a readiness probe is probed all the same. Every pod's QoS class is BestEffort.
 * - StatefulSets have no volume claims, DaemonSets no `deprecated.daemonset.template.generation`.
 * - A rolling update waits for nothing but readiness: what takes seconds for image pulls and leases takes none.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const registry = createRegistry(createStore(options.historyLimit ?? 5000), options.now ?? Date.now);
  const recorder = (component: string) => createEventRecorder(registry, component);
  const loop = startLoop(
    registry,
    [
      deploymentController(registry, recorder("deployment-controller")),
      replicaSetController(registry, recorder("replicaset-controller")),
      statefulSetController(registry, recorder("statefulset-controller")),
      daemonSetController(registry, recorder("daemonset-controller")),
      garbageCollector(registry),
    ],
    (controller, key, error) => console.error(`sandbox: ${controller} ${key}:`, error),
  );
  const kubelet = startKubelet({
    registry,
    runtime: options.runtime,
    events: createEventRecorder(registry, "kubelet", NODE),
    timings: options.timings ?? {},
    track: loop.track,
  });
  const stop = async () => {
    loop.stop();
    await kubelet.stop();
  };
  seed();
  const server = await startApiServer(registry, {
    port: options.port ?? 0,
    ...(options.tokens === undefined ? {} : { tokens: options.tokens }),
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });

  function seed(): void {
    for (const name of ["default", "kube-system"]) ensureNamespace(name);
    const time = toTimestamp(registry.now());
    const capacity = { cpu: "2", memory: "4Gi", pods: "110" };
    const status = {
      capacity,
      allocatable: capacity,
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "KubeletReady",
          message: "kubelet is posting ready status",
          lastHeartbeatTime: time,
          lastTransitionTime: time,
        },
      ],
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      nodeInfo: { kubeletVersion: "v1.36.3+sandbox", osImage: "sandbox", containerRuntimeVersion: "process://1" },
    };
    const metadata = { name: NODE, labels: { "kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux" } };
    const node = registry.create("nodes", { apiVersion: "v1", kind: "Node", metadata, spec: {} }, SEED);
    registry.update("nodes", { ...node, status }, { ...SEED, subresource: "status" });
  }

  function ensureNamespace(name: string): void {
    if (registry.get("namespaces", "", name) !== undefined) return;
    const labels = { "kubernetes.io/metadata.name": name };
    registry.create("namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name, labels }, spec: {} }, SEED);
  }

  return {
    url: server.url,
    writes: server.writes,
    turnAway: server.turnAway,
    readyEndpoints(namespace, selector) {
      return kubelet
        .ready()
        .filter(({ pod }) => namespaceOf(pod) === namespace && selects({ matchLabels: selector }, pod.metadata.labels))
        .map(({ pod, port }) => ({ pod: pod.metadata.name, port, labels: pod.metadata.labels ?? {} }));
    },
    onEndpointsChange(listener) {
      return registry.store.subscribe(({ plural, type, object, previous }) => {
        if (plural !== "pods") return;
        const serves = (pod: KubeObject | undefined) =>
          pod !== undefined && isReady(pod as Pod) && isActive(pod as Pod);
        if ((type !== "DELETED" && serves(object)) !== serves(previous)) listener();
      });
    },
    async apply(manifest) {
      const given = manifest as KubeObject;
      const resource = resourceOfKind(given.apiVersion, given.kind);
      if (resource === undefined) throw new Error(`the sandbox has no kind ${given.apiVersion} ${given.kind}`);
      const namespace = resource.namespaced ? (given.metadata.namespace ?? "default") : "";
      if (resource.namespaced) ensureNamespace(namespace);
      const metadata = resource.namespaced ? { ...given.metadata, namespace } : given.metadata;
      const object = { ...given, metadata };
      const exists = registry.get(resource.plural, namespace, given.metadata.name) !== undefined;
      if (exists) registry.update(resource.plural, object, SEED);
      else registry.create(resource.plural, object, SEED);
    },
    kubeconfig: () => kubeconfigFor(server.url),
    idle: () => loop.idle(),
    async [Symbol.asyncDispose]() {
      await server.close();
      await stop();
    },
  };
}

/** Who seeded an object, in its managed fields. */
const SEED = { manager: "sandbox" } as const;
