import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import type { SandboxEndpoints } from "../sandbox/endpoints.ts";

/** How the object that a scenario breaks stands, by the sandbox's own API: its image, or its flag's "on" or "off". */
export interface CulpritState {
  readonly at: number;
  readonly runs: string;
  /** A Deployment's pods all run this image and are ready. A flag needs no roll-out. */
  readonly complete: boolean;
  /** Pods of the image that is to run, and how many of them are ready. */
  readonly pods: number;
  readonly ready: number;
}

export interface CulpritRecord extends AsyncDisposable {
  /** Oldest first; the first one stands from before anything happens. */
  readonly states: readonly CulpritState[];
  /** Asks once more, now. */
  look(): Promise<void>;
}

const Deployment = z.object({
  metadata: z.object({ generation: z.number() }),
  spec: z.object({
    replicas: z.number(),
    template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })).min(1) }) }),
  }),
  status: z.object({
    observedGeneration: z.number().optional(),
    replicas: z.number().optional(),
    updatedReplicas: z.number().optional(),
    readyReplicas: z.number().optional(),
  }),
});
const Pods = z.object({
  items: z.array(
    z.object({
      spec: z.object({ containers: z.array(z.object({ image: z.string() })) }),
      status: z.object({
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional(),
      }),
    }),
  ),
});
const Flag = z.object({ enabled: z.boolean() });

const EVERY_MS = 1000;

/** Follows the culprit by itself, second by second, through the sandbox's APIs and nothing of unship's. */
export function followCulprit(
  endpoints: SandboxEndpoints,
  { kind, name }: { readonly kind: "deployment" | "flag"; readonly name: string },
): Promise<CulpritRecord> {
  const { kubernetes, namespace } = endpoints;
  if (kind === "flag") return followStates(() => askFlag(endpoints, name));
  return followStates(() => deploymentState((path) => read(new URL(path, kubernetes)), namespace, name));
}

/** Asks once now, and then every second. */
export async function followStates(ask: () => Promise<CulpritState>): Promise<CulpritRecord> {
  const states: CulpritState[] = [];
  const look = async () => void states.push(await ask());
  await look();
  const stop = new AbortController();
  const following = (async () => {
    while (!stop.signal.aborted) {
      await wait(EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
      if (!stop.signal.aborted) await look().catch(() => undefined);
    }
  })();
  return {
    states,
    look,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
    },
  };
}

/** How a Deployment stands now. `get`: a path of a Kubernetes API, as JSON. */
export async function deploymentState(
  get: (path: string) => Promise<unknown>,
  namespace: string,
  name: string,
): Promise<CulpritState> {
  const at = Date.now();
  const { metadata, spec, status } = Deployment.parse(
    await get(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`),
  );
  const { items } = Pods.parse(await get(`/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${name}`));
  const runs = spec.template.spec.containers[0]?.image ?? "";
  const pods = items.filter((pod) => pod.spec.containers.some(({ image }) => image === runs));
  const ready = pods.filter(({ status: { conditions = [] } }) =>
    conditions.some((condition) => condition.type === "Ready" && condition.status === "True"),
  );
  const counts = [status.replicas, status.updatedReplicas, status.readyReplicas];
  const complete =
    status.observedGeneration === metadata.generation && counts.every((count) => count === spec.replicas);
  return { at, runs, complete, pods: pods.length, ready: ready.length };
}

async function askFlag(endpoints: SandboxEndpoints, name: string): Promise<CulpritState> {
  const { flags, flagToken, flagProject, flagEnvironment } = endpoints;
  const path = `/api/admin/projects/${flagProject}/features/${name}/environments/${flagEnvironment}`;
  const at = Date.now();
  const { enabled } = Flag.parse(await read(new URL(path, flags), { authorization: flagToken }));
  return { at, runs: enabled ? "on" : "off", complete: true, pods: 0, ready: 0 };
}

async function read(url: URL, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const answer = await fetch(url, { headers: { accept: "application/json", ...headers } });
  if (!answer.ok) throw new Error(`${url.pathname} was answered ${answer.status}`);
  return answer.json();
}
