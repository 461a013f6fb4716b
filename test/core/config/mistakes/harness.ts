import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { unreadableQueries } from "../../../../agent/compose/prove-queries.ts";
import type { ConfigProblem } from "../../../../core/config/config.ts";
import { formatProblem, loadConfig, locate } from "../../../../core/config/load.ts";
import { readYaml } from "../../../../core/config/yaml-tree.ts";
import { applyHint, type Written } from "./apply-hint.ts";

/** A whole and sound file, of which nothing is to be said. */
export const BASE = readFileSync(join(import.meta.dirname, "base.yaml"), "utf8");
const VARIABLES = Object.fromEntries([...BASE.matchAll(/\$\{(\w+)\}/g)].map(([, name = ""]) => [name, `of-${name}`]));

/** Stands in a mistaken text before the character that the problem has to point at, and is no part of it. */
const HERE = "‸";

/** One mistake as a person makes it. */
export interface Mistake {
  readonly what: string;
  /** The file that was right before; `BASE` where nothing is said. */
  readonly base?: string;
  /** A part of the base file, and what is there instead, with `‸` where the problem has to point. */
  readonly from: string;
  readonly to: string;
  /** What the message has to name: the key and the value, or what is wrong with the line. */
  readonly says: RegExp;
  /**
   * What a person makes of `to`, where the hint leaves a choice or a value that only people know; otherwise the test does
   * what the hint says.
   */
  readonly person?: string;
  /** Variables that are set besides, since the fix names them. */
  readonly set?: Readonly<Record<string, string>>;
}

/** Everything that `unship check --offline` names in a file with its line: what it refuses, and what it warns of. */
export function saidOf({ text, variables }: Written): {
  readonly verdict: Verdict;
  readonly said: readonly ConfigProblem[];
} {
  const loaded = loadConfig(text, "unship.yaml", variables);
  if (!loaded.ok) return { verdict: "refused", said: loaded.problems };
  const unreadable = locate(unreadableQueries(loaded.config, readYaml(text).root), text, "unship.yaml");
  if (unreadable.length > 0) return { verdict: "refused", said: unreadable };
  const { vain = [] } = loaded.config;
  return { verdict: vain.length > 0 ? "warned of" : "sound", said: vain };
}

type Verdict = "refused" | "warned of" | "sound";

/** The base file with the mistake in it, and where the problem has to point. */
export function mistaken({ base = BASE, from, to, set = {} }: Mistake): Written & { readonly place: string } {
  expect(base.split(from), `the base file has this once: ${from}`).toHaveLength(2);
  const marked = base.replace(from, () => to);
  const [before = "", ...after] = marked.split(HERE);
  expect(after, `one ${HERE} in ${to}`).toHaveLength(1);
  const lines = before.split("\n");
  return {
    text: before + after.join(""),
    variables: { ...VARIABLES, ...set },
    place: `${lines.length}:${(lines.at(-1) ?? "").length + 1}`,
  };
}

/** More than one fix after the other is none that a person calls one. */
const MOST_FIXES = 2;

/**
 * Each row: the file is refused (or warned of) with that one problem, at its place, naming what is wrong; and once its hint was
 * followed nothing more is said of the file.
 */
export function eachIs(verdict: "refused" | "warned of", rows: readonly Mistake[]): void {
  it.each(rows.map((row) => [row.what, row] as const))(`%s is ${verdict}, and its hint mends it`, (_, row) => {
    const { place, ...written } = mistaken(row);
    const { said, ...first } = saidOf(written);
    expect(said.map((one) => `${one.line}:${one.column} ${formatProblem(one)}`)).toEqual([
      expect.stringMatching(new RegExp(`^${place} `)),
    ]);
    expect(first.verdict).toBe(verdict);
    expect(said[0]?.message).toMatch(row.says);
    expect(said[0]?.hint ?? "").not.toBe("");
    if (row.person !== undefined) {
      const text = (row.base ?? BASE).replace(row.from, () => row.person ?? "");
      expect(saidOf({ ...written, text })).toEqual({ verdict: "sound", said: [] });
      return;
    }
    expect(fixed(written)).toEqual({ verdict: "sound", said: [] });
  });
}

/** What is said of a file after its first problem's hint was followed, and if need be that of the next. */
function fixed(written: Written): ReturnType<typeof saidOf> | string {
  let [now, tries] = [written, 0];
  for (;;) {
    const result = saidOf(now);
    const [first] = result.said;
    if (first === undefined) return result;
    const next = tries < MOST_FIXES ? applyHint(now, first) : null;
    if (next === null) return `not fixed after ${tries}: ${formatProblem(first)}`;
    now = next;
    tries += 1;
  }
}
