import type { DeploymentsSource } from "../../core/config/config.ts";
import type { SeenWorkload } from "../../core/config/derive/evidence.ts";
import type { Rollout } from "../../core/model/evidence.ts";
import { onlyReads } from "./read-only.ts";
import { secret } from "./secrets.ts";
import { actsOn, attempt, type OpenContext, type SystemParts } from "./system-parts.ts";

/** Opens what deploys: history, rollouts, readiness, and the executor that takes back where this process may act. */
export async function openDeployments(
  source: DeploymentsSource,
  context: OpenContext,
  parts: SystemParts,
): Promise<void> {
  if (source.type === "argocd_webhook") return openArgocd(source, context, parts);
  const { config, clock } = context;
  const { kubeClient } = await import("../../mcp-tools/connectors/kubernetes/client.ts");
  const { inClusterAccess, readKubeconfig } = await import("../../mcp-tools/connectors/kubernetes/kubeconfig.ts");
  const { kubernetesChanges } = await import("../../mcp-tools/connectors/kubernetes/changes.ts");
  const { kubernetesRollouts } = await import("../../mcp-tools/connectors/kubernetes/rollouts.ts");
  const { rightsText, writeRights } = await import("../../mcp-tools/connectors/kubernetes/credential.ts");
  const { kubernetesHealth } = await import("../../mcp-tools/connectors/kubernetes/health.ts");
  const { kubeconfig, context: chosen } = context.act ? (source.write ?? source) : source;
  const access = kubeconfig === null ? inClusterAccess() : readKubeconfig(kubeconfig, chosen);
  const client = kubeClient(access);
  const services = Object.entries(config.services).flatMap(([service, { namespace, workload }]) =>
    workload === null ? [] : [{ service, namespace: namespace ?? "default", ...workload }],
  );
  const options = { client, namespaces: source.namespaces, services, now: clock.now };
  const health = kubernetesHealth(options);
  parts.sources.metrics.push(health);
  const changes = kubernetesChanges(options);
  parts.sources.changes.push(changes);
  parts.sources.infrastructure.push(changes.infrastructure);
  parts.lacks.push(changes.partial);
  const rollouts = kubernetesRollouts(options);
  parts.sources.rollouts.push(rollouts);
  const { kubernetesTopology } = await import("../../mcp-tools/connectors/kubernetes/topology.ts");
  const templates = kubernetesTopology(options);
  parts.sources.topology.push(templates);
  parts.lacks.push(templates.lacks);
  parts.tells.workloads.push(async (abort) => (await rollouts.rollouts(abort)).map(seenWorkload));
  parts.tells.namespaces.push((abort) => client.namespaces(abort));
  parts.observe.push({
    name: health.name,
    of: "pods",
    what: "pods",
    look: async (now, abort) => {
      await health.observe(now, abort);
      return [];
    },
  });
  parts.report.push((abort) =>
    attempt(`kubernetes ${access.server.href}`, async () => {
      const found = await rollouts.rollouts(abort);
      const seen = `${found.length} workloads in ${source.namespaces.join(", ")}`;
      if (config.gate !== undefined) return seen;
      const acts = [config, ...Object.values(config.services)].some(
        ({ mode }) => mode === "auto" || mode === "approve",
      );
      return `${seen}; ${rightsText(await writeRights(client, source.namespaces, abort), acts)}`;
    }),
  );
  if (config.gate !== undefined) {
    parts.report.push((abort) =>
      onlyReads("kubernetes", async () => {
        const { may, untold } = await writeRights(client, source.namespaces, abort);
        return { may, untold: untold ? ["everything that was asked"] : [] };
      }),
    );
  }
  if (actsOn(context, source)) {
    const { kubectlRolloutUndo } = await import("../../mcp-tools/connectors/kubernetes/undo.ts");
    const { rolloutActs } = await import("../../mcp-tools/connectors/kubernetes/rollout-acts.ts");
    parts.executors.push(kubectlRolloutUndo({ client, now: clock.now }), ...rolloutActs({ client, now: clock.now }));
  }
  parts.close.push(() => client.close());
}

/** A rollout as the names of a file are held against it. */
export const seenWorkload = ({ service, workload, version, managedBy }: Rollout): SeenWorkload => ({
  ...workload,
  service,
  version,
  managedBy,
});

/** Opens Argo CD: what it synced, what stands, and the rollback where this process may act. */
async function openArgocd(
  source: Extract<DeploymentsSource, { readonly type: "argocd_webhook" }>,
  context: OpenContext,
  parts: SystemParts,
): Promise<void> {
  const { config, clock, environment, act } = context;
  const { connectArgocd } = await import("../../mcp-tools/connectors/argocd/argocd.ts");
  const { applicationRights } = await import("../../mcp-tools/connectors/argocd/rights.ts");
  const services = Object.entries(config.services).flatMap(([service, { argocdApplication }]) =>
    argocdApplication === null ? [] : [{ service, application: argocdApplication }],
  );
  const { token } = act ? (source.write ?? source) : source;
  const argocd = connectArgocd({
    endpoint: new URL(source.endpoint),
    token: token === null ? null : secret(token, environment),
    account: source.write?.account ?? null,
    services,
    clones: source.repositories,
    searchPath: environment.PATH,
    now: clock.now,
  });
  parts.sources.changes.push(argocd.changes);
  parts.sources.rollouts.push(argocd.rollouts);
  parts.tells.applications.push(async (abort) =>
    (await argocd.client.applications(abort)).map(({ metadata }) => metadata.name),
  );
  if (actsOn(context, source)) parts.executors.push(argocd.syncToPrevious, argocd.resumeAutoSync);
  parts.report.push((abort) =>
    attempt(`argocd ${argocd.client.endpoint}`, async () => {
      const [version, found] = await Promise.all([argocd.client.version(abort), argocd.client.applications(abort)]);
      const known = new Set(found.map(({ metadata }) => metadata.name));
      const missing = services.filter(({ application }) => !known.has(application));
      const lost = missing.map(
        ({ service, application }) => `; CAUTION: ${application} of ${service} is not among them`,
      );
      return `Argo CD ${version}, ${found.length} applications${lost.join("")}`;
    }),
  );
  if (config.gate !== undefined) {
    parts.report.push((abort) => onlyReads("argocd", () => applicationRights(argocd.client, abort)));
  }
  parts.close.push(() => argocd.close());
}
