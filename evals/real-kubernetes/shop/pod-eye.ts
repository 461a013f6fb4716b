import { setTimeout as wait } from "node:timers/promises";
import type { KubeApi } from "../api.ts";

/** A pod as whoever sends requests to it sees it. */
export interface SeenPod {
  readonly name: string;
  /** Its label `app`. */
  readonly service: string;
  readonly image: string;
  readonly ready: boolean;
  /** Whether requests reach it: it is ready, and the Service of its name, where there is one, selects it. */
  readonly serving: boolean;
  /** Whether its container runs: it can be scraped. */
  readonly running: boolean;
}

export interface PodEye extends AsyncDisposable {
  pods(): readonly SeenPod[];
}

interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly resourceVersion: string;
  };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly state?: { readonly running?: object } }[];
  };
}

const AGAIN_MS = 300;

interface ServiceObject {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly selector?: Readonly<Record<string, string>> };
}

/**
 * Follows a namespace's pods and Services by list and watch. While the API server says nothing, what was known last goes on, as
 * endpoints do in a cluster.
 */
export function followPods(api: KubeApi, namespace: string): PodEye {
  const pods = new Map<string, { readonly pod: Omit<SeenPod, "serving">; readonly labels: Labels }>();
  const selectors = new Map<string, Labels>();
  const abort = new AbortController();
  const takePod = ({ metadata, spec, status }: PodObject) => {
    if (metadata.deletionTimestamp !== undefined) {
      pods.delete(metadata.name);
      return;
    }
    const labels = metadata.labels ?? {};
    const pod = {
      name: metadata.name,
      service: labels.app ?? "",
      image: spec.containers[0]?.image ?? "",
      ready: status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true,
      running: status?.containerStatuses?.[0]?.state?.running !== undefined,
    };
    pods.set(pod.name, { pod, labels });
  };
  const takeService = ({ metadata, spec }: ServiceObject) => void selectors.set(metadata.name, spec.selector ?? {});
  const follow = async <T>(plural: string, known: Map<string, unknown>, take: (object: T) => void) => {
    const path = `/api/v1/namespaces/${namespace}/${plural}`;
    const { items, metadata } = await api.must("GET", path);
    known.clear();
    for (const item of items as readonly T[]) take(item);
    for await (const { type, object } of api.watch(
      `${path}?watch=1&resourceVersion=${metadata.resourceVersion}&timeoutSeconds=600`,
      abort.signal,
    )) {
      if (type === "ERROR") return;
      if (type === "DELETED") known.delete(object.metadata.name);
      else take(object);
    }
  };
  const forever = async (work: () => Promise<void>) => {
    while (!abort.signal.aborted) {
      await work().catch(() => undefined);
      await wait(AGAIN_MS);
    }
  };
  const following = Promise.all([
    forever(() => follow("pods", pods, takePod)),
    forever(() => follow("services", selectors, takeService)),
  ]);
  const isSelected = (service: string, labels: Labels) =>
    Object.entries(selectors.get(service) ?? {}).every(([key, value]) => labels[key] === value);
  return {
    pods: () =>
      [...pods.values()].map(({ pod, labels }) => ({ ...pod, serving: pod.ready && isSelected(pod.service, labels) })),
    async [Symbol.asyncDispose]() {
      abort.abort();
      await following;
    },
  };
}

type Labels = Readonly<Record<string, string>>;
