import type { KubeApi } from "../../../evals/real-kubernetes/api.ts";
import { daemonSet, deployment, statefulSet, template } from "../../../evals/real-kubernetes/manifests.ts";

export type WorkloadKind = "Deployment" | "StatefulSet" | "DaemonSet";

export interface Workload {
  readonly name: string;
  readonly kind: WorkloadKind;
  readonly replicas: number;
  /** Further fields of its pods' spec. */
  readonly pod?: object;
}

const PLURALS: Readonly<Record<WorkloadKind, string>> = {
  Deployment: "deployments",
  StatefulSet: "statefulsets",
  DaemonSet: "daemonsets",
};
const MANIFESTS = { Deployment: deployment, StatefulSet: statefulSet, DaemonSet: daemonSet } as const;

export const collectionOf = (kind: WorkloadKind, namespace: string): string =>
  `/apis/apps/v1/namespaces/${namespace}/${PLURALS[kind]}`;

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
  /** Deletes pods that are not ready and not of the image that is wanted: a StatefulSet waits for them for ever. */
  deleteBroken(workload: Workload): Promise<void>;
  imageOf(workload: Workload): Promise<string>;
}

const MERGE = "application/strategic-merge-patch+json";
/** A stuck rollout is called stuck after this; Kubernetes' default of 600 s is longer than a test. */
const PROGRESS_DEADLINE_SECONDS = 20;
/** Between one new pod and the next, so that old and new ones serve side by side for a while, as in a careful rollout. */
const MIN_READY_SECONDS = 5;

export function openDesk(api: KubeApi, namespace: string): Desk {
  const pathOf = ({ kind, name }: Workload) => `${collectionOf(kind, namespace)}/${name}`;
  const patch = (workload: Workload, body: object) =>
    persist(() => api.must("PATCH", `${pathOf(workload)}?fieldManager=release-desk`, { body, type: MERGE }));
  const manifest = ({ kind, name, replicas, pod = {} }: Workload, image: string) => {
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
    };
    return MANIFESTS[kind](name, image, fields);
  };
  const imageOf = async (workload: Workload): Promise<string> => {
    const { spec } = await persist(() => api.must("GET", pathOf(workload)));
    return spec.template.spec.containers[0].image;
  };
  return {
    create: (workload, image) =>
      persist(() => api.must("POST", collectionOf(workload.kind, namespace), { body: manifest(workload, image) })),
    deploy: (workload, image) =>
      patch(workload, { spec: { template: { spec: { containers: [{ name: workload.name, image }] } } } }),
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
          body: manifest(workload, image),
          type: "application/apply-patch+yaml",
        }),
      ),
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
