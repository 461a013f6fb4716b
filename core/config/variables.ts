import type { SecretRef } from "./config.ts";
import type { FilledAt } from "./filled.ts";
import { write } from "./hints/write.ts";
import { nearest } from "./nearest.ts";
import type { Path, YamlTree } from "./yaml-tree.ts";
import { shown } from "./yaml-tree.ts";

/** Something wrong with the value at a path. */
export interface Trouble {
  readonly path: Path;
  /** `key`: points at the name; `value`: at what stands there. `inside`: characters into the text at the path. */
  readonly at: "key" | "value";
  readonly inside?: number;
  readonly message: string;
  readonly hint: string | null;
}

export type Variables = Readonly<Record<string, string | undefined>>;

/** Where secrets stand: these stay references, and no message ever quotes them (S10). */
const SECRETS =
  /^(?:data_sources\.(?:metrics|deployments(?:\.\d+)?|logs|feature_flags)\.(?:write\.)?(?:token|api_key)|model\.api_key|gate\.token|ledger\.url|notifications\.(?:slack\.(?:bot_token|signing_secret)|pagerduty\.routing_keys\.[^.]+))$/;

// biome-ignore lint/suspicious/noTemplateCurlyInString: this is how the file spells it
const VARIABLE_FORM = "${VARIABLE}";
// biome-ignore lint/suspicious/noTemplateCurlyInString: this is how the file spells it
export const SECRET_FORMS = "${VARIABLE} or ${file:/path}";

export function isSecret(path: Path): boolean {
  return SECRETS.test(path.join("."));
}

export function pathText(path: Path): string {
  const short = (step: string) => (step.length > 80 ? `${step.slice(0, 77)}...` : step);
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${short(step)}`))
    .join("");
}

/** What stands at a path; undefined where nothing does. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/** Whether a variable is filled in at a path: then no message may tell what stands there afterwards (S10). */
export function isFilled(raw: unknown, path: Path): boolean {
  const value = valueAt(raw, path);
  return typeof value === "string" && value.includes("${");
}

const FORMS = ", without a default or prefix";

/** `VAR:-default`, `env.VAR`, `env:VAR` and ` VAR ` mean VAR in other tools; null: none is meant. */
function variableWithin(text: string): string | null {
  return /^\s*(?:(?:env|ENV)[.:])?([A-Za-z_]\w*)\s*(?::[-?+=].*)?$/s.exec(text)?.[1] ?? null;
}

/** What else is in the braces is not repeated: a default may be a secret (S10). */
const moreThanName = (variable: string): string =>
  `says more of the variable ${variable} than its name, and \${…} takes a name alone`;

const ANY_REFERENCE = /\$\$\{|\$\{([^{}]*)\}/g;
const VARIABLE = /^[A-Za-z_]\w*$/;

/**
 * Puts `${NAME}` into every text of the tree but the secrets, and checks that each variable is set. `$${` is a literal
 * `${`; `${1}` stays, because PromQL's label_replace means something by it.
 *
 * @param needed by the path of a secret: whether the variable that it names has to be set.
 * @returns `filled`: each variable that was put into a text.
 */
export function substitute(
  tree: YamlTree,
  variables: Variables,
  needed: (path: string) => boolean,
): { readonly value: unknown; readonly troubles: readonly Trouble[]; readonly filled: readonly FilledAt[] } {
  const troubles: Trouble[] = [];
  const filled: FilledAt[] = [];
  const walk = (value: unknown, path: Path): unknown => {
    if (typeof value === "string") {
      if (!isSecret(path)) {
        const { text, used } = substituteText(value, path, variables, troubles);
        filled.push(...used.map((name) => ({ name, value: variables[name] ?? "", path, text })));
        return text;
      }
      troubles.push(...secretTroubles(value, path, variables, needed(path.join("."))));
      return value;
    }
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, [...path, key])]));
  };
  return { value: walk(tree.root, []), troubles, filled };
}

function substituteText(
  text: string,
  path: Path,
  variables: Variables,
  troubles: Trouble[],
): { readonly text: string; readonly used: readonly string[] } {
  const used: string[] = [];
  const whole = text.replaceAll(ANY_REFERENCE, (whole: string, name: string | undefined, offset: number) => {
    if (name === undefined) return "${";
    if (/^\d+$/.test(name)) return whole;
    const trouble = referenceTrouble(name, path, variables);
    if (trouble === null) {
      used.push(name);
      return variables[name] ?? "";
    }
    troubles.push({ ...trouble, inside: offset });
    return whole;
  });
  return { text: whole, used };
}

function referenceTrouble(name: string, path: Path, variables: Variables): Trouble | null {
  const where = { path, at: "value" } as const;
  if (name.startsWith("file:")) {
    return { ...where, message: `${pathText(path)} cannot come from a file`, hint: "only tokens and keys can" };
  }
  if (!VARIABLE.test(name)) {
    const meant = variableWithin(name);
    const message = `${pathText(path)} ${meant === null ? `names a variable ${shown(name)}, which cannot be one` : moreThanName(meant)}`;
    const hint = meant === null ? `write ${VARIABLE_FORM}, or $\${ for a literal \${` : write(`"\${${meant}}"`, FORMS);
    return { ...where, message, hint };
  }
  return unsetTrouble(name, path, variables);
}

function unsetTrouble(name: string, path: Path, variables: Variables): Trouble | null {
  const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
  if (value !== undefined && value !== "") return null;
  const near = nearest(
    name,
    Object.keys(variables).filter((other) => other !== name && variables[other] !== undefined),
  );
  const message = `${pathText(path)} needs the variable ${name}, which is ${value === "" ? "empty" : "not set"}`;
  return { path, at: "value", message, hint: near === null ? `export ${name}=…` : `did you mean ${near}? it is set` };
}

function secretTroubles(text: string, path: Path, variables: Variables, needed: boolean): readonly Trouble[] {
  const secret = secretOf(text);
  if (secret === null) {
    const [only, ...others] = [...text.matchAll(/\$\{([^{}]*)\}/g)].map(([, name = ""]) => name);
    const meant = only === undefined || others.length > 0 ? null : variableWithin(only);
    const whole = text === `\${${only ?? ""}}`;
    const message = `${pathText(path)} ${whole && meant !== null ? moreThanName(meant) : "mixes text with a reference"}`;
    const alone = `make it one ${SECRET_FORMS} alone, and put the whole secret there`;
    const hint =
      meant === null ? alone : write(`"\${${meant}}"`, whole ? FORMS : ", alone, and put the whole secret there");
    return [{ path, at: "value", message, hint }];
  }
  if (secret.from !== "env" || !needed) return [];
  const trouble = unsetTrouble(secret.name, path, variables);
  return trouble === null ? [] : [trouble];
}

/** `${NAME}`, `${file:/path}` or the secret itself; null for a text that mixes them. Never resolved here. */
export function secretOf(text: string): SecretRef | null {
  const file = /^\$\{file:([^{}]+)\}$/.exec(text)?.[1]?.trim();
  if (file !== undefined && file !== "") return { from: "file", path: file };
  const name = /^\$\{([A-Za-z_]\w*)\}$/.exec(text)?.[1];
  if (name !== undefined) return { from: "env", name };
  return text.includes("${") ? null : { from: "text", value: text };
}
