import { CHECKS, SPELLING } from "./checks/all.ts";
import { isMap } from "./checks/check.ts";
import { ledgerIsKept } from "./checks/ledger.ts";
import { isMisspelledCanary } from "./checks/policies.ts";
import type { Config, ConfigProblem } from "./config.ts";
import { deepAsWritten, freelyFilled } from "./filled.ts";
import { quoted, write } from "./hints/write.ts";
import { schemaTroubles } from "./issues.ts";
import { choicesAt } from "./json-schema.ts";
import { mayQuote } from "./may-quote.ts";
import { ConfigFile } from "./schema/file.ts";
import { isNeeded, type Process } from "./secrets.ts";
import { toConfig } from "./to-config.ts";
import { respelled } from "./typos.ts";
import { vainIn } from "./vain.ts";
import { isFilled, pathText, substitute, type Trouble, type Variables, valueAt } from "./variables.ts";
import { deepFreeze } from "./written-values.ts";
import { repairOf } from "./yaml-repair.ts";
import { type Fault, oneLine, readYaml, type YamlTree } from "./yaml-tree.ts";

export type Loaded =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** More than a person reads at once; the rest is counted. */
const MOST_PROBLEMS = 500;

/**
 * The text of a configuration file → the configuration, or everything that is wrong with it at once, in the order of
 * the file (S8). Pure and total: any text gives an answer, and nothing is thrown.
 *
 * @param file how problems name the file
 * @param variables what `${NAME}` may stand for; secrets are only checked to be set, never read into the result
 * @param options `secrets: "unused"`: no source will be asked (a replay), so secrets need not be set; `process`: who
 *   asks, where the file names a `gate`, so that each needs its own secrets alone; `replay`: the ledger that the file
 *   names is not used
 */
export function loadConfig(
  text: string,
  file: string,
  variables: Variables,
  {
    secrets = "needed",
    process = "agent",
    replay = false,
  }: { readonly secrets?: "needed" | "unused"; readonly process?: Process; readonly replay?: boolean } = {},
): Loaded {
  const { tree, troubles: typos } = respelled(readYaml(text));
  const refuse = (faults: readonly Fault[]): Loaded => ({ ok: false, problems: problemsOf(faults, tree, file) });
  if (tree.root === undefined) return refuse(tree.isYaml ? tree.faults : repaired(text, tree.faults));
  if (tree.root === null && tree.faults.length === 0) {
    return refuse([
      { offset: 0, message: "the file is empty", hint: "begin with data_sources; see examples/unship.yaml" },
    ]);
  }
  const separate = isMap(tree.root) && isMap(tree.root.gate);
  const needed = (key: string) => secrets === "needed" && isNeeded(key, process, separate);
  const { value, troubles, filled } = substitute(tree, variables, needed);
  const parsed = ConfigFile.safeParse(value);
  const misspelled = SPELLING.flatMap((check) => check({ file: value, raw: tree.root }));
  // Whatever else is wrong at these places follows from it.
  const unfilled = new Set([...typos, ...troubles, ...misspelled].map(({ path }) => pathText(path)));
  const found = [
    ...typos,
    ...troubles,
    ...misspelled,
    ...[
      ...(parsed.success ? [] : schemaTroubles(parsed.error.issues, tree.root)),
      ...[...CHECKS, ...(replay ? [] : [ledgerIsKept])].flatMap((check) => check({ file: value, raw: tree.root })),
    ].filter(({ path }) => !unfilled.has(pathText(path))),
  ];
  const spoiled = new Set(tree.faults.map(({ offset }) => offset));
  const hidden = freelyFilled(filled, tree.root);
  const further = withoutEchoes(found, tree.root).map((trouble) =>
    deepAsWritten(faultOf(withSwallowed(trouble, tree), tree), hidden),
  );
  const faults = [...tree.faults, ...further.filter(({ offset }) => !spoiled.has(offset))];
  if (!parsed.success || faults.length > 0) return refuse(faults);
  const config = toConfig(parsed.data, isMap(tree.root) && tree.root.mode !== undefined);
  const vain = problemsOf(
    vainIn(parsed.data, tree.root).map((trouble) => deepAsWritten(faultOf(trouble, tree), hidden)),
    tree,
    file,
  );
  return {
    ok: true,
    config: deepFreeze({
      ...config,
      ...(hidden.length === 0 ? {} : { filled: hidden }),
      ...(vain.length === 0 ? {} : { vain }),
    }),
  };
}

