import type { KubeApi } from "../../../evals/real-kubernetes/api.ts";
import { daemonSet, deployment, rollout, statefulSet, template } from "../../../evals/real-kubernetes/manifests.ts";

export type WorkloadKind = "Deployment" | "StatefulSet" | "DaemonSet" | "Rollout";
/** How an Argo Rollout brings a new version. */
export type Strategy = "canary" | "blueGreen";

export interface Workload {
  readonly name: string;
  readonly kind: WorkloadKind;
  readonly replicas: number;
  /** Further fields of its pods' spec. */
  readonly pod?: object;
  /** Of a Rollout. */
  readonly strategy?: Strategy;
  /** People release it by Git, and Argo CD syncs it. */
  readonly byGit?: true;
}

const COLLECTIONS: Readonly<Record<WorkloadKind, readonly [api: string, plural: string]>> = {
  Deployment: ["apps/v1", "deployments"],
  StatefulSet: ["apps/v1", "statefulsets"],
  DaemonSet: ["apps/v1", "daemonsets"],
  Rollout: ["argoproj.io/v1alpha1", "rollouts"],
};
const MANIFESTS = { Deployment: deployment, StatefulSet: statefulSet, DaemonSet: daemonSet, Rollout: rollout } as const;

export const collectionOf = (kind: WorkloadKind, namespace: string): string => {
  const [api, plural] = COLLECTIONS[kind];
  return `/apis/${api}/namespaces/${namespace}/${plural}`;
};

/** A quarter of the pods at the new version until a person lets it go on; or all of them at once, the old ones kept for a while. */
const strategyOf = ({ name, strategy = "canary" }: Workload) =>
  strategy === "canary"
    ? { canary: { maxSurge: 1, maxUnavailable: 0, steps: [{ setWeight: 25 }, { pause: {} }] } }
    : { blueGreen: { activeService: name, autoPromotionEnabled: true, scaleDownDelaySeconds: 30 } };

/** The people of a shop at one namespace: everything that is no act of unship's goes through here. */
export interface Desk {
  /** The first version; no history before it. */
  create(workload: Workload, image: string): Promise<void>;
  deploy(workload: Workload, image: string): Promise<void>;
  /** `at`: what the restart writes down as its time, RFC 3339. */
  restart(workload: Workload, at: string): Promise<void>;
  scale(workload: Workload, replicas: number): Promise<void>;
  pause(workload: Workload, paused: boolean): Promise<void>;
  /** As another manager does: the whole manifest, applied on the server's side. */
  apply(workload: Workload, image: string, manager: string): Promise<void>;
  /** Gives all traffic of a Rollout to its new version, as its controller's client does. */
  promote(workload: Workload): Promise<void>;
  /** Deletes pods that are not ready and not of the image that is wanted: a StatefulSet waits for them for ever. */
  deleteBroken(workload: Workload): Promise<void>;
  imageOf(workload: Workload): Promise<string>;
}

const MERGE = "application/strategic-merge-patch+json";
/** A stuck rollout is called stuck after this; Kubernetes' default of 600 s is longer than a test. */
const PROGRESS_DEADLINE_SECONDS = 20;
/** Between one new pod and the next, so that old and new ones serve side by side for a while, as in a careful rollout. */
const MIN_READY_SECONDS = 5;

/** What a blue-green Rollout's controller points at the version that serves. */
const serviceOf = ({ name }: Workload) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
});

/** The whole object as people write it down. */
export function manifestOf(workload: Workload, image: string) {
  const { kind, name, replicas, pod = {} } = workload;
  const fields = {
    template: template(name, image, { terminationGracePeriodSeconds: 1, ...pod }),
    minReadySeconds: MIN_READY_SECONDS,
    ...(kind === "DaemonSet" ? {} : { replicas }),
    ...(kind === "Deployment"
      ? {
          progressDeadlineSeconds: PROGRESS_DEADLINE_SECONDS,
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        }
      : {}),
    ...(kind === "Rollout"
      ? { progressDeadlineSeconds: PROGRESS_DEADLINE_SECONDS, strategy: strategyOf(workload) }
      : {}),
  };
  return MANIFESTS[kind](name, image, fields);
}

