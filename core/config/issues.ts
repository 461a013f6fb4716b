import type { z } from "zod";
import { isNeedless, valueMeantBy } from "./hints/foreign-words.ts";
import { kindHint } from "./hints/kinds.ts";
import { addOneOf, orLess, orMore, write } from "./hints/write.ts";
import { choicesAt, keysAt, schemasAt } from "./json-schema.ts";
import { mayQuote } from "./may-quote.ts";
import { didYouMean } from "./nearest.ts";
import { isFilled, pathText, type Trouble, valueAt } from "./variables.ts";
import { oneLine, type Path, shown } from "./yaml-tree.ts";

type Issue = z.core.$ZodIssue;

/** An issue with the path from the file's root. */
interface Placed {
  readonly issue: Issue;
  readonly path: Path;
}

/**
 * What the schema says against a file, as sentences. `raw` is the file before variables were filled in: messages quote
 * it and never the filled one, so that a variable's value reaches no message (S10).
 */
export function schemaTroubles(issues: readonly Issue[], raw: unknown): readonly Trouble[] {
  const flat = issues.flatMap((issue) => flatten(issue, []));
  // Of what has another kind nothing else is worth a word.
  const otherKind = new Set(flat.flatMap(({ issue, path }) => (issue.code === "invalid_type" ? [pathText(path)] : [])));
  const isEcho = ({ issue, path }: Placed) => issue.code !== "invalid_type" && otherKind.has(pathText(path));
  return flat.flatMap((one) => {
    if (one.issue.code === "unrecognized_keys") return keyTroubles(one.path, one.issue.keys, raw);
    return isEcho(one) ? [] : [valueTrouble(one, raw)];
  });
}

/** Issues of a union are those of the alternative that the writer most likely meant. */
function flatten(issue: Issue, before: Path): readonly Placed[] {
  const path = [...before, ...issue.path.map((step) => (typeof step === "symbol" ? String(step) : step))];
  if (issue.code === "invalid_key" || issue.code === "invalid_element") {
    return issue.issues.flatMap((inner) => flatten(inner, path));
  }
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [{ issue, path }];
  const best = [...issue.errors].sort((a, b) => distance(a) - distance(b))[0] ?? [];
  return best.flatMap((inner) => flatten(inner, path));
}

/** How far a value is from one alternative: another kind of value is farthest, then a foreign key, then the rest. */
function distance(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => {
    if (issue.path.length === 0 && issue.code === "invalid_type") return sum + 1000;
    return sum + (issue.code === "unrecognized_keys" ? 3 * issue.keys.length : 2);
  }, 0);
}

/** Keys that are like none that may be there; what is plainly misspelt was spelled right before (`typos.ts`). */
function keyTroubles(parent: Path, unknown: readonly string[], raw: unknown): readonly Trouble[] {
  const present = valueAt(raw, parent);
  const taken = new Set(typeof present === "object" && present !== null ? Object.keys(present) : []);
  const keys = keysAt(parent, raw);
  const [first] = unknown;
  const own = [...taken].filter((key) => !unknown.includes(key)).join(", ");
  const isEntry = schemasAt(parent, raw).some(({ required = [] }) => {
    return required.length > 0 && required.every((key) => unknown.includes(key));
  });
  if (
    first !== undefined &&
    typeof parent.at(-1) === "number" &&
    isEntry &&
    unknown.every((key) => keys.includes(key))
  ) {
    const message = `${pathText(parent)} has ${shown(first)} beside ${own}, which no entry has`;
    const hint = "begin a new entry here: write - before it, indented like the other entries";
    return [{ path: [...parent, first], at: "key", message, hint }];
  }
  const where = parent.length === 0 ? "at the top" : `in ${pathText(parent)}`;
  return unknown.map((key): Trouble => {
    const hint = keys.includes(key) ? `remove it: it does not go with ${own}` : keyHint(key, parent, keys, raw);
    return { path: [...parent, key], at: "key", message: `there is no key ${shown(key)} ${where}`, hint };
  });
}

/** Of a key that is like none here: where it belongs, if it is one of the section just above, or that nothing needs it. */
function keyHint(key: string, parent: Path, keys: readonly string[], raw: unknown): string {
  if (parent.length === 0 && isNeedless(key)) return "remove it: this file has no such header";
  const siblings = Object.keys(mapOf(valueAt(raw, parent)));
  const above = siblings[siblings.indexOf(key) - 1];
  const belongs = above !== undefined && keysAt([...parent, above], raw).includes(key);
  return belongs ? `it belongs in ${above}: indent it with all beneath it by 2 spaces` : didYouMean(key, keys);
}

const mapOf = (value: unknown): object => (typeof value === "object" && value !== null ? value : {});

