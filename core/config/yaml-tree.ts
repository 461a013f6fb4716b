import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
} from "yaml";

export type Path = readonly (string | number)[];

/** Something wrong, by character offset; `loadConfig` turns it into a line and a column. */
export interface Fault {
  readonly offset: number;
  readonly message: string;
  readonly hint: string | null;
}

/** A YAML text as plain values, and where each of them stands in the text. */
export interface YamlTree {
  readonly root: unknown;
  readonly faults: readonly Fault[];
  /** Whether a parser takes it for one document; false: `faults` are the parser's. */
  readonly isYaml: boolean;
  /** Offset of the value at a path; of the nearest parent that exists where the path does not. */
  offsetOf(path: Path): number;
  /** Offset of the key that names the path; the same as `offsetOf` for a member of a list. */
  keyOffsetOf(path: Path): number;
  /** Offset of the character `index` of a text; the start of the value where escapes make that unclear. */
  offsetInside(path: Path, index: number): number;
  /** The comment that stands where the value at a path is missing, without its `#`; null: none, or a space begins it. */
  swallowedAt(path: Path): string | null;
  positionOf(offset: number): { readonly line: number; readonly column: number };
}

/** A configuration of ten thousand services is about this large; reading what is larger would only cost time. */
const LONGEST_TEXT = 2_000_000;
/** After the first mistakes in indentation a parser mostly reports their echoes. */
const MOST_FAULTS = 20;
/** Aliases multiply: without a bound a file of a few lines can describe billions of values. */
const MOST_VALUES = 200_000;
/** Far deeper than any configuration, far shallower than the stack. */
const DEEPEST = 50;

interface Place {
  readonly key: number;
  readonly value: number;
  readonly scalar: Scalar | null;
  readonly children: Map<string, Place>;
}

/**
 * Reads YAML 1.2 into plain values. Total: any text gives a tree, with `faults` where it is not the YAML of one
 * document, repeats a key, or is too large, too deep or too wide to be a configuration.
 */
export function readYaml(text: string): YamlTree {
  const lines = new LineCounter();
  if (text.length > LONGEST_TEXT) {
    const message = `the file has ${text.length} characters`;
    return treeOf(text, undefined, placeAt(0), [{ offset: 0, message, hint: `at most ${LONGEST_TEXT}` }], lines);
  }
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, merge: false });
    const broken = brokenIn([...document.errors, ...document.warnings]);
    if (broken.length > 0) return { ...treeOf(text, undefined, placeAt(0), broken, lines), isYaml: false };
    const reader = new Reader();
    const place = placeAt(document.contents?.range?.[0] ?? 0);
    const root = reader.read(document.contents, place, 0);
    return treeOf(text, reader.isTooLarge ? undefined : root, place, reader.faults, lines);
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
    const fault = { offset: 0, message: "not readable as YAML: it is nested too deeply", hint: null };
    return treeOf(text, undefined, placeAt(0), [fault], lines);
  }
}

class Reader {
  readonly faults: Fault[] = [];
  #values = 0;
  /** What was read is only the beginning, and says nothing of the rest. */
  get isTooLarge(): boolean {
    return this.#values > MOST_VALUES;
  }
  /** An alias means the last anchor of its name before it; what an alias repeats sets none anew. */
  readonly #anchors = new Map<string, Node>();
  #aliases = 0;

  read(node: unknown, place: Place, depth: number): unknown {
    this.#values += 1;
    if (!isNode(node)) return null;
    if (this.#values > MOST_VALUES) return this.#once(node, `more than ${MOST_VALUES} values`, "aliases multiply them");
    if (depth > DEEPEST) return this.#once(node, `nested more than ${DEEPEST} deep`, null);
    if (isAlias(node)) {
      const anchor = this.#anchors.get(node.source);
      if (anchor === undefined) {
        this.#fault(startOf(node) ?? 0, `there is no anchor ${shown(node.source)}`, "it must be above");
        return null;
      }
      this.#aliases += 1;
      const value = this.read(anchor, place, depth + 1);
      this.#aliases -= 1;
      return value;
    }
    this.#remember(node);
    if (isScalar(node)) {
      if (typeof node.value === "number" && /^[-+]?0\d/.test(node.source ?? "") && Number.isInteger(node.value))
        this.#fault(startOf(node) ?? 0, ...LEADING_ZERO);
      return typeof node.value === "bigint" ? Number(node.value) : node.value;
    }
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const child = placeAt(startOf(item) ?? place.value, isScalar(item) ? item : null);
        place.children.set(String(index), child);
        return this.read(item, child, depth + 1);
      });
    }
    return isMap(node) ? this.#map(node.items, place, depth) : null;
  }

  #map(items: readonly unknown[], place: Place, depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    const firsts = new Map<string, number>();
    for (const pair of items) {
      if (!isPair(pair)) continue;
      const offset = startOf(pair.key) ?? place.value;
      const key = isAlias(pair.key) ? this.#anchors.get(pair.key.source) : pair.key;
      if (!isScalar(key)) {
        this.#fault(offset, "a key that is no plain word", "quote it if it is one");
        continue;
      }
      this.#remember(key);
      const name = String(key.value);
      if (firsts.has(name)) {
        this.#fault(offset, `the key ${shown(name)} is given twice here`, "remove one of them");
        continue;
      }
      firsts.set(name, offset);
      if (name === "__proto__") {
        this.#fault(offset, "__proto__ cannot be a name", "choose another");
        continue;
      }
      if (name === "<<") {
        this.#fault(offset, "a merge key (<<), which is no part of YAML 1.2", "remove it, and write its keys out");
        continue;
      }
      const child = {
        ...placeAt(startOf(pair.value) ?? offset, isScalar(pair.value) ? pair.value : null),
        key: offset,
      };
      place.children.set(name, child);
      map[name] = this.read(pair.value, child, depth + 1);
    }
    return map;
  }

  #remember(node: Node): void {
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined && this.#aliases === 0) this.#anchors.set(anchor, node);
  }

  #once(node: Node, message: string, hint: string | null): null {
    if (!this.faults.some((fault) => fault.message === message)) this.#fault(startOf(node) ?? 0, message, hint);
    return null;
  }

  #fault(offset: number, message: string, hint: string | null): void {
    const known = this.#aliases > 0 && this.faults.some((one) => one.offset === offset && one.message === message);
    if (!known) this.faults.push({ offset, message, hint });
  }
}

