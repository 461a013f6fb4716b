import { randomUUID } from "node:crypto";
import { objectAt } from "../json.ts";
import { type KubeObject, namespaceOf } from "../objects.ts";
import { type Registry, toTimestamp } from "../registry.ts";

export interface EventRecorder {
  /** Notes what happened to an object; the same again within an hour only counts up. */
  record(about: KubeObject, type: "Normal" | "Warning", reason: string, message: string): void;
}

/** How long the API server keeps an event (`--event-ttl`). */
const EVENT_TTL_MS = 3_600_000;

/** @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export function createEventRecorder(registry: Registry, component: string, host?: string): EventRecorder {
  // The real name ends in the time in ns, so that a list in the order of names is one in the order of time. Here the
  // digits below the millisecond are the store's version, which no two events share.
  const serial = () =>
    (BigInt(Math.trunc(registry.now())) * 1_000_000n + BigInt(registry.store.version())).toString(16);
  const source = host === undefined ? { component } : { component, host };
  return {
    record(about, type, reason, message) {
      const namespace = namespaceOf(about) || "default";
      const time = toTimestamp(registry.now());
      forgetOld(registry, namespace);
      const same = registry
        .list("events", namespace)
        .find(
          (event) =>
            objectAt(event.involvedObject).uid === about.metadata.uid &&
            event.reason === reason &&
            event.message === message,
        );
      if (same !== undefined) {
        const count = typeof same.count === "number" ? same.count + 1 : 2;
        registry.store.put("events", { ...same, count, lastTimestamp: time });
        return;
      }
      const { name, uid, resourceVersion } = about.metadata;
      registry.store.put("events", {
        apiVersion: "v1",
        kind: "Event",
        metadata: {
          name: `${name}.${serial()}`,
          namespace,
          uid: randomUUID(),
          creationTimestamp: time,
        },
        involvedObject: {
          apiVersion: about.apiVersion,
          kind: about.kind,
          name,
          namespace,
          uid,
          resourceVersion,
        },
        reason,
        message,
        source,
        firstTimestamp: time,
        lastTimestamp: time,
        count: 1,
        type,
        eventTime: null,
        reportingComponent: component,
        reportingInstance: host ?? "",
      });
    },
  };
}

function forgetOld(registry: Registry, namespace: string): void {
  for (const event of registry.list("events", namespace)) {
    const { lastTimestamp } = event;
    if (typeof lastTimestamp === "string" && Date.parse(lastTimestamp) + EVENT_TTL_MS < registry.now())
      registry.store.drop("events", event);
  }
}
