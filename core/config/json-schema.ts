import { z } from "zod";
import { ConfigFile } from "./schema/file.ts";
import type { Path } from "./yaml-tree.ts";

/** The part of JSON Schema (draft 7) that our schema uses. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly type?: string;
  readonly description?: string;
  readonly "x-unit"?: string;
  readonly "x-default"?: string;
  readonly "x-path"?: boolean;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

let made: JsonSchema | undefined;

/** JSON Schema (draft 7, which editors read) of the configuration file as people write it: defaults are optional. */
export function configJsonSchema(): JsonSchema {
  made ??= {
    title: "unship configuration",
    ...(z.toJSONSchema(ConfigFile, { io: "input", target: "draft-7" }) as JsonSchema),
  };
  return made;
}

/** Every schema that could describe the value at a path; where a `type` is written, those of that type alone. */
export function schemasAt(path: Path, root: unknown): readonly JsonSchema[] {
  let schemas = alternatives(configJsonSchema(), root);
  let value = root;
  for (const step of path) {
    value = typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined;
    const inner = value;
    schemas = schemas.flatMap((schema) => children(schema, step)).flatMap((schema) => alternatives(schema, inner));
  }
  return schemas;
}

/** Keys that may stand in the map at a path; names that people choose themselves are not among them. */
export function keysAt(path: Path, root: unknown): readonly string[] {
  return [...new Set(schemasAt(path, root).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

/** Words that may stand at a path, where only certain ones may. */
export function choicesAt(path: Path, root: unknown): readonly string[] {
  const choices = schemasAt(path, root).flatMap(
    (schema) => schema.enum ?? (schema.const === undefined ? [] : [schema.const]),
  );
  return [...new Set(choices.map(String))];
}

function children(schema: JsonSchema, step: string | number): readonly JsonSchema[] {
  if (typeof step === "number") {
    const { items } = schema;
    if (items === undefined) return [];
    if (!Array.isArray(items)) return [items as JsonSchema];
    const item: JsonSchema | undefined = items[step];
    return item === undefined ? [] : [item];
  }
  const property = Object.hasOwn(schema.properties ?? {}, step) ? schema.properties?.[step] : undefined;
  if (property !== undefined) return [property];
  return typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [];
}

function alternatives(schema: JsonSchema, value: unknown): readonly JsonSchema[] {
  const options = schema.oneOf ?? schema.anyOf;
  if (options === undefined) return [schema];
  const written = typeof value === "object" && value !== null ? Reflect.get(value, "type") : undefined;
  const named = options.filter((option) => written !== undefined && option.properties?.type?.const === written);
  return (named.length > 0 ? named : options).flatMap((option) => alternatives(option, value));
}
