import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { isNode, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { UnshipError } from "../../core/errors.ts";

/** Hears of what is read all the same, one sentence a time: where it stands, what it is, what is made of it. */
export type Warn = (warning: string) => void;

/** The one JSON value of a file, checked; null where there is no such file, or nothing in it. */
export function readJson<T extends z.ZodType>(
  directory: string,
  name: string,
  schema: T,
  warn: Warn,
): z.output<T> | null {
  const found = readText(directory, name, warn);
  if (found === null || found.text.trim() === "") return null;
  const { text, path } = found;
  const value = parse(text, path, 1);
  const notes = new Notes(path, schema, warn);
  const fitted = fitTo(value, schema, notes, 1);
  notes.tell();
  if ("data" in fitted) return fitted.data;
  throw invalid(path, lineOf(text, fitted.issue.path), reasonOf(fitted.issue), fitted.error);
}

/** The lines of a `.jsonl` (or its `.gz`), each checked; none where there is no such file. Blank lines are skipped. */
export function readLines<T extends z.ZodType>(
  directory: string,
  name: string,
  schema: T,
  warn: Warn,
): readonly Line<z.output<T>>[] {
  const found = readText(directory, name, warn);
  return found === null ? [] : linesOf(found.text, found.path, schema, warn);
}

/** What a line holds, and where it stands: for what can only be seen beside other lines. */
export interface Line<T> {
  readonly value: T;
  readonly file: string;
  readonly line: number;
}

export function linesOf<T extends z.ZodType>(
  text: string,
  file: string,
  schema: T,
  warn: Warn,
): readonly Line<z.output<T>>[] {
  const notes = new Notes(file, schema, warn);
  const lines = text.split("\n").flatMap((words, index) => {
    if (words.trim() === "") return [];
    const line = index + 1;
    const fitted = fitTo(parse(words, file, line, notes), schema, notes, line);
    if ("data" in fitted) return [{ value: fitted.data, file, line }];
    notes.tell();
    throw invalid(file, line, reasonOf(fitted.issue), fitted.error);
  });
  notes.tell();
  return lines;
}

/** A file's text without a byte order mark; null where neither it nor its gzipped twin stands. */
function readText(
  directory: string,
  name: string,
  warn: Warn,
): { readonly text: string; readonly path: string } | null {
  const [plain, packed] = [join(directory, name), join(directory, `${name}.gz`)];
  const stands = [plain, packed].filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
  const [path] = stands;
  if (path === undefined) return null;
  if (stands.length > 1) warn(`${packed}: is not read, since ${name} is beside it; remove one of them`);
  return { text: readFile(path), path };
}

/** The text of a file, unpacked where its name says so. Throws `bundle.unreadable`, or `bundle.invalid` where it is damaged. */
export function readFile(path: string): string {
  const bytes = bytesOf(path);
  if (!path.endsWith(".gz")) return textOf(bytes);
  try {
    return textOf(gunzipSync(bytes));
  } catch (cause) {
    throw invalid(path, 1, gzipReason(bytes, cause), cause);
  }
}

/** Without the byte order mark that some editors put first. */
const textOf = (bytes: Buffer): string => bytes.toString("utf8").replace(/^\uFEFF/, "");

/** Every gzip file begins with these two bytes (RFC 1952, §2.3.1). */
const GZIP = Buffer.from([0x1f, 0x8b]);

function gzipReason(bytes: Buffer, cause: unknown): string {
  if (!bytes.subarray(0, GZIP.length).equals(GZIP)) return "is no gzip file";
  const cut = cause instanceof Error && "code" in cause && cause.code === "Z_BUF_ERROR";
  return cut ? "the gzip file is cut off before its end; copy it again" : "the gzip file is damaged; copy it again";
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw unreadable(path, FILE_ERRORS[codeOf(cause)] ?? "the system refuses it", cause);
  }
}

/** `NaN` as a value of its own, as other languages write it; not a part of a text. */
const NOT_A_NUMBER = /(?<=[[,:]\s*)NaN(?=\s*[,\]}])/g;

function parse(text: string, file: string, line: number, notes?: Notes): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const mended = notes === undefined ? text : text.replaceAll(NOT_A_NUMBER, "null");
    if (mended !== text && isJson(mended)) {
      notes?.takenFor("NaN", "null, a missing sample", line);
      return JSON.parse(mended);
    }
    const { reason, below } = syntaxOf(text, cause);
    throw invalid(file, line + below, `is no JSON: ${reason}`, cause);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with it in a few words, and how many lines below the first. Only a single sign of the file is quoted. */
function syntaxOf(text: string, cause: unknown): { readonly reason: string; readonly below: number } {
  const message = cause instanceof Error ? cause.message : "";
  const lines = text.trimEnd().split("\n").length;
  const position = Number(/ at position (\d+)/.exec(message)?.[1] ?? Number.NaN);
  if (/^(Unexpected end|Unterminated string)/.test(message) || position >= text.trimEnd().length)
    return { reason: "it ends in the middle: it may be cut off, or written over several lines", below: lines - 1 };
  const placed = /^(.*?) in JSON at position \d+ \(line (\d+) column (\d+)\)/s.exec(message);
  if (placed !== null) return { reason: `${lower(placed[1])} at column ${placed[3]}`, below: Number(placed[2]) - 1 };
  const token = /^Unexpected token '(.)', (?:\.\.\.)?"(.*)"(?:\.\.\.)? is not valid JSON$/su.exec(message);
  if (token === null) return { reason: "check its quotes, commas and brackets", below: 0 };
  const around = token[2] ?? "";
  const place = Math.max(0, text.indexOf(around)) + Math.floor(around.length / 2);
  return { reason: `unexpected ${token[1]}`, below: text.slice(0, place).split("\n").length - 1 };
}

