import { quantity } from "../pod-capacity.ts";
import { FIELD_MANAGER } from "./client.ts";
import { fluxLeftAlone } from "./gitops.ts";
import type { HistoryEntry } from "./history.ts";
import type { Meta, PodTemplate } from "./objects.ts";
import { versionOf } from "./template.ts";

/** Who else writes the pod template of an object, and so may bring back what is taken back: one sentence each. */
export function returnsOf(meta: Meta, applied: PodTemplate | null, entry: HistoryEntry | null): readonly string[] {
  const flux = fluxLeftAlone(meta);
  const release = meta.annotations[HELM_RELEASE];
  const others = applied === null || entry === null ? [] : overwritten(applied, entry.template);
  return [
    ...(others.length > 0 && applied !== null ? [byApply(applied, entry, others)] : []),
    ...serverSide(meta).map(
      (manager) =>
        `${manager} applies its template server-side: the next apply of that manifest brings back what it names there.`,
    ),
    ...(release === undefined
      ? []
      : [
          `Helm release ${release} still holds what it deployed last: the next helm upgrade brings that back, unless chart or values change.`,
        ]),
    ...(flux === null
      ? []
      : [
          `${flux} leaves it alone for now (reconcile: disabled): switched on again it brings back what Git asks for. Revert the commit there.`,
        ]),
  ];
}

/** @see https://helm.sh/docs/faq/changes_since_helm2/ (adopting resources) */
const HELM_RELEASE = "meta.helm.sh/release-name";

function byApply(applied: PodTemplate, entry: HistoryEntry | null, paths: readonly string[]): string {
  const version = versionOf(applied);
  const what =
    version === entry?.version
      ? `still sets ${paths.slice(0, MOST_NAMED).join(", ")}${paths.length > MOST_NAMED ? ", …" : ""} otherwise`
      : `still names ${version}`;
  return `kubectl.kubernetes.io/last-applied-configuration ${what}: the next kubectl apply of that manifest brings it back`;
}

const MOST_NAMED = 3;

/** Managers that own a part of the template by apply. @see https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
function serverSide({ managedFields }: Meta): readonly string[] {
  const appliers = managedFields.filter(
    ({ manager, operation, subresource, fieldsV1 }) =>
      operation === "Apply" &&
      subresource === undefined &&
      manager !== FIELD_MANAGER &&
      JSON.stringify(fieldsV1 ?? {}).includes('"f:template":'),
  );
  return [...new Set(appliers.map(({ manager }) => manager))];
}

/**
 * What an apply of one template would change of another: paths of values that the first sets and the second has not so.
 * What the first does not set stays, as in kubectl's three-way merge, and so do the defaults that the API server fills in.
 *
 * @see https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-apply-calculates-differences-and-merges-changes
 */
export function overwritten(applied: PodTemplate, stands: PodTemplate): readonly string[] {
  const there = new Map(leavesOf(stands));
  return leavesOf(applied).flatMap(([path, value]) => (isSame(value, there.get(path)) ? [] : [path]));
}

type Leaf = readonly [path: string, value: string];

/** Every value that says something, by its path; members of a list by their name, lists without names as a whole. */
function leavesOf(value: unknown, path = ""): readonly Leaf[] {
  if (value === null || value === undefined || value === "") return [];
  const at = (key: string) => (path === "" ? key : `${path}.${key}`);
  if (Array.isArray(value)) {
    if (value.every(isNamed)) return value.flatMap((one) => leavesOf(one, `${path}[${one.name}]`));
    if (value.every((one) => typeof one === "object"))
      return value.flatMap((one, index) => leavesOf(one, `${path}[${index}]`));
    return [[path, JSON.stringify(value)]];
  }
  if (typeof value === "object") return Object.entries(value).flatMap(([key, one]) => leavesOf(one, at(key)));
  return [[path, String(value)]];
}

const isNamed = (value: unknown): value is { readonly name: string } =>
  typeof value === "object" && value !== null && "name" in value && typeof value.name === "string";

/** The API server writes a quantity in a form of its own: "1000m" comes back as "1". */
function isSame(applied: string, stands: string | undefined): boolean {
  if (stands === undefined || applied === stands) return applied === stands;
  return quantity(applied) === quantity(stands);
}
