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

/**
 * The server's list as the reference implementation sees it when it puts a merged list in order. It deletes and appends
 * within the storage of that same list, so that a new item in a freed slot counts as one that stood there before.
 *
 * @see https://github.com/kubernetes/apimachinery/blob/v0.32.0/pkg/util/strategicpatch/patch.go
 */
export function storageAfter(server: readonly Json[], patch: readonly Json[], key: ItemKey): readonly Json[] {
  const doomed = patch.filter((item) => isObject(item) && item.$patch === "delete").map(key);
  const left = server.filter((item) => !doomed.includes(key(item)));
  const leftKeys = left.map(key);
  const added = patch.filter((item) => isObject(item) && item.$patch === undefined && !leftKeys.includes(key(item)));
  const used = [...left, ...added].slice(0, server.length);
  return [...used, ...server.slice(used.length)];
}
