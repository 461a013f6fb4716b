import { isObject, type Json } from "../json.ts";

/** What identifies an item of a list: the value of its merge key, or a plain value itself. */
export type ItemKey = (item: Json) => string | undefined;

export function itemKey(mergeKey: string): ItemKey {
  if (mergeKey === "") return (item) => JSON.stringify(item);
  return (item) => (isObject(item) && item[mergeKey] !== undefined ? JSON.stringify(item[mergeKey]) : undefined);
}

/**
 * Orders a merged list: items that `wanted` names stand in its order, the others keep the order that they had in
 * `server`, and where the two meet an item of the server's goes first only if it stood before the other there.
 */
export function inOrderOf(
  merged: readonly Json[],
  wanted: readonly Json[],
  server: readonly Json[],
  key: ItemKey,
): readonly Json[] {
  const wantedKeys = wanted.map(key);
  const serverKeys = server.map(key);
  const at = (keys: readonly (string | undefined)[], item: Json) => keys.indexOf(key(item));
  const named = merged
    .filter((item) => wantedKeys.includes(key(item)))
    .sort((a, b) => at(wantedKeys, a) - at(wantedKeys, b));
  const others = merged
    .filter((item) => !wantedKeys.includes(key(item)))
    .sort((a, b) => at(serverKeys, a) - at(serverKeys, b));

  const result: Json[] = [];
  let next = 0;
  for (const item of named) {
    const limit = at(serverKeys, item);
    while (next < others.length && limit >= 0 && before(at(serverKeys, others[next] ?? null), limit)) {
      result.push(others[next] ?? null);
      next += 1;
    }
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}

const before = (position: number, limit: number) => position >= 0 && position < limit;
