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
export async function followCulprit(
  endpoints: SandboxEndpoints,
  culprit: { readonly kind: "deployment" | "flag"; readonly name: string },
): Promise<CulpritRecord> {
  const states: CulpritState[] = [];
  const ask = culprit.kind === "flag" ? askFlag : askDeployment;
  const look = async () => void states.push(await ask(endpoints, culprit.name));
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

async function askDeployment({ kubernetes, namespace }: SandboxEndpoints, name: string): Promise<CulpritState> {
  const at = Date.now();
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
  const { metadata, spec, status } = await read(new URL(path, kubernetes), Deployment);
  const selector = `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${name}`;
  const { items } = await read(new URL(selector, kubernetes), Pods);
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
  const { enabled } = await read(new URL(path, flags), Flag, { authorization: flagToken });
  return { at, runs: enabled ? "on" : "off", complete: true, pods: 0, ready: 0 };
}

async function read<T extends z.ZodType>(
  url: URL,
  schema: T,
  headers: Readonly<Record<string, string>> = {},
): Promise<z.output<T>> {
  const answer = await fetch(url, { headers: { accept: "application/json", ...headers } });
  if (!answer.ok) throw new Error(`${url.pathname} was answered ${answer.status}`);
  return schema.parse(await answer.json());
}
