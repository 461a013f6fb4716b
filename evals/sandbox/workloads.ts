import { imageReference } from "./images.ts";
import { CURRENT_VERSION, canaryName, GOOD_VERSIONS, MEMORY_LIMIT_MIB, NAMESPACE } from "./shop.ts";

export const REPLICAS = 2;

/** A stuck rollout is called stuck after this; Kubernetes' default of 600 s is longer than anyone watches a sandbox. */
const PROGRESS_DEADLINE_SECONDS = 15;
const GRACE_SECONDS = 5;

/** The word on a canary's pods that tells them from the stable version's. */
const CANARY_TRACK = { track: "canary" };

/** The canary's Deployment: pods that the service's selector picks too, under a name and a selector of its own. */
export function canaryDeployment(service: string, version: string, commit: string, replicas: number) {
  return deployment(service, version, commit, replicas, canaryName(service), { app: service, ...CANARY_TRACK });
}

/** A service's Deployment, as a chart would render it. `replicas` 0 makes a revision without starting a process. */
export function deployment(
  service: string,
  version: string,
  commit: string,
  replicas: number,
  name = service,
  labels: Readonly<Record<string, string>> = { app: service },
) {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name,
      namespace: NAMESPACE,
      labels,
      annotations: {
        "kubernetes.io/change-cause": `release train deployed ${name} ${version} (${commit.slice(0, 7)})`,
      },
    },
    spec: {
      replicas,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: PROGRESS_DEADLINE_SECONDS,
      selector: { matchLabels: labels },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels, annotations: { "org.opencontainers.image.revision": commit } },
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
 * What was deployed before anybody looked, oldest first: every good version of every service (and canary), a week apart, the last
 * one two days ago; only that one with pods.
 */
export function deploymentHistory(
  services: readonly string[],
  commitOf: (service: string, version: string) => string,
  canaries: readonly string[] = [],
): readonly PastDeployment[] {
  return GOOD_VERSIONS.flatMap((version, train) => {
    const agoMs = (place: number) => (2 + 7 * (GOOD_VERSIONS.length - 1 - train)) * DAY_MS - place * BETWEEN_MS;
    const replicas = (wanted: number) => (version === CURRENT_VERSION ? wanted : 0);
    const stable = services.map((service, place) => ({
      agoMs: agoMs(place),
      object: deployment(service, version, commitOf(service, version), replicas(REPLICAS)),
    }));
    const beside = canaries.map((service, place) => ({
      agoMs: agoMs(services.length + place),
      object: canaryDeployment(service, version, commitOf(service, version), replicas(1)),
    }));
    return [...stable, ...beside];
  });
}