const lower = (words = ""): string => words.slice(0, 1).toLowerCase() + words.slice(1);

type Issue = z.core.$ZodIssue;
type Fitted<T> = { readonly data: T } | { readonly issue: Issue; readonly error: unknown };

/**
 * The value as the schema has it. Keys that the schema does not know are noted and left out, and a null where the
 * schema has none is taken as an absent key, so that only what is missing or of another meaning is left to refuse.
 */
function fitTo<T extends z.ZodType>(value: unknown, schema: T, notes: Notes, line: number): Fitted<z.output<T>> {
  let result = schema.safeParse(value);
  while (!result.success && result.error.issues.filter((issue) => leaveOut(value, issue, notes, line)).length > 0)
    result = schema.safeParse(value);
  if (result.success) return { data: result.data };
  const [issue = { code: "custom", path: [], message: "does not fit the format" } satisfies Issue] =
    result.error.issues;
  return { issue, error: result.error };
}

/** Takes what an issue speaks of out of the value, where it may be left out; says whether it did. */
function leaveOut(value: unknown, issue: Issue, notes: Notes, line: number): boolean {
  if (issue.code === "unrecognized_keys") {
    const holder = at(value, issue.path);
    if (!isRecord(holder)) return false;
    for (const key of issue.keys) {
      delete holder[key];
      notes.ignored([...issue.path, key], holder, line);
    }
    return true;
  }
  const key = issue.path.at(-1);
  const holder = at(value, issue.path.slice(0, -1));
  if (key === undefined || !isRecord(holder) || holder[String(key)] !== null) return false;
  delete holder[String(key)];
  return true;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (Array.isArray(inner) ? inner[Number(key)] : isRecord(inner) ? inner[String(key)] : undefined),
    value,
  );
}

function reasonOf({ path, message, code, ...issue }: Issue): string {
  const where = path.length === 0 ? "" : `${path.map(String).join(".")}: `;
  const isNative = /^(Invalid|Too|Unrecognized)/.test(message);
  if (code === "invalid_type" && /received undefined$/.test(message))
    return `${where}is missing or null, and the format needs it`;
  if (code === "invalid_type" && path.length === 0 && /received array$/.test(message))
    return "is a list; write one JSON object a line";
  const values = "values" in issue && Array.isArray(issue.values) ? issue.values.map(String).join(", ") : "";
  if (code === "invalid_value" && values !== "" && isNative) return `${where}must be one of ${values}`;
  return `${where}${isNative ? `${lower(message)}; docs/incident-bundle.md has the format` : message}`;
}

/** The line on which the value at a path begins, or the nearest that holds it; 1 where nothing is found. */
function lineOf(text: string, path: readonly PropertyKey[]): number {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: false });
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(
      path.slice(0, depth).map((key) => (typeof key === "number" ? key : String(key))),
      true,
    );
    if (isNode(node) && node.range) return counter.linePos(node.range[0]).line;
  }
  return 1;
}

/** So many different keys of one file are named. */
const NAMED = 10;

/** Gathers what was left out of one file, so that it is told once and not for each line. */
class Notes {
  readonly #file: string;
  readonly #known: readonly string[];
  readonly #warn: Warn;
  readonly #seen = new Map<string, { readonly line: number; readonly says: string; times: number }>();

  constructor(file: string, schema: z.ZodType, warn: Warn) {
    this.#file = file;
    this.#known = "shape" in schema && isRecord(schema.shape) ? Object.keys(schema.shape) : [];
    this.#warn = warn;
  }

  ignored(path: readonly PropertyKey[], holder: Readonly<Record<string, unknown>>, line: number): void {
    const key = path.map(String).join(".");
    const meant = this.#known.find((known) => known !== key && bare(known) === bare(key) && !(known in holder));
    this.#note(`key ${quoted(key)} is ignored${meant === undefined ? "" : ` (is ${meant} meant?)`}`, line);
  }

  takenFor(what: string, reading: string, line: number): void {
    this.#note(`${what} is taken for ${reading}`, line);
  }

  #note(says: string, line: number): void {
    const seen = this.#seen.get(says);
    if (seen === undefined) this.#seen.set(says, { line, says, times: 1 });
    else seen.times += 1;
  }

  /** One sentence for the whole file. */
  tell(): void {
    const all = [...this.#seen.values()];
    const [first] = all;
    if (first === undefined) return;
    const named = all
      .slice(0, NAMED)
      .map(
        ({ line, says, times }) =>
          `${says}${times > 1 ? `, ${times} times` : ""}${line === first.line ? "" : `, first on line ${line}`}`,
      );
    const more = all.length > NAMED ? `; and ${all.length - NAMED} more` : "";
    this.#warn(`${this.#file}:${first.line}: ${named.join("; ")}${more}`);
    this.#seen.clear();
  }
}

const bare = (key: string): string => key.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

/** Text of the file in our own sentence: short, on one line, without what could steer a terminal. */
export const quoted = (text: string): string => JSON.stringify(text.replaceAll(/[\p{Cc}\p{Cf}]/gu, " ").slice(0, 40));

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder",
  EACCES: "you may not read it",
};

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";

export function unreadable(file: string, reason: string, cause?: unknown): UnshipError {
  return new UnshipError("bundle.unreadable", { file, reason }, { cause });
}

export function invalid(file: string, line: number, reason: string, cause?: unknown): UnshipError {
  return new UnshipError("bundle.invalid", { file, line, reason }, { cause });
}
