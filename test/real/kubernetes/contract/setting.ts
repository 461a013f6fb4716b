import type { Answer, CallOptions, KubeApi } from "../../../../evals/real-kubernetes/api.ts";
import { deployment } from "../../../../evals/real-kubernetes/manifests.ts";
import type { ClusterAccess } from "../../../../mcp-tools/connectors/kubernetes/kubeconfig.ts";

/** An API server with its controllers, in whose namespace `default` nothing is yet. */
export interface ServerUnderTest extends AsyncDisposable {
  readonly api: KubeApi;
  /** Sees to it that it soon forgets how things stood at every earlier version, as it would by itself after minutes. */
  forget(): Promise<void>;
  /** An account that may read everything in `default`, as our own client is given it. */
  readonly access: ClusterAccess;
  /** Makes flow control turn that account's requests away, every one of them, or lets them in again. */
  turnAway(is: boolean): Promise<void>;
}

/** What the parts of the contract have in common: calls, and Deployments of names of their own. */
export interface Setting {
  server(): ServerUnderTest;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  must(method: string, path: string, options?: CallOptions): Promise<Answer["body"]>;
  patch(path: string, type: string, body: unknown): Promise<Answer>;
  /** A number that no other test got. */
  next(): number;
  /** A Deployment of a name of its own whose controller has caught up; returns its path. */
  made(fields?: object, metadata?: object): Promise<string>;
  settled(path: string): Promise<void>;
  deploy(path: string, image: string): Promise<void>;
}

export const APPS = "/apis/apps/v1/namespaces/default";
export const CORE = "/api/v1/namespaces/default";
export const JSON_PATCH = "application/json-patch+json";
export const MERGE = "application/merge-patch+json";
export const STRATEGIC = "application/strategic-merge-patch+json";
export const REVISION = "deployment.kubernetes.io/revision";
const POLL_MS = 100;
const PATIENCE_MS = 90_000;

export function settingOf(server: () => ServerUnderTest): Setting {
  let count = 0;
  const next = () => ++count;
  const call: Setting["call"] = (method, path, options) => server().api.call(method, path, options);
  const must: Setting["must"] = (method, path, options) => server().api.must(method, path, options);
  const settled = (path: string) =>
    eventually(async () => {
      const { status, metadata, spec } = await must("GET", path);
      return (
        status?.observedGeneration === metadata.generation &&
        status.availableReplicas === spec.replicas &&
        status.updatedReplicas === spec.replicas &&
        status.replicas === spec.replicas
      );
    });
  return {
    server,
    call,
    must,
    next,
    settled,
    patch: (path, type, body) => call("PATCH", path, { type, body }),
    async made(fields = {}, metadata = {}) {
      const app = `app-${next()}`;
      await must("POST", `${APPS}/deployments`, { body: deployment(app, "shop/web:1.0.0", fields, metadata) });
      const path = `${APPS}/deployments/${app}`;
      await settled(path);
      return path;
    },
    async deploy(path, image) {
      const container = path.split("/").at(-1);
      await must("PATCH", path, {
        type: STRATEGIC,
        body: { spec: { template: { spec: { containers: [{ name: container, image }] } } } },
      });
      await settled(path);
    },
  };
}

export async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error("it never came to be");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
