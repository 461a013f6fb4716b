import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
}
interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema?: Schema }[];
  readonly responses: { readonly "200": { readonly schema: Schema } };
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly definitions: Readonly<Record<string, Schema>>;
}

/** Argo CD's own description of its API (see the file's title): what both sides of the fake are held to. */
const description = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures/argocd-api.json"), "utf8"),
) as Description;

/** Where a request and its answer are not as Argo CD describes them; empty: they are. */
export function breachesOf(
  method: string,
  url: URL,
  body: unknown,
  status: number,
  answer: unknown,
): readonly string[] {
  const call = `${method} ${url.pathname}`;
  const operation = operationOf(method, url.pathname);
  if (operation === undefined) return [`${call} is no operation of Argo CD's`];
  const parameters = new Set(operation.parameters.filter((one) => one.in === "query").map(({ name }) => name));
  const unknown = [...url.searchParams.keys()].filter((key) => !parameters.has(key));
  const wanted = operation.parameters.find((one) => one.in === "body")?.schema;
  return [
    ...unknown.map((key) => `${call} has no query parameter ${key}`),
    ...(wanted === undefined ? [] : mismatches(body, wanted, `${call} body`)),
    ...(status === 200
      ? mismatches(answer, operation.responses["200"].schema, `${call} answer`)
      : mismatches(answer, { $ref: "#/definitions/runtimeError" }, `${call} ${status}`)),
  ];
}

function operationOf(method: string, pathname: string): Operation | undefined {
  for (const [template, operations] of Object.entries(description.paths)) {
    // The last name of can-i spans segments: "{subresource=**}" in account.proto.
    const names = template.replaceAll(/\{subresource\}/g, ".+").replaceAll(/\{[\w.]+\}/g, "[^/]+");
    const operation = operations[method.toLowerCase()];
    if (operation !== undefined && new RegExp(`^${names}$`).test(pathname)) return operation;
  }
  return undefined;
}

function mismatches(value: unknown, schema: Schema, at: string): readonly string[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace("#/definitions/", "");
    const definition = description.definitions[name];
    // Times and the like are objects in the description and text on the wire.
    if (name === "v1Time") return typeof value === "string" ? [] : [`${at} is no time`];
    return definition === undefined ? [`${at}: ${name} is not described`] : mismatches(value, definition, at);
  }
  switch (schema.type) {
    case "array":
      if (!Array.isArray(value)) return [`${at} is no array`];
      return value.flatMap((one, index) => mismatches(one, schema.items ?? {}, `${at}[${index}]`));
    case "object": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at} is no object`];
      return Object.entries(value).flatMap(([key, inner]) => {
        const property = schema.properties?.[key] ?? schema.additionalProperties;
        if (property === undefined) return schema.properties === undefined ? [] : [`${at}.${key} is not described`];
        return mismatches(inner, property, `${at}.${key}`);
      });
    }
    case "integer":
      return Number.isInteger(value) ? [] : [`${at} is no integer`];
    case "string":
    case "boolean":
    case "number":
      return typeof value === schema.type ? [] : [`${at} is no ${schema.type}`];
    default:
      return [];
  }
}
