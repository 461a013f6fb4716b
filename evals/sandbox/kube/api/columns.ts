import { type Json, listAt, objectAt } from "../json.ts";
import {
  type ControllerRevision,
  controllerOf,
  type DaemonSet,
  type Deployment,
  type KubeObject,
  type LabelSelector,
  type Plural,
  type Pod,
  type PodTemplate,
  type ReplicaSet,
  type StatefulSet,
} from "../objects.ts";
import { eventCells } from "./event-cells.ts";
import { humanDuration } from "./human-duration.ts";
import { podCells } from "./pod-cells.ts";

export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly format: "" | "name";
  readonly description: string;
  /** 1 for what only `-o wide` shows. */
  readonly priority: 0 | 1;
}

export interface Columns {
  readonly columns: readonly Column[];
  readonly cells: (object: KubeObject, nowMs: number) => readonly Json[];
}

const column = (name: string, priority: 0 | 1 = 0, type: Column["type"] = "string"): Column => ({
  name,
  type,
  format: name === "Name" ? "name" : "",
  description: `${name} as kubectl prints it.`,
  priority,
});
const columns = (narrow: readonly string[], wide: readonly string[] = []): readonly Column[] => [
  ...narrow.map((name) => column(name, 0, INTEGERS.has(name) ? "integer" : "string")),
  ...wide.map((name) => column(name, 1)),
];
const INTEGERS = new Set(["Desired", "Current", "Up-to-date", "Available", "Revision", "Data"]);

/** Since when, as kubectl prints it; "<unknown>" without a time. */
export function age(timestamp: string | null | undefined, nowMs: number): string {
  return timestamp == null ? "<unknown>" : humanDuration(nowMs - Date.parse(timestamp));
}

const templateCells = ({ spec }: PodTemplate): readonly [string, string] => [
  spec.containers.map(({ name }) => name).join(","),
  spec.containers.map(({ image }) => image).join(","),
];

/** A selector as text, `app=web,tier in (a,b)`. */
export function selectorText(selector: LabelSelector | undefined): string {
  const exact = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const others = (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === "Exists") return key;
    if (operator === "DoesNotExist") return `!${key}`;
    return `${key} ${operator === "In" ? "in" : "notin"} (${[...values].sort().join(",")})`;
  });
  return [...exact.sort(), ...others.sort()].join(",") || "<none>";
}

/**
 * The columns of `kubectl get` by resource, those of `-o wide` last.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.32.0/pkg/printers/internalversion/printers.go
 */
export const COLUMNS: { readonly [P in Plural]: Columns } = {
  pods: {
    columns: columns(
      ["Name", "Ready", "Status", "Restarts", "Age"],
      ["IP", "Node", "Nominated Node", "Readiness Gates"],
    ),
    cells: (object, now) => podCells(object as Pod, now),
  },
  deployments: {
    columns: columns(["Name", "Ready", "Up-to-date", "Available", "Age"], ["Containers", "Images", "Selector"]),
    cells(object, now) {
      const { metadata, spec, status } = object as Deployment;
      return [
        metadata.name,
        `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
        status?.updatedReplicas ?? 0,
        status?.availableReplicas ?? 0,
        age(metadata.creationTimestamp, now),
        ...templateCells(spec.template),
        selectorText(spec.selector),
      ];
    },
  },
  replicasets: {
    columns: columns(["Name", "Desired", "Current", "Ready", "Age"], ["Containers", "Images", "Selector"]),
    cells(object, now) {
      const { metadata, spec, status } = object as ReplicaSet;
      return [
        metadata.name,
        spec.replicas ?? 0,
        status?.replicas ?? 0,
        status?.readyReplicas ?? 0,
        age(metadata.creationTimestamp, now),
        ...templateCells(spec.template),
        selectorText(spec.selector),
      ];
    },
  },
  statefulsets: {
    columns: columns(["Name", "Ready", "Age"], ["Containers", "Images"]),
    cells(object, now) {
      const { metadata, spec, status } = object as StatefulSet;
      const ready = `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`;
      return [metadata.name, ready, age(metadata.creationTimestamp, now), ...templateCells(spec.template)];
    },
  },
  daemonsets: {
    columns: columns(
      ["Name", "Desired", "Current", "Ready", "Up-to-date", "Available", "Node Selector", "Age"],
      ["Containers", "Images", "Selector"],
    ),
    cells(object, now) {
      const { metadata, spec, status } = object as DaemonSet;
      const counts = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
      ];
      return [
        metadata.name,
        ...counts.map((field) => status?.[field] ?? 0),
        selectorText({ matchLabels: spec.template.spec.nodeSelector ?? {} }),
        age(metadata.creationTimestamp, now),
        ...templateCells(spec.template),
        selectorText(spec.selector),
      ];
    },
  },
  configmaps: {
    columns: columns(["Name", "Data", "Age"]),
    cells: ({ metadata, data, binaryData }, now) => [
      metadata.name,
      Object.keys(objectAt(data)).length + Object.keys(objectAt(binaryData)).length,
      age(metadata.creationTimestamp, now),
    ],
  },
  controllerrevisions: {
    columns: columns(["Name", "Controller", "Revision", "Age"]),
    cells(object, now) {
      const { metadata, revision } = object as ControllerRevision;
      const owner = controllerOf(object);
      const group = owner?.apiVersion.includes("/") === true ? `.${owner.apiVersion.split("/")[0]}` : "";
      const name = owner === undefined ? "<none>" : `${owner.kind.toLowerCase()}${group}/${owner.name}`;
      return [metadata.name, name, revision, age(metadata.creationTimestamp, now)];
    },
  },
  events: {
    columns: columns(["Last Seen", "Type", "Reason", "Object"], ["Subobject", "Source"]).flatMap((one) =>
      one.name === "Source"
        ? [column("Source", 1), column("Message"), column("First Seen", 1), column("Count", 1), column("Name", 1)]
        : [one],
    ),
    cells: eventCells,
  },
  services: {
    columns: columns(["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"], ["Selector"]),
    cells({ metadata, spec }, now) {
      const ports = listAt(spec?.ports).map((port) => {
        const { port: number, nodePort, protocol } = objectAt(port);
        return `${number}${nodePort === undefined ? "" : `:${nodePort}`}/${protocol}`;
      });
      const selector = Object.entries(objectAt(spec?.selector)).map(([key, value]) => `${key}=${value}`);
      return [
        metadata.name,
        spec?.type ?? "ClusterIP",
        spec?.clusterIP ?? "<none>",
        "<none>",
        ports.join(",") || "<none>",
        age(metadata.creationTimestamp, now),
        selector.join(",") || "<none>",
      ];
    },
  },
  namespaces: {
    columns: columns(["Name", "Status", "Age"]),
    cells: ({ metadata, status }, now) => [metadata.name, status?.phase ?? "", age(metadata.creationTimestamp, now)],
  },
  nodes: {
    columns: columns(
      ["Name", "Status", "Roles", "Age", "Version"],
      ["Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime"],
    ),
    cells({ metadata, status }, now) {
      const info = objectAt(status?.nodeInfo);
      return [
        metadata.name,
        "Ready",
        "<none>",
        age(metadata.creationTimestamp, now),
        info.kubeletVersion ?? "",
        "127.0.0.1",
        "<none>",
        info.osImage ?? "",
        info.kernelVersion ?? "<unknown>",
        info.containerRuntimeVersion ?? "",
      ];
    },
  },
};