/**
 * What was found wrong with a file after it was loaded, such as names that no source knows, as problems of it: in its
 * order, each with the line and column where it stands.
 */
export function locate(troubles: readonly Trouble[], text: string, file: string): readonly ConfigProblem[] {
  const tree = readYaml(text);
  return problemsOf(
    troubles.map((trouble) => faultOf(trouble, tree)),
    tree,
    file,
  );
}

/** A problem as one line: `file:line:column: what is wrong (what to do)`. */
export function formatProblem({ file, line, column, message, hint }: ConfigProblem): string {
  return oneLine(`${file}:${line}:${column}: ${message}${hint === null ? "" : ` (${hint})`}`);
}

/** What else is wrong inside a mistyped canary_analysis follows from the typo. */
function withoutEchoes(troubles: readonly Trouble[], root: unknown): readonly Trouble[] {
  const policies = isMap(root) && isMap(root.rollback_policies) ? root.rollback_policies : {};
  if (policies.canary_analysis !== undefined) return troubles;
  return troubles.filter(({ path, message }) => {
    const [section, name] = path;
    if (
      section !== "rollback_policies" ||
      typeof name !== "string" ||
      !isMisspelledCanary(name, valueAt(root, path.slice(0, 2)))
    )
      return true;
    return path.length === 2 && message.includes("is no policy");
  });
}

/** Where one edit makes the whole readable, all that the parser complains of is one mistake. */
function repaired(text: string, faults: readonly Fault[]): readonly Fault[] {
  const offsets = faults.map(({ offset }) => offset);
  const wrongIn = (root: unknown) =>
    (ConfigFile.safeParse(root).error?.issues ?? []).filter(({ path }) => {
      return !isFilled(
        root,
        path.map((step) => (typeof step === "symbol" ? String(step) : step)),
      );
    });
  const repair = repairOf(text, offsets, (root) => wrongIn(root).length);
  if (repair === null) return faults;
  return [{ offset: repair.offset, message: `not readable as YAML: ${repair.what}`, hint: repair.hint }];
}

/** Where nothing is since a comment begins there, the comment is what was meant. */
function withSwallowed(trouble: Trouble, tree: YamlTree): Trouble {
  const { path, at } = trouble;
  const comment = at === "value" && valueAt(tree.root, path) === null ? tree.swallowedAt(path) : null;
  if (comment === null) return trouble;
  const message = `${pathText(path)} is empty: what follows # is a comment`;
  const word = comment.split(/\s/, 1)[0] ?? "";
  const meant = choicesAt(path, tree.root).find((choice) => choice === word);
  const asText = mayQuote(comment, path) ? write(quoted(`#${comment}`)) : "put it in quotes";
  return { path, at, message, hint: meant === undefined ? asText : write(meant) };
}

function faultOf({ path, at, inside, message, hint }: Trouble, tree: YamlTree): Fault {
  const offset =
    inside !== undefined
      ? tree.offsetInside(path, inside)
      : at === "key"
        ? tree.keyOffsetOf(path)
        : tree.offsetOf(path);
  return { offset, message, hint };
}

function problemsOf(faults: readonly Fault[], tree: YamlTree, file: string): readonly ConfigProblem[] {
  const sorted = [...faults].sort((a, b) => a.offset - b.offset);
  const kept = sorted.slice(0, MOST_PROBLEMS);
  const more = sorted.length - kept.length;
  const problems = kept.map(({ offset, message, hint }) => ({
    file,
    ...tree.positionOf(offset),
    message: oneLine(message),
    hint: hint === null ? null : oneLine(hint),
  }));
  const last = problems.at(-1);
  if (more === 0 || last === undefined) return problems;
  return [...problems, { ...last, message: `and ${more} more problems below`, hint: "fix these first" }];
}
