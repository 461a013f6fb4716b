import type { DeploymentsSource } from "../../core/config/config.ts";
import { attempt, type OpenContext, type SystemParts } from "./system-parts.ts";

/** Opens what deploys: history, rollouts, readiness, and the undo executor where this process may act. */
export async function openDeployments(
  source: DeploymentsSource,
  { config, clock, act }: OpenContext,
  parts: SystemParts,
): Promise<void> {
  if (source.type !== "kubernetes") return;
  const { kubeClient } = await import("../../mcp-tools/connectors/kubernetes/client.ts");
  const { inClusterAccess, readKubeconfig } = await import("../../mcp-tools/connectors/kubernetes/kubeconfig.ts");
  const { kubernetesChanges } = await import("../../mcp-tools/connectors/kubernetes/changes.ts");
  const { kubernetesRollouts } = await import("../../mcp-tools/connectors/kubernetes/rollouts.ts");
  const { kubernetesHealth } = await import("../../mcp-tools/connectors/kubernetes/health.ts");
  const access = source.kubeconfig === null ? inClusterAccess() : readKubeconfig(source.kubeconfig, source.context);
  const client = kubeClient(access);
  const services = Object.entries(config.services).flatMap(([service, { namespace, workload }]) =>
    workload === null ? [] : [{ service, namespace: namespace ?? "default", ...workload }],
  );
  const options = { client, namespaces: source.namespaces, services, now: clock.now };
  const health = kubernetesHealth(options);
  parts.sources.metrics.push(health);
  const changes = kubernetesChanges(options);
  parts.sources.changes.push(changes);
  parts.lacks.push(changes.partial);
  const rollouts = kubernetesRollouts(options);
  parts.sources.rollouts.push(rollouts);
  parts.observe.push({
    name: health.name,
    what: "pods",
    look: async (now, abort) => {
      await health.observe(now, abort);
      return [];
    },
  });
  parts.report.push((abort) =>
    attempt(`kubernetes ${access.server.href}`, async () => {
      const found = await rollouts.rollouts(abort);
      return `${found.length} workloads in ${source.namespaces.join(", ")}`;
    }),
  );
  if (act) {
    const { kubectlRolloutUndo } = await import("../../mcp-tools/connectors/kubernetes/undo.ts");
    parts.executors.push(kubectlRolloutUndo({ client, now: clock.now }));
  }
  parts.close.push(() => client.close());
}
