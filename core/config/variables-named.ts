import { isMap } from "./checks/check.ts";
import { isNeeded } from "./secrets.ts";
import { isSecret, secretOf } from "./variables.ts";
import { type Path, readYaml } from "./yaml-tree.ts";

/** `${NAME}` in a text; `$${` is a literal, and `${1}` and `${file:…}` name no variable. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_]\w*)\}/g;

/** Lists of the file that name variables which a command of it sees. */
const SEEN_BY_COMMANDS = /^data_sources\.migrations\.\d+\.(?:write\.)?environment\.\d+$/;

/**
 * The names of all variables that have to be in the environment of a process that watches or answers by this file, in the order
 * in which they are in it, each once; of what the gate alone needs, where the file names one, none. Of a text that is no YAML as
 * far as it can be read. Pure; no value is looked at.
 */
export function variablesNamed(text: string): readonly string[] {
  const { root } = readYaml(text);
  const separate = isMap(root) && isMap(root.gate);
  const found = new Set<string>();
  walk(root, [], (value, path) => {
    const key = path.join(".");
    if (SEEN_BY_COMMANDS.test(key)) {
      if (isNeeded(key, "agent", separate)) found.add(value);
    } else if (isSecret(path)) {
      const secret = secretOf(value);
      if (secret?.from === "env" && isNeeded(key, "agent", separate)) found.add(secret.name);
    } else {
      for (const [, name] of value.matchAll(REFERENCE)) if (name !== undefined) found.add(name);
    }
  });
  return [...found];
}

function walk(value: unknown, path: Path, tell: (text: string, path: Path) => void): void {
  if (typeof value === "string") tell(value, path);
  else if (Array.isArray(value)) for (const [index, one] of value.entries()) walk(one, [...path, index], tell);
  else if (isMap(value)) for (const [key, one] of Object.entries(value)) walk(one, [...path, key], tell);
}
