import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { FACTS, LEVELS } from "../core/config/expression-tree.ts";
import { configJsonSchema, type JsonSchema } from "../core/config/json-schema.ts";
import { KNOWN_UNITS } from "../core/config/units.ts";
import { WELL_KNOWN_METRICS } from "../core/model/signal.ts";

/** A file that is made from the schema, never by hand. */
export interface Generated {
  readonly path: string;
  readonly text: string;
}

/** The JSON Schema for editors and the page that describes every field, as they should stand in the repository. */
export function generateConfigDocs(): readonly Generated[] {
  return [
    { path: "examples/unship.schema.json", text: `${JSON.stringify(configJsonSchema(), null, 2)}\n` },
    { path: "docs/configuration.md", text: page() },
  ];
}

interface Row {
  readonly path: string;
  readonly unit: string;
  readonly kind: string;
  readonly otherwise: string;
  readonly description: string;
}

function page(): string {
  const top = Object.entries(configJsonSchema().properties ?? {});
  const required = configJsonSchema().required ?? [];
  const sections = top.map(([name, schema]) => {
    const rows = rowsOf(name, schema, required.includes(name));
    const table = rows.map((row) => `| ${cells(row).join(" | ")} |`).join("\n");
    return `## ${name}\n\n| field | kind | unit | where it is missing | what it does |\n| --- | --- | --- | --- | --- |\n${table}\n`;
  });
  return `${HEAD}\n${sections.join("\n")}`;
}

const cells = ({ path, kind, unit, otherwise, description }: Row) => [
  `\`${path}\``,
  ...[kind, kind === unit ? "" : unit, otherwise, description].map(escaped),
];

function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll(/\s+/g, " ");
}

function rowsOf(path: string, schema: JsonSchema, required: boolean): readonly Row[] {
  const unit = schema["x-unit"] ?? "";
  const description = (schema.description ?? "").replace(` Unit: ${unit}.`, "");
  const own: Row = { path, unit, kind: kindOf(schema), otherwise: otherwise(schema, required), description };
  return [own, ...innerRows(path, schema)];
}

function innerRows(path: string, schema: JsonSchema): readonly Row[] {
  const options = schema.oneOf ?? schema.anyOf;
  if (options !== undefined) {
    const kept = options.filter((option) => !options.some((other) => isSame(option.items, other)));
    return kept.flatMap((option) => innerRows(`${path}${entryName(option)}`, option));
  }
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    rowsOf(`${path}.${name}`, property, schema.required?.includes(name) ?? false),
  );
  const { additionalProperties: named, items } = schema;
  const names = typeof named === "object" ? rowsOrInner(`${path}.<name>`, named) : [];
  const members = items === undefined || Array.isArray(items) ? [] : rowsOrInner(`${path}[]`, items as JsonSchema);
  return [...properties, ...names, ...members];
}

/** "One, or a list of them" has one set of rows. */
function isSame(items: JsonSchema["items"], other: JsonSchema): boolean {
  return items !== undefined && JSON.stringify(items) === JSON.stringify(other);
}

/** Kinds of entry are told apart by their type, or else by the key that only they have. */
function entryName({ properties = {} }: JsonSchema): string {
  const [first] = Object.keys(properties);
  const type = properties.type?.const;
  if (type !== undefined) return `(${String(type)})`;
  return first === undefined || first === "query" ? "" : `(${first})`;
}

/** Members of lists and maps get a row of their own only where there is something to say of them. */
function rowsOrInner(path: string, schema: JsonSchema): readonly Row[] {
  return schema.description === undefined ? innerRows(path, schema) : rowsOf(path, schema, false);
}

function kindOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((choice) => `\`${String(choice)}\``).join(", ");
  const options = schema.oneOf ?? schema.anyOf;
  if (options !== undefined) return [...new Set(options.map(kindOf))].join(" or ");
  if (schema.pattern !== undefined && schema["x-unit"] === "duration") return "duration";
  switch (schema.type) {
    case "object":
      return schema.properties === undefined ? "map by name" : "map";
    case "array":
      return "list";
    case "string":
      return "text";
    case "integer":
      return range("whole number", schema);
    case "number":
      return range("number", schema);
    case "boolean":
      return "true, false";
    default:
      return schema.type ?? "";
  }
}

function range(kind: string, { minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const bounds = [
    ...(minimum === undefined || minimum < -1e15 ? [] : [`≥ ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [`> ${exclusiveMinimum}`]),
    ...(maximum === undefined || maximum > 999_999 ? [] : [`≤ ${maximum}`]),
    ...(exclusiveMaximum === undefined ? [] : [`< ${exclusiveMaximum}`]),
  ];
  return [kind, ...bounds].join(" ");
}

function otherwise(schema: JsonSchema, required: boolean): string {
  if (schema["x-default"] !== undefined) return schema["x-default"];
  if (schema.default !== undefined && JSON.stringify(schema.default) !== "{}")
    return `\`${JSON.stringify(schema.default)}\``;
  if (schema.default !== undefined) return schema.properties === undefined ? "none" : "the defaults below";
  return required ? "an error" : "";
}

const metrics = Object.entries(WELL_KNOWN_METRICS)
  .map(([name, { unit, worse }]) => `| \`${name}\` | ${unit} | ${worse} |`)
  .join("\n");
const facts = Object.entries(FACTS)
  .map(([name, kind]) => `\`${name}\` (${kind})`)
  .join(", ");

const HEAD = `# Configuration

<!-- Generated by scripts/generate-config-docs.ts from core/config/schema. Do not edit. -->

One YAML file, \`unship.yaml\` or what \`-c\` names. \`examples/unship.yaml\` is one to begin with,
\`examples/unship.schema.json\` lets an editor check and complete it, and \`unship check --offline\` says in plain words
what a file will make unship do. A file with any mistake is refused as a whole, with each mistake on one line; a key that
is not on this page is a mistake.

**Variables.** \`\${NAME}\` in a text is filled in from the environment; one that is not set is a mistake. Tokens and keys
may be \`\${NAME}\` or \`\${file:/path}\`, alone; they are read only by the command that needs them, and shown nowhere.
\`$\${\` is a literal \`\${\`.

**Durations** are written as in Prometheus: \`90s\`, \`3m\`, \`1h30m\`, \`500ms\`.

**Metrics.** These have a unit, and a direction in which they degrade; any other name is a metric of your own and needs a query.

| metric | unit | degrades |
| --- | --- | --- |
${metrics}

What a query yields is converted to the metric's unit: from the \`unit\` that the file gives, else from the names in the
query (\`*_seconds\` is seconds). Units are ${KNOWN_UNITS.map((unit) => `\`${unit}\``).join(", ")}.

**Expressions** (\`require_human_approval_if\`) compare facts, with \`>\` \`>=\` \`<\` \`<=\` \`==\` \`!=\`, and join comparisons
with NOT, AND, OR (binding in this order) and parentheses. Facts are ${facts}; levels are ${LEVELS.join(" < ")}. A fact that
is not known makes the whole expression true.

In the tables, \`[]\` means each member of a list, \`.<name>\` for a name that you choose, and \`(type)\` for the entry
of that type, or with that key.
`;

/** Writes the files beneath a folder. */
function write(folder: string): void {
  for (const { path, text } of generateConfigDocs()) writeFileSync(join(folder, path), text);
}

if (import.meta.main) write(join(import.meta.dirname, ".."));