function valueTrouble({ issue, path }: Placed, raw: unknown): Trouble {
  const value = valueAt(raw, path);
  if (value === undefined && path.length > 0) return missing(path, raw);
  const { message, hint } = sentence(issue, path, value, raw);
  return { path, at: "value", message: `${subject(path)} ${message}`, hint };
}

function subject(path: Path): string {
  return path.length === 0 ? "the file" : pathText(path);
}

function missing(path: Path, raw: unknown): Trouble {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  const choices = choicesAt(path, raw);
  const where = parent.length === 0 ? "the file" : pathText(parent);
  const what = oneLine(schemasAt(path, raw)[0]?.description ?? "").split(/(?<=\.) /)[0] ?? "";
  const hint = choices.length > 0 ? addOneOf(key, choices) : what.replace(/\.$/, "") || null;
  return { path: parent, at: "key", message: `${where} lacks ${key}`, hint };
}

function sentence(issue: Issue, path: Path, value: unknown, raw: unknown): { message: string; hint: string | null } {
  const quoted = quote(value, path);
  switch (issue.code) {
    case "custom":
      // A hint is made from the value, and the value of a variable may be a secret that got lost.
      return {
        message: `${mayQuote(value, path) ? `${quoted} ` : ""}${issue.message}`,
        hint: isFilled(raw, path) ? null : textOf(issue.params?.hint),
      };
    case "invalid_union":
    case "invalid_value": {
      const choices = choicesAt(path, raw);
      if (typeof value === "object" && value !== null)
        return { message: `is ${quoted}`, hint: didYouMean("", choices) };
      return { message: `cannot be ${quoted}`, hint: choiceHint(String(value), choices) };
    }
    case "invalid_type":
      return wrongKind(issue.expected, path, value, quoted, raw);
    case "too_small":
      return outside(issue.origin, value, quoted, limitOf("more than", orMore, issue.minimum, issue));
    case "too_big":
      return outside(
        issue.origin,
        value,
        quoted,
        limitOf("less than", orLess, issue.maximum, issue),
        shareHint(value, Number(issue.maximum)),
      );
    case "invalid_format":
      return { message: `cannot be ${quoted}`, hint: "letters, digits and underscores" };
    default:
      return { message: `cannot be ${quoted}`, hint: null };
  }
}

/** The end of what is allowed: itself where it is, else what it is beyond. */
function limitOf(
  beyond: string,
  end: (limit: number) => string,
  limit: number | bigint,
  { inclusive, origin }: { readonly inclusive?: boolean | undefined; readonly origin: string },
): string {
  if (inclusive !== true) return `${beyond} ${limit}`;
  const isFigure = origin === "number" || origin === "int";
  return isFigure ? end(Number(limit)) : `at ${beyond === "more than" ? "least" : "most"} ${limit}`;
}

function choiceHint(value: string, choices: readonly string[]): string {
  const [only] = choices;
  if (choices.length === 1 && only !== undefined) return write(only);
  const meant = valueMeantBy(value, choices);
  return meant === null ? didYouMean(value, choices) : `did you mean ${meant}?`;
}

function outside(origin: string, value: unknown, quoted: string, limit: string, hint?: string) {
  if (typeof value === "number") return { message: `cannot be ${quoted}`, hint: hint ?? limit };
  const things = origin === "array" ? "entries" : "characters";
  const empty = value === "" || (Array.isArray(value) && value.length === 0);
  return { message: empty ? "is empty" : "has the wrong length", hint: `${limit} ${things}` };
}

/** 95 where at most 1 may stand is 95 %. */
function shareHint(value: unknown, maximum: number): string | undefined {
  if (maximum !== 1 || typeof value !== "number" || value <= 1 || value > 100) return undefined;
  return `a ratio from 0 to 1: did you mean ${value / 100}?`;
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map of keys",
  record: "a map of keys",
};

function wrongKind(expected: string, path: Path, value: unknown, quoted: string, raw: unknown) {
  const hint = kindHint(expected, { value, path, raw, hidden: !mayQuote(value, path) });
  const isDuration = schemasAt(path, raw).some((schema) => schema["x-unit"] === "duration");
  if (expected === "string" && typeof value === "number" && isDuration)
    return { message: `${quoted} is no duration`, hint };
  return { message: `must be ${KINDS[expected] ?? `a ${expected}`}, not ${quoted}`, hint };
}

/** A value for a message. Secrets, what may be one by mistake, and passwords in URLs are never quoted (S10). */
function quote(value: unknown, path: Path): string {
  if (!mayQuote(value, path)) return "what is there";
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map of keys";
  return typeof value === "string" ? shown(value) : String(value);
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
