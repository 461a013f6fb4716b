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
  return write(value, "$");
}

function write(value: unknown, path: string): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (Number.isFinite(value)) return JSON.stringify(value);
    throw new UnshipError("input.invalid", { what: path, reason: `${value} cannot be written as JSON` });
  }
  if (Array.isArray(value)) {
    return `[${value.map((item, index) => write(item === undefined ? null : item, `${path}[${index}]`)).join(",")}]`;
  }
  if (typeof value === "object") {
    const parts = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, item]) => `${JSON.stringify(key)}:${write(item, `${path}.${key}`)}`);
    return `{${parts.join(",")}}`;
  }
  throw new UnshipError("input.invalid", { what: path, reason: `a ${typeof value} cannot be written as JSON` });
}
