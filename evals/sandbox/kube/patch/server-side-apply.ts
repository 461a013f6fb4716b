import { ApiError } from "../api-error.ts";
import { isObject, type Json, type JsonObject, sameJson } from "../json.ts";
import { leavesOf, pathsIn, STEP } from "../managed-fields.ts";
import type { KubeObject } from "../objects.ts";
import type { Resource } from "../resources.ts";
import { patchSchemaOf } from "./patch-schema.ts";
import { applyStrategicMerge } from "./strategic-merge.ts";

export interface Applied {
  readonly object: KubeObject;
  /** The fields that the manager owns from now on, as its managed fields name them. */
  readonly fields: readonly string[];
}

/**
 * Server-side apply of a whole configuration over what is stored: what it names is set, what its manager named before and
 * nobody else owns is taken away, the rest stays. Throws 409 where it names a field otherwise than another manager that
 * owns it, unless it is forced.
 *
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function applyConfiguration(
  resource: Resource,
  stored: KubeObject,
  configuration: KubeObject,
  { manager, force }: { readonly manager: string; readonly force: boolean },
): Applied {
  const wanted = leavesOf(configuration);
  const present = leavesOf(stored);
  const entries = stored.metadata.managedFields ?? [];
  const isMine = (entry: (typeof entries)[number]) => entry.manager === manager && entry.operation === "Apply";
  const others = entries.filter((entry) => !isMine(entry));
  const conflicts = others.flatMap((entry) =>
    pathsIn(entry.fieldsV1)
      .filter((path) => wanted.has(path) && !sameJson(present.get(path), wanted.get(path)))
      .map((path) => ({ manager: entry.manager, field: fieldOf(path) })),
  );
  if (conflicts.length > 0 && !force) throw applyConflict(resource, stored.metadata.name, conflicts);
  const owned = new Set(others.flatMap(({ fieldsV1 }) => pathsIn(fieldsV1)));
  const left = entries
    .filter(isMine)
    .flatMap(({ fieldsV1 }) => pathsIn(fieldsV1))
    .filter((path) => !wanted.has(path) && !owned.has(path));
  const merged: Json = applyStrategicMerge(stored, configuration, patchSchemaOf(stored.kind));
  const object = left.reduce<Json>((rest, path) => without(rest, path.split(STEP)), merged) as unknown as KubeObject;
  return { object, fields: [...wanted.keys()] };
}

/** The value without what the steps of a managed field lead to. */
function without(value: Json, [step = "", ...rest]: readonly string[]): Json {
  if (Array.isArray(value)) {
    const key = JSON.parse(step.slice("k:".length)) as JsonObject;
    const at = value.findIndex(
      (item) => isObject(item) && Object.entries(key).every(([field, wanted]) => sameJson(item[field], wanted)),
    );
    if (at < 0) return value;
    return rest.length === 0 ? value.toSpliced(at, 1) : value.with(at, without(value[at] ?? null, rest));
  }
  if (!isObject(value)) return value;
  const field = step.slice("f:".length);
  const { [field]: inner, ...kept } = value;
  return rest.length === 0 || inner === undefined ? kept : { ...value, [field]: without(inner, rest) };
}

/** ".spec.replicas", as the API names it. */
const fieldOf = (path: string): string =>
  path
    .split(STEP)
    .map((step) => (step.startsWith("f:") ? `.${step.slice("f:".length)}` : `[${keyText(step.slice("k:".length))}]`))
    .join("");

const keyText = (key: string): string =>
  Object.entries(JSON.parse(key) as JsonObject)
    .map(([field, value]) => `${field}=${JSON.stringify(value)}`)
    .join(",");

function applyConflict(
  { group, plural }: Resource,
  name: string,
  conflicts: readonly { readonly manager: string; readonly field: string }[],
): ApiError {
  const causes = conflicts.map(({ manager, field }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${JSON.stringify(manager)}`,
    field,
  }));
  const told = conflicts.map(({ manager, field }) => `${JSON.stringify(manager)}: ${field}`).join(", ");
  const plurals = conflicts.length === 1 ? "conflict" : "conflicts";
  return new ApiError(409, "Conflict", `Apply failed with ${conflicts.length} ${plurals}: conflict with ${told}`, {
    name,
    ...(group === "" ? {} : { group }),
    kind: plural,
    causes,
  });
}
