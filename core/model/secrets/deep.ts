import { isAbsent } from "./looks.ts";
import { kindOfName } from "./names.ts";
import { REDACTED, redactSecrets } from "./redact.ts";

/**
 * The same value without secrets: each text in it, names of fields included, is redacted. `byName`: the text behind a field
 * whose name says that it is a secret ("password", "api_key") goes whatever it looks like; not for records whose fields are
 * named by services or versions. What holds no secret is given back as it is, not copied. Pure.
 */
export function withoutSecrets<T>(value: T, byName: boolean): T {
  return walk(value, byName) as T;
}

function walk(value: unknown, byName: boolean): unknown {
  if (typeof value === "string") return textWithout(value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) {
    if (value.every((one) => typeof one === "number" || one === null)) return value;
    const items = value.map((one) => walk(one, byName));
    return items.every((one, index) => one === value[index]) ? value : items;
  }
  let same = true;
  const fields = Object.entries(value).map(([key, one]) => {
    const hides = byName && typeof one === "string" && !isAbsent(one) && kindOfName(key) === "secret";
    const field = [textWithout(key), hides ? REDACTED : walk(one, byName)] as const;
    same &&= field[0] === key && field[1] === one;
    return field;
  });
  return same ? value : Object.fromEntries(fields);
}

/** Short texts in which nothing was found: names of services, pods and metrics come again in every answer. Emptied when full. */
const clean = new Set<string>();
const CLEAN_KEPT = 32_768;
const CLEAN_CHARS = 128;

/** One text without secrets. */
export function textWithout(text: string): string {
  if (clean.has(text)) return text;
  const safe = redactSecrets(text);
  if (safe === text && text.length <= CLEAN_CHARS) {
    if (clean.size >= CLEAN_KEPT) clean.clear();
    clean.add(text);
  }
  return safe;
}
