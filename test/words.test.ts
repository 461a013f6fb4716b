import { globSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { parse } from "acorn";
import { full } from "acorn-walk";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");

/** What no text says, and what it says instead: `docs/glossary.md`. */
const WORDS: readonly (readonly [home: RegExp, instead: string])[] = [
  [/\b(?:troubles?|troubled|harm(?:s|ed|ful)?|hurts?|hurting)\b/i, "degradation, degraded, affected"],
  [/\b(?:guilty|accus\w+|convict\w+|blame[ds]?|blaming)\b/i, "culprit, suspected, attributed"],
  [/\binnocent\b/i, "unrelated"],
  [/\b(?:tak(?:e|es|en|ing)|took)(?: \w+){0,4} back\b|\bway back\b/i, "roll back, rolled back, restore"],
  [/\b(?:go|goes|going|gone|went) back\b/i, "is rolled back, is restored"],
  [/\b(?:looks?|looked)\b/i, "evaluation; check, read, review"],
  [/\b(?:told|untold)\b/i, "notified, reported, undetermined"],
  [/\b(?:stands?|stood)\b/i, "is, is recorded, holds"],
  [/\busual\b|\bno worse\b/i, "baseline, within baseline"],
  [/\bcame of\b|\bcame out of\b/i, "outcome"],
  [/\b(?:people decide|left to people)\b/i, "escalated to people, needs approval"],
  [/\bnobody (?:is told|knows)\b/i, "no notification is sent; unknown"],
  [/\bsilent\b/i, "no data, source unavailable"],
  [/\baccomplices?\b/i, "concurrent fault"],
  [/\b(?:dearer|starved|busier|fewer seen)\b/i, "cost per request, traffic loss, load, traffic drop"],
  [/\b(?:left behind|creep\w*|case file|arguing|lingering|desk)\b/i, "the glossary's word"],
  [/\bmend\w*\b/i, "fix"],
  [/\bweighed\b/i, "compared, judged"],
  [/[a-z][,;] {2,}/, "one blank"],
  [/\d\.?\d*e[+-]\d/i, "three significant digits with a unit"],
];

interface Text {
  readonly at: string;
  readonly text: string;
}

/** The sentences in a module: its strings and the parts of its templates that hold more than one word. */
function sentences(path: string): readonly Text[] {
  const tree = parse(stripTypeScriptTypes(readFileSync(join(ROOT, path), "utf8")), {
    ecmaVersion: "latest",
    sourceType: "module",
    locations: true,
  });
  const found: Text[] = [];
  full(tree, (node) => {
    const text = textOf(node as unknown as Node);
    if (text !== null && /\S\s+\S|^\s+\S|\S\s+$/.test(text))
      found.push({ at: `${path}:${node.loc?.start.line}`, text });
  });
  return found;
}

interface Node {
  readonly type: string;
  readonly value?: unknown;
}

function textOf({ type, value }: Node): string | null {
  if (type === "Literal") return typeof value === "string" ? value : null;
  if (type !== "TemplateElement" || typeof value !== "object" || value === null) return null;
  return "cooked" in value && typeof value.cooked === "string" ? value.cooked : null;
}

const homeMade = ({ at, text }: Text): readonly string[] =>
  WORDS.flatMap(([home, instead]) => {
    const word = home.exec(text)?.[0];
    return word === undefined ? [] : [`${at}: "${word}" in "${text.trim()}" (write: ${instead})`];
  });

/** Reads a Markdown file as paragraphs, each one line: prose alone, without code, link targets and comments. */
function prose(path: string): readonly Text[] {
  const blank = (code: string) => code.replaceAll(/[^\n]/g, "");
  const written = readFileSync(join(ROOT, path), "utf8")
    .replaceAll(/^ *(```|~~~).*?^ *\1/gms, blank)
    .replaceAll(/<!--.*?-->/gs, blank)
    .replaceAll(/`[^`]*`/g, (code) => `\`${blank(code)}\``)
    .replaceAll(/\]\([^)]*\)/g, "]");
  return paragraphs(path === GLOSSARY ? written.replaceAll(/\|[^|\n]*\|$/gm, "|") : written, path);
}

/** Its last column holds the words that are not used. */
const GLOSSARY = "docs/glossary.md";

/** Lines that belong together as one text, since a phrase may be broken over two of them; a table's row is one text. */
function paragraphs(written: string, path: string): readonly Text[] {
  const found: { at: string; text: string }[] = [];
  let open = false;
  for (const [index, line] of written.split("\n").entries()) {
    const text = line.trim();
    const last = found.at(-1);
    if (open && text !== "" && last !== undefined && !/^(?:[|#]|[-*] |\d+\. )/.test(text)) last.text += ` ${text}`;
    else if (text !== "") found.push({ at: `${path}:${index + 1}`, text });
    open = text !== "" && !/^[|#]/.test(text);
  }
  return found;
}

const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "ROADMAP.md",
  "examples/openclaw/SKILL.md",
  ...globSync("docs/*.md", { cwd: ROOT }).toSorted(),
];

/** Surfaces as people see them: also the words of one word, and those that are put together. */
const SCREENS = globSync("test/screens/shown/*", { cwd: ROOT }).toSorted();

/** What is written by other people's programs, or is read from them. */
const OUTSIDE = ["evals/independent/**"];

const modules = (folder: string) => globSync(`${folder}/**/*.ts`, { cwd: ROOT, exclude: OUTSIDE }).toSorted();

describe("the words that a person reads", () => {
  it.each(["core", "agent", "mcp-tools", "knowledge", "evals", "scripts"])("are the glossary's in %s", (folder) => {
    const texts = modules(folder).flatMap(sentences);
    expect(texts.length).toBeGreaterThan(10);
    expect(texts.flatMap(homeMade)).toEqual([]);
  });

  it.each(PAGES)("are the glossary's in %s", (path) => {
    const texts = prose(path);
    expect(texts.length).toBeGreaterThan(2);
    expect(texts.flatMap(homeMade)).toEqual([]);
  });

  it.each(SCREENS)("are the glossary's in what a person sees, %s", (path) => {
    // The name of a field of JSON, and a number by itself in it, are for machines.
    const numbers = /^\s*"\w+":(?: -?[\d.]+(?:e[+-]\d+)?,?$)?/;
    const lines = readFileSync(join(ROOT, path), "utf8")
      .split("\n")
      .map((line) => line.replace(numbers, ""));
    expect(lines.map((text, index) => ({ at: `${path}:${index + 1}`, text })).flatMap(homeMade)).toEqual([]);
  });

  it.each([
    ["in a paragraph", "It was found,\nand the trouble began.", ["page.md:1"]],
    ["broken over two lines", "text\n\nIt is taken\nback.", ["page.md:3"]],
    ["in a row of a table", "| a | b |\n|---|---|\n| innocent | unrelated |", ["page.md:3"]],
    ["in an item of a list", "- one\n- who is guilty\n- three", ["page.md:2"]],
    ["nowhere: two lines that are no sentence", "- what is taken\n- back", []],
  ])("are found in a page %s", (_where, written, at) => {
    const found = paragraphs(written, "page.md").filter((text) => homeMade(text).length > 0);
    expect(found.map((text) => text.at)).toEqual(at);
  });

  it("are found wherever they are written", () => {
    const [first] = sentences("core/errors.ts");
    expect(first).toBeDefined();
    expect(homeMade({ at: "here", text: "the trouble began" })).toHaveLength(1);
    expect(homeMade({ at: "here", text: "it cannot be taken back" })).toHaveLength(1);
    expect(homeMade({ at: "here", text: "it was at 3.45e+3 ms" })).toHaveLength(1);
    expect(homeMade({ at: "here", text: "payments degraded since 19:59:58: error rate 22 %" })).toEqual([]);
  });
});
