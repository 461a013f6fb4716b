import type { Json, JsonObject } from "../json.ts";
import type { KubeObject, Plural } from "../objects.ts";
import { COLUMNS } from "./columns.ts";

export type IncludeObject = "None" | "Metadata" | "Object";

/**
 * Objects as the Table that `kubectl get` prints.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export function tableOf(
  plural: Plural,
  objects: readonly KubeObject[],
  options: {
    readonly include: IncludeObject;
    readonly now: number;
    readonly version?: string;
    readonly headless?: boolean;
  },
): JsonObject {
  const { columns, cells } = COLUMNS[plural];
  const only = objects.length === 1 ? objects[0]?.metadata.resourceVersion : undefined;
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion: options.version ?? only ?? "" },
    columnDefinitions: options.headless === true ? null : columns.map((column): Json => ({ ...column })),
    rows: objects.map((object) => ({
      cells: cells(object, options.now),
      object: included(object, options.include),
    })),
  };
}

function included(object: KubeObject, include: IncludeObject): Json {
  if (include === "None") return null;
  if (include === "Object") return object;
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}
