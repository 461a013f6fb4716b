import { keyMeantBy } from "./hints/foreign-words.ts";
import { keysAt, schemasAt } from "./json-schema.ts";
import { nearest } from "./nearest.ts";
import { pathText, type Trouble } from "./variables.ts";
import { type Path, shown, type YamlTree } from "./yaml-tree.ts";

/** A file read as if each key that is plainly a misspelt one were spelled right. */
export interface Respelled {
  /** As read, with those keys by their right names; an offset is still that of what is written. */
  readonly tree: YamlTree;
  /** One for each misspelt key, by its right name. */
  readonly troubles: readonly Trouble[];
}

/**
 * Everything that a misspelt key would make wrong elsewhere (what seems to be missing, what nothing seems to name) follows from
 * the typo, and is a secret's place by its right name alone (S10): so the rest of a file is judged as if it were spelled right.
 */
export function respelled(tree: YamlTree): Respelled {
  const typos: Typo[] = [];
  const root = spelled(tree.root, [], tree.root, typos);
  if (typos.length === 0) return { tree, troubles: [] };
  const written = new Map(typos.map(({ path, key }) => [pathText(path), key]));
  const asWritten = (path: Path): Path =>
    path.map((step, index) => written.get(pathText(path.slice(0, index + 1))) ?? step);
  return {
    tree: {
      ...tree,
      root,
      offsetOf: (path) => tree.offsetOf(asWritten(path)),
      keyOffsetOf: (path) => tree.keyOffsetOf(asWritten(path)),
      offsetInside: (path, index) => tree.offsetInside(asWritten(path), index),
      swallowedAt: (path) => tree.swallowedAt(asWritten(path)),
    },
    troubles: typos.map(({ path, key }) => {
      const where = path.length === 1 ? "at the top" : `in ${pathText(path.slice(0, -1))}`;
      return {
        path,
        at: "key",
        message: `there is no key ${shown(key)} ${where}`,
        hint: `did you mean ${String(path.at(-1))}?`,
      };
    }),
  };
}

interface Typo {
  /** With the right name at its end, and of all above. */
  readonly path: Path;
  /** As written. */
  readonly key: string;
}

/** A part of the file with its keys spelled right; `root`: the whole, in which a written `type` says which keys may be there. */
function spelled(node: unknown, path: Path, root: unknown, typos: Typo[]): unknown {
  if (typeof node !== "object" || node === null) return node;
  if (Array.isArray(node)) return node.map((one: unknown, index) => spelled(one, [...path, index], root, typos));
  const schemas = schemasAt(path, root);
  if (schemas.length === 0) return node;
  const isNamed = schemas.some(({ additionalProperties }) => typeof additionalProperties === "object");
  const names = isNamed ? new Map<string, string>() : meantIn(Object.keys(node), path, root);
  typos.push(...[...names].map(([key, meant]) => ({ path: [...path, meant], key })));
  const fields = Object.entries(node).map(([key, value]) => [names.get(key) ?? key, value] as const);
  const here = names.size === 0 ? root : replacedAt(root, path, Object.fromEntries(fields));
  return Object.fromEntries(fields.map(([key, value]) => [key, spelled(value, [...path, key], here, typos)]));
}

/** By the key as written, what was meant. `type` comes first: by it other keys are right or wrong. */
function meantIn(written: readonly string[], path: Path, root: unknown): ReadonlyMap<string, string> {
  const keys = keysAt(path, root);
  const names = new Map<string, string>();
  const unknown = written.filter((key) => !keys.includes(key));
  for (const choices of [keys.filter((key) => key === "type"), keys]) {
    for (const key of unknown.filter((one) => !names.has(one))) {
      const taken = [...written, ...names.values()];
      const free = choices.filter((name) => !taken.includes(name));
      const meant = keyMeantBy(key, free) ?? nearest(key, free);
      if (meant !== null) names.set(key, meant);
    }
  }
  return names;
}

function replacedAt(root: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof root !== "object" || root === null) return value;
  if (Array.isArray(root))
    return root.map((one: unknown, index) => (index === step ? replacedAt(one, rest, value) : one));
  return Object.fromEntries(
    Object.entries(root).map(([key, one]) => [key, key === step ? replacedAt(one, rest, value) : one]),
  );
}
