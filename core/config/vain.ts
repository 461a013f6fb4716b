import { type Fields, isMap } from "./checks/check.ts";
import { WARNINGS } from "./checks/warnings.ts";
import { VAIN_KEYS, type VainRule } from "./vain-keys.ts";
import { pathText, type Trouble } from "./variables.ts";
import type { Path } from "./yaml-tree.ts";

/**
 * Durations and limits of a file that can never have their effect (reminders after the plan is gone, maxima that nothing can
 * reach), and names, secrets and rights that are most likely a slip of the pen. Each is legal, and so is no problem that keeps
 * anything from starting; `unship check` names it with its line, since it looks like protection and is none (S8). `file`: as the
 * schema reads it, variables and defaults filled in; `raw`: as written, since only what somebody wrote is theirs to mend. Pure
 * and total.
 */
export function vainIn(file: unknown, raw: unknown): readonly Trouble[] {
  const figures = Object.entries(VAIN_KEYS).flatMap(([pattern, rule]) =>
    typeof rule === "string"
      ? []
      : placesOf(pattern.split("."), raw).flatMap((path) => troubleAt(path, rule, file, raw)),
  );
  return [...figures, ...WARNINGS.flatMap((check) => check({ file, raw }))];
}

function troubleAt(path: Path, rule: VainRule, file: unknown, raw: unknown): readonly Trouble[] {
  const [parent, written] = [file, raw].map((root) => mapOf(valueAt(root, path.slice(0, -1))));
  const found = rule(valueAt(file, path), { file, path, parent: parent ?? {}, written: written ?? {} });
  if (found === null) return [];
  return [{ path, at: "value", message: `${pathText(path)} ${found.what}`, hint: found.mend }];
}

const mapOf = (value: unknown): Fields => (isMap(value) ? value : {});

/** Every path of the file that fits a pattern, in which `*` is any key or place in a list. */
function placesOf(pattern: readonly string[], root: unknown): readonly Path[] {
  const [step, ...rest] = pattern;
  if (step === undefined) return root === undefined || root === null ? [] : [[]];
  return keysOf(root, step).flatMap((key) => placesOf(rest, valueAt(root, [key])).map((path): Path => [key, ...path]));
}

function keysOf(node: unknown, step: string): Path {
  if (Array.isArray(node)) return step === "*" ? node.map((_, index) => index) : [];
  if (!isMap(node)) return [];
  if (step === "*") return Object.keys(node);
  return Object.hasOwn(node, step) ? [step] : [];
}

const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (node, step) => (typeof node === "object" && node !== null ? Reflect.get(node, step) : undefined),
    root,
  );
