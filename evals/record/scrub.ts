import { redactSecrets } from "../../core/model/untrusted-text.ts";

/**
 * A copy without secrets (S10): every text in it, keys included, is redacted, and the value of a key that names a
 * secret ("password", "api_key") goes whatever it looks like. Names that are no secrets stay as they are, so that what
 * belongs together still does.
 */
export function scrub<T>(value: T): T {
  return walk(value, new Map()) as T;
}

/** What becomes of a key, and whether what stands behind it is a secret by name. */
interface Key {
  readonly put: string;
  readonly isSecret: boolean;
}

function walk(value: unknown, keys: Map<string, Key>): unknown {
  if (typeof value === "string") return redactSecrets(value);
  if (Array.isArray(value)) return value.map((one) => (typeof one === "number" ? one : walk(one, keys)));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      const { put, isSecret } = keys.get(key) ?? newKey(key, keys);
      return [put, typeof one === "string" && isSecret ? "[redacted]" : walk(one, keys)];
    }),
  );
}

/** A recording has few keys, many times each. */
function newKey(key: string, keys: Map<string, Key>): Key {
  const known = { put: redactSecrets(key), isSecret: redactSecrets(`${key}=x`) !== `${key}=x` };
  keys.set(key, known);
  return known;
}
