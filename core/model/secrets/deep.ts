import { isAbsent } from "./looks.ts";
import { kindOfName } from "./names.ts";
import { REDACTED, redactSecrets } from "./redact.ts";

/**
 * Fields of our own records that name a thing: what stands there is compared, joined and acted on, so that two names must never
 * become one, and is no prose in which somebody may have written a secret. A service may be called `auth`, and its deploy then
 * `deploy:production/auth:auth-57f876648b:3`.
 */
const IDENTIFIERS: ReadonlySet<string> = new Set([
  ...["id", "aliases", "changeId", "changeIds", "incidentId", "planId"],
  ...["service", "services", "affectedServices", "caller", "callee", "place"],
  ...["flag", "environment", "workload", "releasedBy", "object", "provides", "requires"],
  ...["traceId", "spanId", "parentId", "sha"],
]);

/**
 * The same value without secrets: each text in it, names of fields included, is redacted. `byName`: the text behind a field
 * whose name says that it is a secret ("password", "api_key") goes whatever it looks like; not for records whose fields are
 * named by services or versions. What holds no secret is given back as it is, not copied. Pure.
 */
export function withoutSecrets<T>(value: T, byName: boolean): T {
  return walk(value, { byName, kept: NONE }) as T;
}

/** The same of one of our own records (a change, a rollout, an incident), whose identifiers stay as they are; see `IDENTIFIERS`. */
export function recordWithoutSecrets<T>(record: T): T {
  return walk(record, { byName: false, kept: IDENTIFIERS }) as T;
}

const NONE: ReadonlySet<string> = new Set();

interface Walk {
  readonly byName: boolean;
  readonly kept: ReadonlySet<string>;
}

function walk(value: unknown, how: Walk): unknown {
  if (typeof value === "string") return textWithout(value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) {
    if (value.every((one) => typeof one === "number" || one === null)) return value;
    const items = value.map((one) => walk(one, how));
    return items.every((one, index) => one === value[index]) ? value : items;
  }
  let same = true;
  const fields = Object.entries(value).map(([key, one]) => {
    if (how.kept.has(key)) return [key, one] as const;
    const hides = how.byName && typeof one === "string" && !isAbsent(one) && kindOfName(key) === "secret";
    const field = [textWithout(key), hides ? REDACTED : walk(one, how)] as const;
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
