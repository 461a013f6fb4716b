import { z } from "zod";

type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * A tool's input schema for the wire: JSON Schema 2020-12, which is MCP's default dialect, so that no `$schema` is
 * needed. Complete but for the longest and most that is taken, which no honest argument comes near: the server refuses it.
 */
export function inputSchemaOf(schema: z.ZodObject): JsonSchema & { readonly type: "object" } {
  return objectSchema(strip(z.toJSONSchema(schema, { io: "input" })));
}

/**
 * A tool's output schema for the wire. True of every answer, and looser than what the server itself checks: which
 * fields are required, and bounds on them, are left out: they tell a model nothing about an answer that it is about
 * to see, and cost a quarter of the list. Only those fields are declared whose name and type do not say it all; objects
 * within rows are named as such.
 */
export function outputSchemaOf(schema: z.ZodObject): JsonSchema & { readonly type: "object" } {
  const whole = objectSchema(strip(z.toJSONSchema(schema, { io: "output" })));
  const own = Object.entries(telling(whole.properties)).filter(([key]) => !IN_MOST.has(key));
  return { type: "object", properties: Object.fromEntries(own.map(([key, one]) => [key, loosen(one)])) };
}

/** Fields that most answers carry, with one meaning that the server's instructions tell once. */
const IN_MOST: ReadonlySet<string> = new Set(["notice", "at", "gaps", "coverage", "total", "more"]);

function objectSchema(schema: JsonSchema): JsonSchema & { readonly type: "object" } {
  const { $schema: _dialect, ...rest } = schema;
  return { ...rest, type: "object" };
}

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Leaves out what says nothing: bounds of every integer, that names of fields are strings, that any further one is allowed. */
function strip(value: unknown): JsonSchema {
  const clean = walk(value, (entry) => !saysNothing(entry));
  return isObject(clean) ? clean : {};
}

function saysNothing([key, one]: [string, unknown]): boolean {
  if (key === "maxLength" || key === "maxItems" || (key === "minLength" && one === 1)) return true;
  if (key === "maximum" || key === "minimum") return Math.abs(Number(one)) === Number.MAX_SAFE_INTEGER;
  if (key === "propertyNames") return JSON.stringify(one) === '{"type":"string"}';
  return key === "additionalProperties" && isObject(one) && Object.keys(one).length === 0;
}

const BOUNDS = new Set([
  "additionalProperties",
  "const",
  "default",
  "minimum",
  "maximum",
  "minItems",
  "maxItems",
  "minLength",
  "maxLength",
]);

/** Objects within objects within a field are named as such and not taken apart. */
const DEEPEST = 1;

function loosen(value: unknown, depth = 0): unknown {
  if (Array.isArray(value)) return value.map((one) => loosen(one, depth));
  if (!isObject(value)) return value;
  const entries = Object.entries(value)
    .filter(([key, one]) => !BOUNDS.has(key) && !(key === "required" && Array.isArray(one)))
    .filter(([key, one]) => !(key === "properties" && isObject(one) && depth >= DEEPEST));
  const fields = isObject(value.properties) && value.type === "object" ? 1 : 0;
  return withTypes(
    Object.fromEntries(
      entries.flatMap(([key, one]) => {
        const loose = loosen(key === "properties" && fields === 1 ? telling(one) : one, depth + fields);
        return key === "properties" && isObject(loose) && Object.keys(loose).length === 0 ? [] : [[key, loose]];
      }),
    ),
  );
}

/** Alternatives that differ in their type alone, as a list of types. */
function withTypes(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  if (!Array.isArray(anyOf)) return schema;
  const types = anyOf.flatMap((one) => (isObject(one) && Object.keys(one).join() === "type" ? [one.type] : []));
  return types.length === anyOf.length ? { ...rest, type: types } : schema;
}

/** Fields that are no plain value, no list of such, and nothing of either that may be null, or that come with a word of explanation. */
function telling(properties: unknown): JsonSchema {
  const all = isObject(properties) ? Object.entries(properties) : [];
  return Object.fromEntries(all.filter(([, one]) => !isObject(one) || !isPlain(one)));
}

const PLAIN_TYPES: ReadonlySet<string> = new Set(["string", "number", "integer", "boolean", "null"]);

/** What null means is the same in every answer, and the server's instructions tell it once. */
function isPlain(schema: JsonSchema): boolean {
  if ("description" in schema || "enum" in schema) return false;
  if (Array.isArray(schema.anyOf)) return schema.anyOf.every((one) => isObject(one) && isPlain(one));
  if (schema.type === "array") return isObject(schema.items) && isPlain(schema.items);
  return [schema.type].flat().every((one) => PLAIN_TYPES.has(String(one)));
}

function walk(value: unknown, keep: (entry: [string, unknown]) => boolean): unknown {
  if (Array.isArray(value)) return value.map((one) => walk(one, keep));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(keep)
      .map(([key, one]) => [key, walk(one, keep)]),
  );
}
