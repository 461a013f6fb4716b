import { readYaml } from "./yaml-tree.ts";

/** One edit of a text: the characters from `from` to `to` become `text`. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** What one edit makes readable again, and what to say of it. Never quotes the text, which may hold a secret (S10). */
export interface Repair {
  readonly offset: number;
  readonly what: string;
  readonly hint: string;
  readonly edits: readonly Edit[];
  /** Only worth a hint where nothing is wrong with the content afterwards. */
  readonly isGuess?: boolean;
}

/** Each try reads the text anew; what is longer is left to its reader. */
const LONGEST_TEXT = 50_000;
/** Lines near the parser's complaints: the mistake is mostly in the line before. */
const MOST_LINES = 8;
const MOST_TRIES = 80;

/**
 * The one edit after which a text that is no YAML is some: found by trying what people get wrong (indentation, tabs, blanks
 * after `:` and `-`, quotes, brackets) near the places that the parser complains of, so that the hint is known to work.
 * Of several that work the one with the fewest `faults` of its content. Null: none of them is enough.
 *
 * @param offsets where the parser complains
 * @param faults how much is wrong with the content of a text that can be read
 */
export function repairOf(text: string, offsets: readonly number[], faults: (root: unknown) => number): Repair | null {
  if (text.length > LONGEST_TEXT) return null;
  const tries = linesNear(text, offsets).flatMap((line) => REPAIRS.flatMap((repair) => repair(line, text)));
  let best: { readonly repair: Repair; readonly faults: number } | null = null;
  for (const repair of tries.slice(0, MOST_TRIES)) {
    const tree = readYaml(applied(text, repair.edits));
    if (!tree.isYaml || tree.root === undefined) continue;
    const left = tree.faults.length + faults(tree.root);
    // Another indentation always makes some text readable; only where its content is right was it meant.
    if (left > 0 && repair.isGuess === true) continue;
    if (best === null || left < best.faults) best = { repair, faults: left };
    if (left === 0) break;
  }
  return best?.repair ?? null;
}

function applied(text: string, edits: readonly Edit[]): string {
  return edits
    .toSorted((one, other) => other.from - one.from)
    .reduce((result, { from, to, text: put }) => result.slice(0, from) + put + result.slice(to), text);
}

interface Line {
  readonly start: number;
  readonly text: string;
  /** Indentations that a line here can have: those of what is above and still open, the nearest first. */
  readonly indents: readonly number[];
}