export function openDesk(api: KubeApi, namespace: string): Desk {
  const pathOf = ({ kind, name }: Workload) => `${collectionOf(kind, namespace)}/${name}`;
  const patch = (workload: Workload, body: object) =>
    persist(() => api.must("PATCH", `${pathOf(workload)}?fieldManager=release-desk`, { body, type: MERGE }));
  const services = `/api/v1/namespaces/${namespace}/services`;
  const imageOf = async (workload: Workload): Promise<string> => {
    const { spec } = await persist(() => api.must("GET", pathOf(workload)));
    return spec.template.spec.containers[0].image;
  };
  return {
    async create(workload, image) {
      if (workload.strategy === "blueGreen")
        await persist(() => api.must("POST", services, { body: serviceOf(workload) }));
      await persist(() =>
        api.must("POST", collectionOf(workload.kind, namespace), { body: manifestOf(workload, image) }),
      );
    },
    deploy: (workload, image) =>
      workload.kind === "Rollout"
        ? persist(() =>
            api.must("PATCH", `${pathOf(workload)}?fieldManager=release-desk`, {
              body: [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: image }],
              type: "application/json-patch+json",
            }),
          )
        : patch(workload, { spec: { template: { spec: { containers: [{ name: workload.name, image }] } } } }),
    restart: (workload, at) =>
      patch(workload, {
        spec: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": at } } } },
      }),
    scale: (workload, replicas) =>
      persist(() =>
        api.must("PATCH", `${pathOf(workload)}/scale`, {
          body: { spec: { replicas } },
          type: "application/merge-patch+json",
        }),
      ),
    pause: (workload, paused) => patch(workload, { spec: { paused } }),
    apply: (workload, image, manager) =>
      persist(() =>
        api.must("PATCH", `${pathOf(workload)}?fieldManager=${manager}&force=true`, {
          body: manifestOf(workload, image),
          type: "application/apply-patch+yaml",
        }),
      ),
    async promote(workload) {
      // The controller keeps its own answer of a write for the newest one, and so may not see this while it writes the pause
      // down: it is said again, which takes a change. What it says of an older spec is nothing about this one.
      let seen: unknown;
      for (let rest = PROMOTION_MS; rest > 0; rest -= AGAIN_MS) {
        const { metadata, status } = await persist(() => api.must("GET", pathOf(workload)));
        seen = { generation: metadata.generation, ...status };
        const isSeen = String(status?.observedGeneration) === String(metadata.generation);
        if (isSeen && status.phase === "Healthy") return;
        if (isSeen && status.phase === "Paused")
          await persist(() =>
            api.must("PATCH", `${pathOf(workload)}/status`, {
              body: { status: { promoteFull: status.promoteFull === true ? null : true } },
              type: "application/merge-patch+json",
            }),
          );
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
      throw new Error(
        `${workload.name} in ${namespace} was not promoted within ${PROMOTION_MS / 1000} s: ${JSON.stringify(seen)}`,
      );
    },
    async deleteBroken(workload) {
      const wanted = await imageOf(workload);
      const pods = `/api/v1/namespaces/${namespace}/pods`;
      const { items } = await persist(() => api.must("GET", `${pods}?labelSelector=app%3D${workload.name}`));
      const broken = (items as readonly Pod[]).filter(
        ({ spec, status }) =>
          spec.containers[0]?.image !== wanted &&
          status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") !== true,
      );
      for (const { metadata } of broken) await persist(() => api.call("DELETE", `${pods}/${metadata.name}`));
    },
    imageOf,
  };
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const AGAIN_MS = 500;
const PATIENCE_MS = 90_000;
const PROMOTION_MS = 90_000;

/** Tries again while the API server is away: people do too. Throws what it last threw where that lasts. */
export async function persist<T>(work: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > end || / (400|404|409|422) /.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
