import { UnshipError } from "../errors.ts";

/**
 * The one spelling of a JSON value, fit for hashing: keys sorted by UTF-16 code units, no white space, numbers as
 * ECMAScript prints them. A property that is `undefined` is left out, as `JSON.stringify` does.
 *
 * Throws `input.invalid` for what JSON cannot hold (NaN, infinities, functions, bigint): silently writing `null`
 * would give two different values one hash.
 *
 * @see RFC 8785, JSON Canonicalization Scheme
 */
export function canonicalJson(value: unknown): string {
  return write(value) ?? refuse(value, "$");
}

/** A value that is spelled already; it stands in others as its text is. `text`: what `canonicalJson` made of it. */
export class Spelled {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The spelling, or undefined where there is none. Where that lies is sought afterwards, since it hardly ever happens. */
function write(value: unknown): string | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return Number.isFinite(value) ? JSON.stringify(value) : undefined;
  if (typeof value !== "object") return undefined;
  if (value instanceof Spelled) return value.text;
  if (Array.isArray(value)) {
    let items = "";
    for (const item of value) {
      const text = write(item === undefined ? null : item);
      if (text === undefined) return undefined;
      items += items === "" ? text : `,${text}`;
    }
    return `[${items}]`;
  }
  let parts = "";
  for (const [key, item] of fieldsOf(value)) {
    const text = write(item);
    if (text === undefined) return undefined;
    parts += `${parts === "" ? "" : ","}${JSON.stringify(key)}:${text}`;
  }
  return `{${parts}}`;
}

function fieldsOf(value: object): readonly (readonly [string, unknown])[] {
  const fields = value as Readonly<Record<string, unknown>>;
  const found: (readonly [string, unknown])[] = [];
  // Without a function of its own, `sort` compares texts by their UTF-16 code units.
  for (const key of Object.keys(fields).sort()) if (fields[key] !== undefined) found.push([key, fields[key]]);
  return found;
}

/** Names the first thing in the value that cannot be written. */
function refuse(value: unknown, path: string): never {
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      if (item !== undefined && write(item) === undefined) refuse(item, `${path}[${index}]`);
    });
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of fieldsOf(value)) if (write(item) === undefined) refuse(item, `${path}.${key}`);
  }
  const what = typeof value === "number" ? String(value) : `a ${typeof value}`;
  throw new UnshipError("input.invalid", { what: path, reason: `${what} cannot be written as JSON` });
}