function linesNear(text: string, offsets: readonly number[]): readonly Line[] {
  const lines: Line[] = [];
  const open: number[] = [];
  let start = 0;
  for (const line of text.split("\n")) {
    const clean = line.replace(/\r$/, "");
    const content = /^\s*(?:#.*)?$/.test(clean) ? null : clean;
    if (content !== null) {
      lines.push({ start, text: content, indents: [...new Set(open)].toReversed() });
      const [, blank = "", dash = ""] = /^([ ]*)(-\s+)?/.exec(content) ?? [];
      while ((open.at(-1) ?? -1) > blank.length) open.pop();
      open.push(blank.length);
      if (dash !== "") open.push(blank.length + dash.length);
      if (/:\s*(?:#.*)?$/.test(content)) open.push(blank.length + dash.length + 2);
    }
    start += line.length + 1;
  }
  const near = offsets.flatMap((offset) => {
    const at = lines.findLastIndex((line) => line.start <= offset);
    const entry = lines.findLastIndex(({ text: line }, index) => index <= at && /^\s*-\s/.test(line));
    return [at, at - 1, at - 2, at + 1, entry];
  });
  return [...new Set(near)].slice(0, MOST_LINES).flatMap((index) => lines[index] ?? []);
}

type Try = (line: Line, text: string) => readonly Repair[];

/** Inserts something at each place that a pattern ends at. */
const inserting =
  (pattern: RegExp, put: string, what: string): Try =>
  ({ start, text }) => {
    const found = pattern.exec(text);
    if (found === null) return [];
    const offset = start + found.index + found[0].length;
    const hint = put === " " ? "insert a space here" : `insert ${put} here`;
    return [{ offset, what, hint, edits: [{ from: offset, to: offset, text: put }] }];
  };

const oddBlanks: Try = ({ start, text }) => {
  const edits = [...text.matchAll(/[\u00A0\u2000-\u200B\u202F\u2060\uFEFF]/g)].map(({ index }) => {
    return { from: start + index, to: start + index + 1, text: " " };
  });
  const [first] = edits;
  if (first === undefined) return [];
  return [{ offset: first.from, what: "a blank that is no plain space", hint: "replace it with a plain space", edits }];
};

const indentation: Try = ({ start, text, indents }) => {
  const blank = /^\s*/.exec(text)?.[0] ?? "";
  const tab = blank.includes("\t");
  return indents
    .filter((indent) => tab || indent !== blank.length)
    .map((indent) => ({
      offset: tab ? start + blank.indexOf("\t") : start + blank.length,
      what: tab ? "a tab as indentation" : "the indentation does not fit the lines around it",
      hint: `indent it with ${indent} spaces`,
      edits: [{ from: start, to: start + blank.length, text: " ".repeat(indent) }],
      isGuess: true,
    }));
};

/** A name of a map with the dash of a list before it. */
const undashed: Try = ({ start, text }) => {
  const [, blank = "", dash] = /^(\s*)(-\s+)[\w-]+:\s*$/.exec(text) ?? [];
  if (dash === undefined) return [];
  const from = start + blank.length;
  const edits = [{ from, to: from + dash.length, text: "" }];
  return [{ offset: from, what: "a list where names with a colon are", hint: "remove the - here", edits }];
};

/** A value of one line that YAML reads as something else: an alias, a template, another key, quotes within quotes. */
const quoting: Try = ({ start, text }) => {
  const [whole, before = "", value = ""] = /^(\s*(?:-\s+)?(?:[\w.-]+:\s+)?)(\S.*?)\s*$/.exec(text) ?? [];
  if (whole === undefined || value === "") return [];
  const at = start + before.length;
  const inner = /^"(.*)"$/.exec(value)?.[1];
  if (inner?.includes('"') === true && !inner.includes("'")) {
    const edits = [{ from: at, to: at + value.length, text: `'${inner}'` }];
    return [{ offset: at, what: "double quotes within double quotes", hint: "put it in single quotes", edits }];
  }
  const plain = /^(.*?)(?:\s+#.*)?$/.exec(value)?.[1] ?? value;
  return [...new Set([plain, value])]
    .filter((one) => !/^["'[]/.test(one))
    .map((one) => ({ ...quotedAt(at, one), isGuess: true }));
};

/** The same for one entry of a list in brackets; a comment may have swallowed its end. */
const quotingEntries: Try = ({ start, text }) =>
  [...text.matchAll(/(?<=[[,]\s*)[^\s"'[\],{}][^"'[\],{}]*(?=[\],])/g)]
    .filter(([entry]) => /^[*@`%&]|: | #/.test(entry))
    .map(({ index, 0: entry }) => quotedAt(start + index, entry));

function quotedAt(offset: number, text: string): Repair {
  const quote = text.includes('"') ? "'" : '"';
  const edits = [{ from: offset, to: offset + text.length, text: `${quote}${text}${quote}` }];
  return { offset, what: "a text that YAML reads as something else", hint: "put it in quotes", edits };
}

const NEEDS_CLOSING: Readonly<Record<string, string>> = { "[": "]", "{": "}" };

/** What is open at the end of the line: a quote, or a bracket outside of quotes. */
const closing: Try = ({ start, text }) => {
  const bare = text.replace(/\s+#.*$/, "").trimEnd();
  const outside = bare.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'/g, (one) => "x".repeat(one.length));
  const quote = /["']/.exec(outside)?.[0];
  const open: string[] = [];
  for (const [sign] of outside.matchAll(/[[\]{}]/g)) {
    const close = NEEDS_CLOSING[sign];
    if (close !== undefined) open.push(close);
    else if (open.at(-1) === sign) open.pop();
  }
  const put = quote ?? open.toReversed().join("");
  if (put === "") return [];
  const offset = start + bare.length;
  const what = quote === undefined ? "a bracket that is still open" : "a quote that is still open";
  return [{ offset, what, hint: `insert ${put} here`, edits: [{ from: offset, to: offset, text: put }] }];
};

const REPAIRS: readonly Try[] = [
  oddBlanks,
  quotingEntries,
  closing,
  inserting(/^\s*(?:-\s+)?[\w.-]+:(?=[^\s/:])/, " ", "no space after the colon"),
  inserting(/^\s*-(?=[A-Za-z"'])/, " ", "no space after the dash"),
  inserting(/^\s*(?:-\s+)?[A-Za-z_][\w.-]*(?=\s*(?:#.*)?$)/, ":", "no colon after the key"),
  inserting(/^\s*(?:-\s+)?[a-z_]+(?= +\S)/, ":", "no colon after the key"),
  undashed,
  indentation,
  quoting,
];
