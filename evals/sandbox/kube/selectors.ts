import { badRequest } from "./api-error.ts";
import { isObject, type Json } from "./json.ts";
import type { KubeObject, LabelSelector, Labels } from "./objects.ts";

export type Matcher = (object: KubeObject) => boolean;

/** Whether a workload's selector picks these labels. @see kubernetes.io/docs/concepts/overview/working-with-objects/labels */
export function selects(selector: LabelSelector, labels: Labels | undefined): boolean {
  const own = labels ?? {};
  const exact = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => own[key] === value);
  return (
    exact &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = own[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      if (operator === "In") return value !== undefined && values.includes(value);
      return value === undefined || !values.includes(value);
    })
  );
}

const TERM =
  /^\s*(?:(?<key>[\w./-]+)\s+(?<set>in|notin)\s*\((?<values>[^)]*)\)|(?<left>[\w./-]+)\s*(?<operator>==|=|!=)\s*(?<right>[\w./-]*)|(?<absent>!)?\s*(?<exists>[\w./-]+))\s*$/;

/** Reads `labelSelector`: `=`, `==`, `!=`, `in`, `notin`, `key`, `!key`, joined by commas. Throws 400 on anything else. */
export function parseLabelSelector(text: string): Matcher {
  const tests = splitTerms(text).map((term) => {
    const found = TERM.exec(term)?.groups;
    if (found === undefined) throw badRequest(`unable to parse requirement: ${JSON.stringify(term)}`);
    const { key = found.left ?? found.exists ?? "", set, values = "", operator, right = "", absent } = found;
    const wanted = values.split(",").map((value) => value.trim());
    return (labels: Labels) => {
      const value = labels[key];
      if (set === "in") return value !== undefined && wanted.includes(value);
      if (set === "notin") return value === undefined || !wanted.includes(value);
      if (operator === "!=") return value !== right;
      if (operator !== undefined) return value === right;
      return (value === undefined) === (absent === "!");
    };
  });
  return ({ metadata }) => tests.every((test) => test(metadata.labels ?? {}));
}

function splitTerms(text: string): readonly string[] {
  return text.split(/,(?![^(]*\))/).filter((term) => term.trim() !== "");
}

const FIELDS = /^(metadata\.(name|namespace)|involvedObject\.\w+|reason|type|status\.phase|spec\.nodeName)$/;

/** Reads `fieldSelector`: `metadata.name`, `metadata.namespace`, `involvedObject.*` and the few that pods and events have. */
export function parseFieldSelector(text: string): Matcher {
  const tests = text
    .split(",")
    .filter((term) => term.trim() !== "")
    .map((term) => {
      const [, path = "", operator = "", value = ""] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term.trim()) ?? [];
      if (!FIELDS.test(path)) throw badRequest(`field label not supported: ${path === "" ? term : path}`);
      return (object: KubeObject) => (fieldText(object, path) === value) === (operator !== "!=");
    });
  return (object) => tests.every((test) => test(object));
}

function fieldText(object: KubeObject, path: string): string {
  const found = path
    .split(".")
    .reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), object);
  return typeof found === "string" ? found : "";
}
