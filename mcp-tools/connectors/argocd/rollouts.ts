import type { Revision, Rollout } from "../../../core/model/evidence.ts";
import { cleanText } from "../../../core/model/untrusted-text.ts";
import type { RolloutSource } from "../../../core/ports.ts";
import { type Application, current, initiator, operationInProgress, versionOf } from "./application.ts";
import type { ArgocdClient } from "./client.ts";
import { type ServiceApplication, servicesOf } from "./services.ts";

const WORKLOADS = new Set(["Deployment", "StatefulSet", "DaemonSet", "Rollout"]);

/**
 * What Argo CD put live and what it could go back to, application by application: `revision` is the id in its history,
 * which a rollback names. Where an application deploys several services, each gets an entry. `replicas` counts
 * workloads, which Argo CD knows, and not pods, which it does not. Its health never says more than `progressing` of
 * what is not healthy: an application is degraded by any of its resources, and that is no proof of a stuck rollout.
 * `now`: Unix ms.
 *
 * @see https://argo-cd.readthedocs.io/en/stable/operator-manual/health/
 */
export function argocdRollouts(
  client: ArgocdClient,
  services: readonly ServiceApplication[],
  now: () => number,
): RolloutSource {
  return {
    name: client.source,
    async rollouts(abort) {
      const applications = await client.applications(abort);
      const at = now();
      return applications.flatMap((application) =>
        servicesOf(application, services).flatMap((service) => rolloutOf(application, service, at) ?? []),
      );
    },
  };
}

function rolloutOf(application: Application, service: string, observedAt: number): Rollout | null {
  const live = current(application);
  if (live === null) return null;
  const { name, namespace } = application.metadata;
  const workloads = application.status.resources.filter(({ kind }) => WORKLOADS.has(kind));
  const healthy = workloads.filter((one) => healthOf(one) === "Healthy").length;
  const desired = Math.max(1, workloads.length);
  const ready = workloads.length === 0 && application.status.health?.status === "Healthy" ? 1 : healthy;
  const startedAt = live.deployStartedAt ?? live.deployedAt;
  return {
    service,
    workload: { kind: "Application", namespace, name },
    version: versionOf(live),
    revision: String(live.id),
    status: statusOf(application),
    replicas: { desired, updated: desired, ready, available: ready },
    restarts: 0,
    revisions: revisionsOf(application),
    observedAt,
    ...(startedAt === null ? {} : { startedAt }),
  };
}

function statusOf(application: Application): Rollout["status"] {
  if (operationInProgress(application) !== null) return "progressing";
  switch (application.status.health?.status) {
    case "Healthy":
      return "complete";
    case "Suspended":
      return "paused";
    case "Progressing":
    case "Degraded":
    case "Missing":
      return "progressing";
    default:
      return "unknown";
  }
}

function healthOf(resource: Readonly<Record<string, unknown>>): string | null {
  const { health } = resource;
  if (typeof health !== "object" || health === null || !("status" in health)) return null;
  return typeof health.status === "string" ? health.status : null;
}

/** One for each entry of the history. A version that was synced again right after itself served on. */
function revisionsOf({ status }: Application): Revision[] {
  return status.history.map((entry, index) => {
    const next = status.history.slice(index + 1).find((later) => versionOf(later) !== versionOf(entry));
    const from = entry.deployedAt;
    const to = next?.deployStartedAt ?? next?.deployedAt ?? null;
    return {
      revision: String(entry.id),
      version: versionOf(entry),
      createdAt: entry.deployedAt ?? 0,
      current: index === status.history.length - 1,
      reason: cleanText(`synced by ${initiator(entry.initiatedBy)}`),
      ...(from === null || to === null ? {} : { servedMs: Math.max(0, to - from) }),
    };
  });
}
