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

/** What was deployed over time, oldest first: every good version in turn, and only the last one with pods. */
export function deploymentHistory(service: string, commitOf: (version: string) => string) {
  return GOOD_VERSIONS.map((version) =>
    deployment(service, version, commitOf(version), version === CURRENT_VERSION ? REPLICAS : 0),
  );
}
