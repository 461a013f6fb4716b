import { imageReference } from "./images.ts";
import { CURRENT_VERSION, GOOD_VERSIONS, MEMORY_LIMIT_MIB, NAMESPACE } from "./shop.ts";

export const REPLICAS = 2;

/** A stuck rollout is called stuck after this; Kubernetes' default of 600 s is longer than anyone watches a sandbox. */
const PROGRESS_DEADLINE_SECONDS = 15;
const GRACE_SECONDS = 5;

/** A service's Deployment, as a chart would render it. `replicas` 0 makes a revision without starting a process. */
export function deployment(service: string, version: string, commit: string, replicas: number) {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: service,
      namespace: NAMESPACE,
      labels: { app: service },
      annotations: {
        "kubernetes.io/change-cause": `release train deployed ${service} ${version} (${commit.slice(0, 7)})`,
      },
    },
    spec: {
      replicas,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: PROGRESS_DEADLINE_SECONDS,
      selector: { matchLabels: { app: service } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: { app: service }, annotations: { "org.opencontainers.image.revision": commit } },
        spec: {
          terminationGracePeriodSeconds: GRACE_SECONDS,
          containers: [
            {
              name: service,
              image: imageReference(service, version),
              ports: [{ name: "http", containerPort: 8080 }],
              readinessProbe: { httpGet: { path: "/readyz", port: "http" }, periodSeconds: 1 },
              resources: { limits: { memory: `${MEMORY_LIMIT_MIB}Mi` } },
            },
          ],
        },
      },
    },
  };
}

/** One deployment in the shop's past: how long ago (ms), and the object that was applied. */
export interface PastDeployment {
  readonly agoMs: number;
  readonly object: ReturnType<typeof deployment>;
}

const DAY_MS = 86_400_000;
/** Releases of one train follow one another at this distance. */
const BETWEEN_MS = 20 * 60_000;

/**
 * What was deployed before anybody looked, oldest first: every good version of every service, a week apart, the last
 * one two days ago; only that one with pods.
 */
export function deploymentHistory(
  services: readonly string[],
  commitOf: (service: string, version: string) => string,
): readonly PastDeployment[] {
  return GOOD_VERSIONS.flatMap((version, train) =>
    services.map((service, place) => ({
      agoMs: (2 + 7 * (GOOD_VERSIONS.length - 1 - train)) * DAY_MS - place * BETWEEN_MS,
      object: deployment(service, version, commitOf(service, version), version === CURRENT_VERSION ? REPLICAS : 0),
    })),
  );
}