/** `010` is ten in YAML 1.2, and eight in YAML 1.1: whoever wrote it may mean either. */
const LEADING_ZERO = [
  "a number with a zero in front, which is octal to other YAML tools",
  "write it without the leading zero, or in quotes if it is a name",
] as const;

function treeOf(text: string, root: unknown, top: Place, faults: readonly Fault[], lines: LineCounter): YamlTree {
  const find = (path: Path): { readonly place: Place; readonly whole: boolean } => {
    let place = top;
    for (const step of path) {
      const child = place.children.get(String(step));
      if (child === undefined) return { place, whole: false };
      place = child;
    }
    return { place, whole: true };
  };
  return {
    root,
    faults,
    isYaml: true,
    offsetOf: (path) => {
      const { place, whole } = find(path);
      return whole ? place.value : place.key;
    },
    keyOffsetOf: (path) => find(path).place.key,
    offsetInside(path, index) {
      const { place, whole } = find(path);
      const value = place.scalar?.value;
      if (!whole || typeof value !== "string") return place.value;
      const quoted = place.scalar?.type === "QUOTE_DOUBLE" || place.scalar?.type === "QUOTE_SINGLE";
      const start = place.value + (quoted ? 1 : 0);
      return text.startsWith(value, start) ? start + index : place.value;
    },
    swallowedAt(path) {
      const { place, whole } = find(path);
      if (!whole) return null;
      const [line = ""] = text.slice(place.key).split("\n", 1);
      return /^(?:-\s+|[^#]*:\s+)?#([^\s#].*)$/.exec(line.trimEnd())?.[1] ?? null;
    },
    positionOf(offset) {
      const { line, col } = lines.linePos(Math.min(Math.max(offset, 0), text.length));
      return { line: Math.max(line, 1), column: Math.max(col, 1) };
    },
  };
}

function placeAt(offset: number, scalar: Scalar | null = null): Place {
  return { key: offset, value: offset, scalar, children: new Map() };
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** Text from the file, fit for one line of a message: no control characters, at most 60 characters, in quotes. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : oneLine(text));
}

/** Text without line breaks and control characters. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
}

/** What the parser complains of, in plain words, once for each place. */
function brokenIn(
  errors: readonly { readonly code: string; readonly message: string; readonly pos: readonly number[] }[],
) {
  const seen = new Set<number>();
  const faults: Fault[] = [];
  for (const { code, message, pos } of errors) {
    const offset = pos[0] ?? 0;
    if (seen.has(offset) || faults.length >= MOST_FAULTS) continue;
    seen.add(offset);
    const [what, hint] = YAML_WORDS[code] ?? [oneLine(message), null];
    faults.push({ offset, message: `not readable as YAML: ${what}`, hint });
  }
  return faults;
}

/** Words for the parser's codes; those that are left out keep the parser's own. */
const YAML_WORDS: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  BAD_INDENT: ["the indentation does not fit", "or a bracket or quote above is still open"],
  TAB_AS_INDENT: ["a tab as indentation", "indent with spaces"],
  MISSING_CHAR: ["something is missing", "a quote, colon or bracket, here or above"],
  MULTIPLE_DOCS: ["a second document begins", "one file is one document: remove what begins at ---"],
  BLOCK_AS_IMPLICIT_KEY: ["a key and its list or map on one line", "check the colons and quotes"],
  MULTILINE_IMPLICIT_KEY: ["a key that goes over several lines", "a colon is missing, or the indentation is off"],
  UNEXPECTED_TOKEN: ["something is where it cannot be", "check quotes, colons and brackets"],
  TAG_RESOLVE_FAILED: ["a tag that means nothing here", "remove it"],
};
