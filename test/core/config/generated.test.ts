import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { configJsonSchema, type JsonSchema } from "../../../core/config/json-schema.ts";
import { generateConfigDocs } from "../../../scripts/generate-config-docs.ts";
import { changed, SEED, UNSHIP } from "./fixtures.ts";

const ROOT = join(import.meta.dirname, "../../..");
const HOW = "is stale: run `node scripts/generate-config-docs.ts && npx biome format --write examples`";

interface Field {
  readonly path: string;
  readonly schema: JsonSchema;
}

/** Every property of the schema, wherever it stands. */
function fieldsOf(schema: JsonSchema, path = ""): readonly Field[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, property]): readonly Field[] => [
    { path: `${path}.${name}`, schema: property },
    ...fieldsOf(property, `${path}.${name}`),
  ]);
  const inner = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].flatMap((option) => fieldsOf(option, path));
  const items =
    schema.items === undefined || Array.isArray(schema.items) ? [] : fieldsOf(schema.items as JsonSchema, `${path}[]`);
  const named =
    typeof schema.additionalProperties === "object" ? fieldsOf(schema.additionalProperties, `${path}.<name>`) : [];
  return [...own, ...inner, ...items, ...named];
}

const fields = fieldsOf(configJsonSchema());

describe("generated files", () => {
  it.each(generateConfigDocs().map(({ path, text }) => [path, text] as const))(
    "%s is what the schema gives",
    (path, text) => {
      const file = readFileSync(join(ROOT, path), "utf8");
      const [stands, should] = path.endsWith(".json") ? [JSON.parse(file), JSON.parse(text)] : [file, text];
      expect(stands, `${path} ${HOW}`).toEqual(should);
    },
  );
});

describe("every field of the configuration", () => {
  it.each(fields.map(({ path, schema }) => [path, schema] as const))("%s has a description", (_, schema) => {
    expect(schema.description ?? "").toMatch(/^\S.{5,}\.$/s);
  });

  it.each(
    fields
      .filter(({ schema }) => schema.type === "number" || schema.type === "integer")
      .map(({ path, schema }) => [path, schema] as const),
  )("%s is a number, and has a unit", (_, schema) => {
    expect(schema["x-unit"]).toBeDefined();
    expect(schema.description).toContain(`Unit: ${schema["x-unit"]}.`);
  });

  it.each(
    fields.filter(({ schema }) => schema["x-unit"] === "duration").map(({ path, schema }) => [path, schema] as const),
  )("%s is a duration, and says how one looks", (_, schema) => {
    expect("3m").toMatch(new RegExp(schema.pattern ?? "^$"));
    expect("3 minutes").not.toMatch(new RegExp(schema.pattern ?? "^$"));
  });

  it("stands on the generated page", () => {
    const page = readFileSync(join(ROOT, "docs/configuration.md"), "utf8");
    const names = new Set(fields.map(({ path }) => path.split(".").at(-1)?.replace("[]", "") ?? ""));
    expect([...names].filter((name) => !new RegExp(`[.\`]${name}\``).test(page))).toEqual([]);
  });

  it("that has a default is optional, and one that has none and is optional says what holds instead", () => {
    const silent = requiredness(configJsonSchema()).filter(({ required, schema }) => {
      const says = schema["x-default"] !== undefined || schema.default !== undefined;
      return required ? schema.default !== undefined : !says;
    });
    expect(silent.map(({ path }) => path)).toEqual([]);
  });
});

function requiredness(schema: JsonSchema, path = ""): readonly (Field & { readonly required: boolean })[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => [
    { path: `${path}.${name}`, schema: property, required: schema.required?.includes(name) ?? false },
    ...requiredness(property, `${path}.${name}`),
  ]);
  const inner = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].flatMap((option) => requiredness(option, path));
  const items =
    schema.items === undefined || Array.isArray(schema.items)
      ? []
      : requiredness(schema.items as JsonSchema, `${path}[]`);
  const named =
    typeof schema.additionalProperties === "object" ? requiredness(schema.additionalProperties, `${path}.<name>`) : [];
  return [...own, ...inner, ...items, ...named];
}

describe("the schema for editors", () => {
  const schema = JSON.parse(readFileSync(join(ROOT, "examples/unship.schema.json"), "utf8"));
  const validate = new AjvJsonSchemaValidator().getValidator(schema);

  it.each([
    ["the seed's file", SEED],
    ["the example for a real set-up", UNSHIP],
  ])("accepts %s, as an editor's own validator sees it", (_, text) => {
    expect(validate(parse(text))).toMatchObject({ valid: true });
  });

  it.each([
    ["a mistyped key", ["excution", {}]],
    ["a duration in words", ["watch.step", "3 minutes"]],
    ["an unknown mode", ["mode", "automatic"]],
    ["a confidence above 1", ["reasoning_chain.on_anomaly_detected.1.confidence_threshold", 80]],
  ] as const)("refuses %s", (_, change) => {
    expect(validate(parse(changed(UNSHIP, change)))).toMatchObject({ valid: false });
  });
});

describe("the example for a real set-up", () => {
  it("shows every section that the schema has", () => {
    const shown = new Set([
      ...Object.keys(parse(UNSHIP) as object),
      ...[...UNSHIP.matchAll(/^# (\w+):$/gm)].map(([, name]) => name),
    ]);
    expect(Object.keys(configJsonSchema().properties ?? {}).filter((name) => !shown.has(name))).toEqual([]);
  });

  it("names the schema that lets an editor check it", () => {
    expect(UNSHIP.split("\n")[0]).toBe("# yaml-language-server: $schema=./unship.schema.json");
    expect(SEED).not.toContain("$schema");
  });
});
