import type { Change } from "./change.ts";

type Named = Pick<Change, "id" | "kind" | "service" | "flag" | "from" | "to">;

/**
 * What a change is called among others, without its id: "payments 1.1.0 → 1.2.0", "flag new-totals off → on", "migration of orders
 * 41 → 42". The id follows where another one of them is called the same, and stands alone where no such change is among them: then
 * nothing else is known of it. Pure.
 */
export function changeName(id: string, among: readonly Named[]): string {
  return apart(id, among, nameOfChange);
}

/** What one change is called by itself, for a sentence about it: see `changeName`. Pure. */
export function nameOfChange({ kind, service, flag, from, to }: Named): string {
  const versions = from === "" ? to : `${from} → ${to}`;
  if (kind === "flag") return `flag ${flag ?? service} ${versions}`;
  return kind === "deploy" ? `${service} ${versions}` : `${kind} of ${service} ${versions}`;
}

/**
 * What is undone of a change, for the words after "rollback of": what it brought, "payments 1.2.0", "flag new-totals", never "from → to",
 * which would read as where it goes. Otherwise as `changeName`. Pure.
 */
export function undoneName(id: string, among: readonly Named[]): string {
  return apart(id, among, undoneOf);
}

function apart(id: string, among: readonly Named[], nameOf: (change: Named) => string): string {
  const change = among.find((one) => one.id === id);
  if (change === undefined) return id;
  const called = nameOf(change);
  return among.some((other) => other.id !== id && nameOf(other) === called) ? `${called} (${id})` : called;
}

function undoneOf({ kind, service, flag, to }: Named): string {
  if (kind === "flag") return `flag ${flag ?? service}`;
  return kind === "deploy" ? `${service} ${to}` : `${kind} of ${service} ${to}`;
}
