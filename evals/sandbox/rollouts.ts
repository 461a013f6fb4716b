import { NAMESPACE } from "./shop.ts";

interface DeploymentStatus {
  readonly metadata: { readonly name: string; readonly generation?: number };
  readonly spec: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

const POLL_MS = 50;

/** Resolves when every rollout is complete. */
export async function settled(api: URL): Promise<void> {
  while ((await unfinishedRollouts(api)).length > 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/** The Deployments whose rollout is not complete, by `kubectl rollout status`'s own rules; empty: all are. */
export async function unfinishedRollouts(api: URL): Promise<readonly string[]> {
  const answer = await fetch(new URL(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`, api));
  if (!answer.ok) throw new Error(`listing Deployments was answered ${answer.status}`);
  const { items }: { readonly items: readonly DeploymentStatus[] } = JSON.parse(await answer.text());
  return items.filter((item) => !isComplete(item)).map(({ metadata }) => metadata.name);
}

function isComplete({ metadata, spec, status = {} }: DeploymentStatus): boolean {
  const wanted = spec.replicas ?? 1;
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  return (
    observedGeneration >= (metadata.generation ?? 0) &&
    updatedReplicas >= wanted &&
    replicas <= updatedReplicas &&
    availableReplicas >= updatedReplicas
  );
}
