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

/** The spelling, or undefined where there is none. Where that lies is sought afterwards, since it hardly ever happens. */
function write(value: unknown): string | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return Number.isFinite(value) ? JSON.stringify(value) : undefined;
  if (typeof value !== "object") return undefined;
  if (Array.isArray(value)) {
    const items: string[] = [];
    for (const item of value) {
      const text = write(item === undefined ? null : item);
      if (text === undefined) return undefined;
      items.push(text);
    }
    return `[${items.join(",")}]`;
  }
  const parts: string[] = [];
  for (const [key, item] of fieldsOf(value)) {
    const text = write(item);
    if (text === undefined) return undefined;
    parts.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${parts.join(",")}}`;
}

const fieldsOf = (value: object): readonly (readonly [string, unknown])[] =>
  Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

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
