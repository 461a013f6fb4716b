/** So many different questions of one kind are kept for one set of evidence; then all of that kind are forgotten. */
const KEPT = 64;
/** A longer question (it brings the answers of earlier steps) is worked out each time, so that callers cannot fill us. */
const QUESTION_CHARACTERS = 65_536;

interface Kept {
  readonly next: WeakMap<object, Kept>;
  readonly kinds: Map<string, Map<string, unknown>>;
}

const nothing = (): Kept => ({ next: new WeakMap(), kinds: new Map() });
const all = nothing();

/**
 * What was worked out `from` these objects, which never change: made once for each `kind` and `question` (plain data),
 * and kept as long as all of them. What depends on anything else does not belong here.
 */
export function onceFor<T>(from: readonly object[], kind: string, question: unknown, make: () => T): T {
  const key = JSON.stringify(question);
  const kept = keptFrom(from, kind);
  const known = kept.get(key);
  if (known !== undefined) return known as T;
  const made = make();
  if (key.length > QUESTION_CHARACTERS) return made;
  if (kept.size >= KEPT) kept.clear();
  kept.set(key, made);
  return made;
}

function keptFrom(from: readonly object[], kind: string): Map<string, unknown> {
  let here = all;
  for (const one of from) {
    const next = here.next.get(one) ?? nothing();
    if (!here.next.has(one)) here.next.set(one, next);
    here = next;
  }
  const known = here.kinds.get(kind);
  if (known !== undefined) return known;
  const fresh = new Map<string, unknown>();
  here.kinds.set(kind, fresh);
  return fresh;
}
