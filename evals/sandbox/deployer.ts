import type { FlagServer } from "./flags/server.ts";
import { type ImageRegistry, imageReference } from "./images.ts";
import { FLAG, NAMESPACE } from "./shop.ts";

/** A write that the sandbox's own people made, as it went over the wire. */
export interface OwnWrite {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

export interface Deployer {
  /** Sets the image of a service's Deployment (`workload`: of another that serves it) to `tag`; returns when the API has taken it (Unix ms), not when it is rolled out. */
  deploy(service: string, tag: string, author: string, workload?: string): Promise<number>;
  readonly sent: readonly OwnWrite[];
}

/**
 * Ships versions as a delivery pipeline does: one strategic merge patch that sets the image, says why in
 * `kubernetes.io/change-cause`, and signs with the author as field manager.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#checking-rollout-history-of-a-deployment
 */
export function createDeployer(api: URL, registry: ImageRegistry): Deployer {
  const sent: OwnWrite[] = [];
  return {
    sent,
    async deploy(service, tag, author, workload = service) {
      const image = imageReference(service, tag);
      const commit = registry.pull(image)?.commit;
      if (commit === undefined) throw new Error(`image "${image}" was never pushed`);
      const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${workload}?fieldManager=${encodeURIComponent(author)}`;
      const body = JSON.stringify({
        metadata: {
          annotations: {
            "kubernetes.io/change-cause": `${author} deployed ${workload} ${tag} (${commit.slice(0, 7)})`,
          },
        },
        spec: {
          template: {
            metadata: { annotations: { "org.opencontainers.image.revision": commit } },
            spec: { containers: [{ name: service, image }] },
          },
        },
      });
      const at = Date.now();
      sent.push({ method: "PATCH", path, body });
      const headers = { "content-type": "application/strategic-merge-patch+json", accept: "application/json" };
      const answer = await fetch(new URL(path, api), { method: "PATCH", headers, body });
      if (!answer.ok) throw new Error(`deploying ${image} was answered ${answer.status}: ${await answer.text()}`);
      await answer.body?.cancel();
      return at;
    },
  };
}

/** Switches a flag through the flag API with a token of the author's own; returns when it is done (Unix ms at start). */
export async function switchFlag(
  server: FlagServer,
  { flag, enabled, author }: { readonly flag: string; readonly enabled: boolean; readonly author: string },
): Promise<number> {
  const secret = `*:*.${author}`;
  server.issue({ secret, kind: "admin", name: author });
  const feature = `/api/admin/projects/${FLAG.project}/features/${encodeURIComponent(flag)}`;
  const path = `${feature}/environments/${FLAG.environment}/${enabled ? "on" : "off"}`;
  const at = Date.now();
  const answer = await fetch(new URL(path, server.url), { method: "POST", headers: { authorization: secret } });
  if (!answer.ok) throw new Error(`switching flag "${flag}" was answered ${answer.status}: ${await answer.text()}`);
  await answer.body?.cancel();
  return at;
}
