import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";
import type { ConfigProblem } from "../../../../core/config/config.ts";

/** A file, and the variables that are set where it is read. */
export interface Written {
  readonly text: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** One token of a hint: something in quotes, in brackets, `key: value`, or a word. */
const TOKEN = String.raw`("(?:[^"\\]|\\.)*"|\[[^\]]*\]|\{(?:[^{}]|\{[^{}]*\})*\}|[^\s,;:?()]+(?=[\s,;:?()]|$))`;
const WRITE = new RegExp(`(?:^|: )write ${TOKEN}`);
const MEANT = /(?:^|: )did you mean (\S+)\?/;
const ADD = new RegExp(String.raw`^add (\w+): ${TOKEN}`);
const INSERT = /^insert (\S+|a space) here/;
const INDENT = /^indent it with (\d+) spaces/;
const SECTION = /indent it with all beneath it by (\d+) spaces/;

/**
 * Does what the hint of a problem says, at the place that the problem names and nowhere else; nothing of it is known but its
 * line, its column and its hint. Null: the hint has no text to write, so that a person has to think.
 */
export function applyHint({ text, variables }: Written, { line, column, hint }: ConfigProblem): Written | null {
  if (hint === null) return null;
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const start = starts[line - 1] ?? 0;
  const at = start + column - 1;
  const [whole = ""] = text.slice(start).split("\n", 1);
  const to = (from: number, end: number, put: string) => ({
    text: text.slice(0, from) + put + text.slice(end),
    variables,
  });
  const named = (expression: RegExp) => expression.exec(hint)?.[1];

  const exported = /^export (\w+)=/.exec(hint)?.[1];
  if (exported !== undefined) return { text, variables: { ...variables, [exported]: "set-by-hand" } };
  const inserted = named(INSERT);
  if (inserted !== undefined) return to(at, at, inserted === "a space" ? " " : inserted);
  const indent = named(INDENT);
  if (indent !== undefined)
    return to(start, start + whole.length - whole.trimStart().length, " ".repeat(Number(indent)));
  const section = named(SECTION);
  if (section !== undefined)
    return to(start, endOfBlock(text, start), shifted(text.slice(start, endOfBlock(text, start)), Number(section)));
  if (hint.startsWith("replace it with a plain space"))
    return to(start, start + whole.length, whole.replaceAll(/[\u00A0\u2000-\u200B\u202F]/g, " "));
  if (hint.startsWith("remove the - here")) return to(at, at + 2, "");
  if (hint.includes("remove what begins at ---")) return to(at, at + 4, "");
  if (hint.startsWith("begin a new entry here")) return to(at - 2, at, "- ");
  if (hint.startsWith("put it in quotes"))
    return to(at, endOfPlain(text, at), `"${text.slice(at, endOfPlain(text, at))}"`);
  if (hint.startsWith("put it in single quotes")) {
    const end = start + whole.trimEnd().length;
    return to(at, end, `'${text.slice(at + 1, end - 1)}'`);
  }
  if (hint.includes("without the leading zero")) return to(at, at + (/^0+/.exec(text.slice(at))?.[0].length ?? 0), "");

  const found = nodeAt(text, at);
  if (found === null) return null;
  if (hint.startsWith("remove it") || hint.startsWith("remove one of them"))
    return to(start, endOfBlock(text, start), "");
  const [, key, value] = ADD.exec(hint) ?? [];
  if (key !== undefined && value !== undefined) return added(text, at, found, `${key}: ${value}`, to);
  const put = named(MEANT) ?? named(WRITE);
  if (put === undefined) return null;
  const variable = /^"\$\{(\w+)\}"$/.exec(put)?.[1];
  const secret = hint.includes("put the secret into that variable") && variable !== undefined;
  const more = secret ? { ...variables, [variable]: "what-was-in-the-file" } : variables;
  // A variable or a choice is one word within a text; all else is the whole value.
  const isWord = MEANT.test(hint) && !put.startsWith('"');
  const [from, end] = isWord ? wordAt(text, at, found) : found.range;
  if (text[at] === "#") return to(at, start + whole.length, put);
  return { ...to(from, end, put), variables: more };
}

interface Found {
  readonly range: readonly [number, number];
  readonly isMap: boolean;
  readonly isKey: boolean;
}

/** The key or value of the document that begins at an offset. */
function nodeAt(text: string, offset: number): Found | null {
  const found: { node: Node; isKey: boolean }[] = [];
  visit(parseDocument(text, { lineCounter: new LineCounter(), uniqueKeys: false }), {
    Node(key, node) {
      if (node.range?.[0] === offset) found.push({ node, isKey: key === "key" });
      else if (isScalar(node) && node.range && node.range[0] < offset && offset < node.range[1])
        found.push({ node, isKey: key === "key" });
    },
  });
  const key = found.find(({ isKey }) => isKey);
  const [first] = found;
  if (first === undefined) return null;
  const { node } = key ?? first;
  const [from = 0, to = 0] = node.range ?? [];
  const whole = isMap(first.node) ? first.node : node;
  const end = isMap(node) || isSeq(node) ? from + text.slice(from, to).trimEnd().length : to;
  return { range: [from, end], isMap: isMap(whole), isKey: key !== undefined };
}

/** The word at an offset of a text, or all of it where the place is its begin. */
function wordAt(text: string, at: number, { range: [from, to] }: Found): readonly [number, number] {
  const inner = text.slice(from, to);
  const reference = /^"?\$\{(\w+)\}"?$/.exec(inner)?.[1];
  if (reference !== undefined) {
    const begin = from + inner.indexOf(reference);
    return [begin, begin + reference.length];
  }
  const quote = /^["']/.test(inner) ? 1 : 0;
  if (at <= from + quote) return [from + quote, to - quote];
  return [at, at + (/^[\w]+/.exec(text.slice(at))?.[0].length ?? 0)];
}

/** A line in the map that begins or is named at an offset. */
function added(
  text: string,
  at: number,
  { isKey, isMap: inside }: Found,
  line: string,
  to: (from: number, end: number, put: string) => Written,
): Written {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  const own = text.slice(start, at);
  if (isKey && !inside) {
    const end = text.indexOf("\n", at) + 1;
    const [blank = ""] = /^ */.exec(text.slice(end)) ?? [];
    return to(end, end, `${blank}${line}\n`);
  }
  const blank = " ".repeat(own.length);
  return to(at, at, `${line}\n${blank}`);
}

/** Where what begins in a line ends: before the next line that is indented no further. */
function endOfBlock(text: string, start: number): number {
  const lines = text.slice(start).split("\n");
  const blank = (line: string) => line.length - line.trimStart().length;
  const [first = ""] = lines;
  const after = lines.findIndex((line, index) => index > 0 && line.trim() !== "" && blank(line) <= blank(first));
  const kept = after < 0 ? lines : lines.slice(0, after);
  return Math.min(text.length, start + kept.join("\n").length + (after < 0 ? 0 : 1));
}

const shifted = (block: string, by: number): string => block.replaceAll(/^(?=.*\S)/gm, " ".repeat(by));

/** The end of an unquoted text: of the entry in brackets, or of the line without its comment. */
function endOfPlain(text: string, at: number): number {
  const [line = ""] = text.slice(at).split("\n", 1);
  const before = text.slice(text.lastIndexOf("\n", at) + 1, at);
  const inBrackets = before.includes("[") && !before.includes("]");
  return at + (inBrackets ? line.search(/[\],]/) : line.replace(/\s+#.*$/, "").trimEnd().length);
}
