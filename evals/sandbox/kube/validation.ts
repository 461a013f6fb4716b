import { type Cause, invalid } from "./api-error.ts";
import { isObject, type Json, type JsonObject, listAt, objectAt, sameJson, withoutEmpties } from "./json.ts";
import type { KubeObject, LabelSelector } from "./objects.ts";
import type { Resource } from "./resources.ts";
import { selects } from "./selectors.ts";

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const NAME_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const WITH_TEMPLATE = new Set(["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"]);

/** Fields of a StatefulSet's spec that may change after creation. */
const STATEFUL_SET_MUTABLE = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
];

/**
 * The rules that a mistaken manifest or patch meets first: names, containers, selectors and what may not change.
 * The real server has many more; what they would refuse is accepted here. Throws 422 with every cause.
 */
export function validate(resource: Resource, object: KubeObject, previous?: KubeObject): void {
  const causes: Cause[] = [];
  const name = object.metadata.name;
  if (!NAME.test(name)) causes.push(bad("metadata.name", JSON.stringify(name), NAME_RULE));
  for (const [field, values] of [
    ["metadata.labels", object.metadata.labels],
    ["metadata.annotations", object.metadata.annotations],
  ] as const) {
    if (Object.values(values ?? {}).some((value) => typeof value !== "string"))
      causes.push(bad(field, JSON.stringify(values), "every value must be a string"));
  }
  if (WITH_TEMPLATE.has(object.kind)) causes.push(...workloadCauses(object, previous));
  if (object.kind === "Pod") causes.push(...podCauses(objectAt(object.spec), "spec"));
  if (causes.length > 0) throw invalid(resource, name, causes);
}

const bad = (field: string, value: string, why: string): Cause => ({
  reason: "FieldValueInvalid",
  message: `Invalid value: ${value}: ${why}`,
  field,
});
const required = (field: string): Cause => ({ reason: "FieldValueRequired", message: "Required value", field });

function workloadCauses(object: KubeObject, previous: KubeObject | undefined): readonly Cause[] {
  const spec = objectAt(object.spec);
  const causes: Cause[] = [];
  const { replicas } = spec;
  if (replicas !== undefined && (typeof replicas !== "number" || !Number.isInteger(replicas) || replicas < 0))
    causes.push(bad("spec.replicas", JSON.stringify(replicas), "must be greater than or equal to 0"));
  const template = objectAt(spec.template);
  if (!isObject(spec.selector)) causes.push(required("spec.selector"));
  else {
    const selector = spec.selector as LabelSelector;
    const labels = objectAt(objectAt(template.metadata).labels);
    const strings = Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]));
    if (!selects(selector, strings))
      causes.push(
        bad("spec.template.metadata.labels", JSON.stringify(labels), "`selector` does not match template `labels`"),
      );
    if (
      previous !== undefined &&
      !sameJson(objectAt(previous.spec).selector, spec.selector) &&
      object.kind !== "StatefulSet"
    )
      causes.push(bad("spec.selector", JSON.stringify(spec.selector), "field is immutable"));
  }
  if (object.kind === "StatefulSet" && previous !== undefined && !sameFrozen(spec, objectAt(previous.spec)))
    causes.push({
      reason: "FieldValueForbidden",
      message:
        "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      field: "spec",
    });
  return [...causes, ...podCauses(objectAt(template.spec), "spec.template.spec")];
}

function sameFrozen(spec: JsonObject, previous: JsonObject): boolean {
  const frozen = (all: JsonObject): Json | undefined =>
    withoutEmpties(Object.fromEntries(Object.entries(all).filter(([key]) => !STATEFUL_SET_MUTABLE.includes(key))));
  return sameJson(frozen(spec), frozen(previous));
}

function podCauses(spec: JsonObject, at: string): readonly Cause[] {
  const containers = listAt(spec.containers);
  if (containers.length === 0) return [required(`${at}.containers`)];
  const names = containers.map((container) => objectAt(container).name);
  return containers.flatMap((container, index) => {
    const { name, image } = objectAt(container);
    const field = `${at}.containers[${index}]`;
    return [
      ...(typeof name === "string" && name !== "" ? [] : [required(`${field}.name`)]),
      ...(typeof image === "string" && image !== "" ? [] : [required(`${field}.image`)]),
      ...(typeof name === "string" && names.indexOf(name) < index
        ? [
            {
              reason: "FieldValueDuplicate",
              message: `Duplicate value: ${JSON.stringify(name)}`,
              field: `${field}.name`,
            },
          ]
        : []),
    ];
  });
}
