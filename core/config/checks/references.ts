import { write } from "../hints/write.ts";
import { mayQuote } from "../may-quote.ts";
import { isSecret, type Trouble, valueAt } from "../variables.ts";
import type { Path } from "../yaml-tree.ts";
import { type Check, isMap, type Placed, valueTroubleAt } from "./check.ts";

/** Other tools' ways to name a variable, as the whole of a text: a shell's, Kubernetes', Go's and Jinja's templates', Windows'. */
const FOREIGN =
  /^\s*(?:\$([A-Za-z_]\w*)|\$\(\s*([A-Za-z_]\w*)\s*\)|\{\{-?\s*(?:\.Values\.|\.Env\.|\.|env\.)?([A-Za-z_]\w*)\s*-?\}\}|%([A-Za-z_]\w*)%)\s*$/;
/** Within other text only what is no word of a language: `$NAME` in capitals. */
const WITHIN = /\$(?!\{)\(?([A-Z][A-Z0-9_]+)\b\)?/;
/** PromQL and prose have a use for the sign of their own. */
const OWN_LANGUAGE = /(?:^|\.)(?:queries\..*|action|prompt|message|require_human_approval_if)$/;
/** A secret may begin with any sign, and is named by no message: only what nobody takes for one is taken for a name (S10). */
const SURELY_A_NAME = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/;

/** A reference in another tool's spelling would be taken for the value itself, and sent as a password or a name. */
export const referencesAreSpelled: Check = ({ raw }) =>
  textsIn(raw).flatMap(({ path, value: text }) => {
    const where = path.filter((step) => typeof step === "string").join(".");
    if (OWN_LANGUAGE.test(where) || isOfAShell(raw, path)) return [];
    const [, ...names] = FOREIGN.exec(text) ?? [];
    const whole = names.find((name) => name !== undefined);
    if (whole !== undefined)
      return isSecret(path) && !SURELY_A_NAME.test(whole) ? [] : [trouble(path, whole, write(`"\${${whole}}"`))];
    const within = isSecret(path) ? null : WITHIN.exec(text);
    const name = within?.[1];
    if (!within || name === undefined) return [];
    const meant = JSON.stringify(text.replace(within[0], () => `\${${name}}`));
    return [trouble(path, name, mayQuote(text, path) ? write(meant) : `spell it \${${name}}`)];
  });

/** Arguments of a command that a shell runs, which fills in its variables itself. */
function isOfAShell(raw: unknown, path: Path): boolean {
  if (path[1] !== "migrations") return false;
  const words = valueAt(raw, path.slice(0, -1));
  return Array.isArray(words) && words.some((word) => typeof word === "string" && /(?:^|\/)[a-z]*sh$/.test(word));
}

const trouble = (path: Path, name: string, hint: string): Trouble =>
  valueTroubleAt(path, `names the variable ${name} as another tool would, and would be taken as it is`, hint);

/** A path of a file where a secret must be is no secret. Only folders in which secrets lie: a secret may begin with `/` (S10). */
export const secretFilesAreReferences: Check = ({ raw }) =>
  textsIn(raw).flatMap(({ path, value: text }) => {
    const file = /^(?:file:(?:\/\/)?)?(\/(?:run|etc|var|home|opt|mnt|srv|vault)\/[\w./-]+)$/.exec(text)?.[1];
    if (file === undefined || !isSecret(path)) return [];
    return [
      valueTroubleAt(path, "is the path of a file, and would be taken for the secret", write(`"\${file:${file}}"`)),
    ];
  });

/** Every text in a part of a file, each with the path from there on. */
export function textsIn(node: unknown, path: Path = []): readonly Placed<string>[] {
  if (typeof node === "string") return [{ path, value: node }];
  if (Array.isArray(node)) return node.flatMap((one: unknown, index) => textsIn(one, [...path, index]));
  return isMap(node) ? Object.entries(node).flatMap(([key, one]) => textsIn(one, [...path, key])) : [];
}

const PROSE = /^(?:prompt|message)$/;

/** Quotes of a word processor are part of the text to YAML, which then is no name of anything. */
export const quotesArePlain: Check = ({ raw }) =>
  textsIn(raw).flatMap(({ path, value: text }) => {
    const inner = /^[“”„«‘’]([^“”„«»‘’]*)[“”»‘’]$/u.exec(text)?.[1];
    if (inner === undefined || PROSE.test(String(path.at(-1)))) return [];
    const hint = mayQuote(text, path) ? write(JSON.stringify(inner)) : "write it in plain quotes";
    return [valueTroubleAt(path, "is in typographic quotes, which YAML takes for a part of the text", hint)];
  });
