import { durationHint, parseSpokenDuration } from "../durations.ts";
import { choicesAt, keysAt, schemasAt } from "../json-schema.ts";
import { unitOfMetric } from "../units.ts";
import { valueAt } from "../variables.ts";
import type { Path } from "../yaml-tree.ts";
import { figureOf, withoutComment } from "./numbers.ts";
import { addressHint } from "./urls.ts";
import { quoted, write } from "./write.ts";

/** A value of a wrong kind, with what a hint may be made of. */
export interface Misplaced {
  readonly value: unknown;
  readonly path: Path;
  /** The file as written. */
  readonly raw: unknown;
  /** Whether the value may be a secret, of which a hint says nothing (S10). */
  readonly hidden: boolean;
}

/** What to write where a value is of another kind than the schema's; `expected`: zod's word for that. Null: nobody can tell. */
export function kindHint(expected: string, one: Misplaced): string | null {
  const { value } = one;
  if (value === null) return "it is empty: remove the key or indent its content beneath it";
  if (one.hidden) return expected === "string" ? "write it in quotes" : null;
  switch (expected) {
    case "boolean":
      return booleanHint(value);
    case "number":
    case "int":
      return numberHint(expected, one);
    case "string":
      return stringHint(one);
    case "array":
    case "tuple":
      return pairHint(value) ?? listHint(value);
    default:
      return mapHint(one);
  }
}

function booleanHint(value: unknown): string | null {
  const text = withoutComment(String(value)).trim();
  if (/^(?:yes|y|on|true|1|enabled?)$/i.test(text)) return write("true");
  return /^(?:no|n|off|false|0|disabled?|never)$/i.test(text) ? write("false") : null;
}

function numberHint(expected: string, { value, path, raw }: Misplaced): string | null {
  if (typeof value === "number")
    return Number.isFinite(value) ? `${write(String(Math.floor(value)))} or ${Math.ceil(value)}` : null;
  if (typeof value !== "string") return null;
  const figure = figureOf(value);
  const isCompared = path.at(-1) === "threshold" || path.at(-1) === "upper_bound";
  if (figure !== null && (expected === "number" || Number.isInteger(figure)))
    return write(String(figure), /^\d+$/.test(value.trim()) ? " without quotes" : "");
  if (!isCompared) return null;
  const metric = valueAt(raw, [...path.slice(0, -1), "metric"]);
  const ms = parseSpokenDuration(withoutComment(value));
  if (ms !== null && typeof metric === "string" && unitOfMetric(metric) === "ms")
    return write(String(ms), ", which is in ms");
  return "a plain number in the metric's unit: 2 s is 2000";
}

function stringHint({ value, path, raw }: Misplaced): string | null {
  const schemas = schemasAt(path, raw);
  if (typeof value === "number" && schemas.some((schema) => schema["x-unit"] === "duration"))
    return durationHint(String(value));
  if (typeof value === "number" && path.at(-1) === "listen") return addressHint(String(value), "127.0.0.1:7332");
  if (typeof value === "number" || typeof value === "boolean") return `${write(quoted(String(value)))} in quotes`;
  const [only] = Array.isArray(value) ? value : [];
  if (Array.isArray(value) && value.length === 1 && typeof only === "string") return write(quoted(only));
  return null;
}

/** One name, or several with commas or blanks between, where a list must be. */
function listHint(value: unknown): string {
  const general = "begin each entry with -, or write [a, b]";
  if (typeof value !== "string" && typeof value !== "number") return general;
  const names = String(value)
    .split(/\s*[,;]\s*|\s+/)
    .filter((name) => name !== "");
  return names.length === 0 || names.length > 20 ? general : write(`[${names.map(quoted).join(", ")}]`);
}

/** Two names with an arrow between; null: there is none. */
function pairHint(value: unknown): string | null {
  const names = typeof value === "string" ? value.split(/\s*(?:->|=>|→)\s*/) : [];
  return names.length === 2 ? write(`[${names.map(quoted).join(", ")}]`) : null;
}

function mapHint({ value, path, raw }: Misplaced): string | null {
  const keys = keysAt(path, raw);
  const named = schemasAt(path, raw).some((schema) => typeof schema.additionalProperties === "object");
  if (Array.isArray(value)) {
    const names = value.every((name) => typeof name === "string") ? value : [];
    if (named && names.length > 0) return write(`{${names.map((name) => `${quoted(String(name))}: {}`).join(", ")}}`);
    return named ? "write each as `name:` with what it has beneath it, and no -" : "leave out the -";
  }
  if (typeof value !== "string") return null;
  const [, kind = "", name = ""] = /^(\w+)\/(\S+)$/.exec(value) ?? [];
  const kinds = choicesAt([...path, "kind"], raw);
  const meant = kinds.find((one) => one.toLowerCase() === kind.toLowerCase());
  if (meant !== undefined && keys.includes("name")) return write(`{kind: ${meant}, name: ${quoted(name)}}`);
  if (keys.includes("name") && /^[\w.-]+$/.test(value)) return write(`{name: ${quoted(value)}}`);
  return keys.length === 0 || path.length === 0 ? null : `write its keys beneath it: ${keys.slice(0, 6).join(", ")}`;
}
