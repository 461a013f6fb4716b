import type { Trouble } from "../variables.ts";
import { pathText } from "../variables.ts";
import type { Path } from "../yaml-tree.ts";
import { shown } from "../yaml-tree.ts";

/**
 * What a check reads. The file may be wrong in any other way at the same time, so each check takes what has the right
 * kind and leaves the rest to the schema.
 */
export interface Checked {
  /** The file with its variables filled in. */
  readonly file: unknown;
  /** The file as written: messages quote this one (S10). */
  readonly raw: unknown;
}

/** One concern that spans several fields. Returns every trouble that it finds. */
export type Check = (checked: Checked) => readonly Trouble[];

/** A value with the path to it. */
export interface Placed<T> {
  readonly path: Path;
  readonly value: T;
}

export type Fields = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The map at a path; empty where there is none. */
export function mapAt(root: unknown, ...path: Path): Fields {
  let value = root;
  for (const step of path) value = isMap(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  return isMap(value) ? value : {};
}

/** Members of the list at a path, each with its path; none where there is no list. */
export function listAt(root: unknown, ...path: readonly string[]): readonly Placed<unknown>[] {
  const parent = mapAt(root, ...path.slice(0, -1));
  const list = parent[path.at(-1) ?? ""];
  return Array.isArray(list) ? list.map((value: unknown, index) => ({ path: [...path, index], value })) : [];
}

export function valueTroubleAt(path: Path, message: string, hint: string | null, inside?: number): Trouble {
  const trouble = { path, at: "value", message: `${pathText(path)} ${message}`, hint } as const;
  return inside === undefined ? trouble : { ...trouble, inside };
}

export function keyTroubleAt(path: Path, message: string, hint: string | null): Trouble {
  return { path, at: "key", message: `${pathText(path)} ${message}`, hint };
}

/** Members that repeat an earlier one of the same identity. */
export function repeats<T>(
  members: readonly Placed<T>[],
  identity: (member: T) => string | null,
): readonly (Placed<T> & { readonly first: Path })[] {
  const seen = new Map<string, Path>();
  return members.flatMap((member) => {
    const key = identity(member.value);
    if (key === null) return [];
    const first = seen.get(key);
    if (first !== undefined) return [{ ...member, first }];
    seen.set(key, member.path);
    return [];
  });
}

/** What stands at a path as written, in quotes. */
export function writtenAt(raw: unknown, path: Path): string {
  let value = raw;
  for (const step of path) {
    value = typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined;
  }
  return typeof value === "string" ? shown(value) : String(value);
}
