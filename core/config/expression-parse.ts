import type { Comparison, Expression, ExpressionError, FactName, Operand } from "./expression-tree.ts";
import { FACTS, LEVELS } from "./expression-tree.ts";
import { didYouMean, nearest } from "./nearest.ts";

export type ParsedExpression =
  | { readonly ok: true; readonly tree: Expression }
  | { readonly ok: false; readonly errors: readonly ExpressionError[] };

/** A person must be able to read it at night; it also bounds the parser's recursion. */
const LONGEST = 1000;

interface Token {
  readonly kind: "word" | "number" | "comparison" | "(" | ")" | "end" | "other";
  readonly text: string;
  readonly offset: number;
}

/** The grammar is broken: what follows cannot be read. Wrong names and kinds are collected, and reading goes on. */
class Wrong extends Error {
  readonly error: ExpressionError;
  constructor(error: ExpressionError) {
    super(error.what);
    this.error = error;
  }
}

/** Text → tree, names and types checked; or the first thing that is wrong with it. */
export function parseExpression(text: string): ParsedExpression {
  if (text.length > LONGEST) {
    const what = `the expression has ${text.length} characters`;
    return { ok: false, errors: [{ offset: 0, what, hint: `at most ${LONGEST}` }] };
  }
  const parser = new Parser(tokensOf(text));
  try {
    const tree = parser.whole();
    return parser.errors.length === 0 ? { ok: true, tree } : { ok: false, errors: parser.errors };
  } catch (thrown) {
    if (thrown instanceof Wrong) return { ok: false, errors: [...parser.errors, thrown.error] };
    throw thrown;
  }
}

function tokensOf(text: string): readonly Token[] {
  const pattern = /\s*(?:([A-Za-z_]\w*)|(-?(?:\d+(?:\.\d+)?|\.\d+)%?)|(>=|<=|==|!=|>|<)|([()])|(\S))/gy;
  const tokens: Token[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const [whole, word, number, comparison, parenthesis, other] = match;
    const found = word ?? number ?? comparison ?? parenthesis ?? other ?? "";
    end = match.index + whole.length;
    const kind =
      word !== undefined
        ? "word"
        : number !== undefined
          ? "number"
          : comparison !== undefined
            ? "comparison"
            : parenthesis === "(" || parenthesis === ")"
              ? parenthesis
              : "other";
    tokens.push({ kind, text: found, offset: end - found.length });
  }
  tokens.push({ kind: "end", text: "", offset: end });
  return tokens;
}

const KEYWORDS = ["and", "or", "not"];

class Parser {
  readonly errors: ExpressionError[] = [];
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const tree = this.#or();
    const rest = this.#peek();
    if (rest.kind === "end") return tree;
    if (rest.kind === "word")
      this.#fail(rest, `"${rest.text}" found where AND or OR must be`, didYouMean(rest.text, ["AND", "OR"]));
    if (rest.kind === ")") this.#fail(rest, '")" closes nothing', "remove it or open it before");
    return this.#fail(rest, `${shown(rest)} found where AND or OR must be`, hintFor(rest));
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#takeWord("or")) left = { kind: "or", left, right: this.#and() };
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#takeWord("and")) left = { kind: "and", left, right: this.#not() };
    return left;
  }

  #not(): Expression {
    if (this.#takeWord("not")) return { kind: "not", of: this.#not() };
    const open = this.#peek();
    if (open.kind !== "(") return this.#comparison();
    this.#next += 1;
    const inner = this.#or();
    const close = this.#peek();
    if (close.kind !== ")") {
      if (close.kind === "end") this.#fail(open, '"(" is never closed', 'add ")"');
      this.#fail(close, `${shown(close)} found where AND, OR or ")" must be`, hintFor(close));
    }
    this.#next += 1;
    return inner;
  }

  #comparison(): Expression {
    const leftToken = this.#peek();
    const left = this.#operand();
    const sign = this.#peek();
    if (sign.kind !== "comparison") {
      const what = `${shown(sign)} found where a comparison must be`;
      this.#fail(sign, what, sign.text === "=" ? "write ==" : "one of > >= < <= == !=");
    }
    this.#next += 1;
    const rightToken = this.#peek();
    const right = this.#operand();
    this.#check(left, leftToken, right, rightToken);
    return { kind: "compare", left, comparison: comparisonOf(sign.text), right };
  }

  #operand(): Operand {
    const token = this.#peek();
    if (token.kind === "number") {
      this.#next += 1;
      if (token.text.endsWith("%")) {
        const ratio = Number(token.text.slice(0, -1)) / 100;
        this.#note(token, `${token.text} is no number`, `shares are ratios: write ${ratio}`);
        return { kind: "unknown" };
      }
      return { kind: "number", value: Number(token.text) };
    }
    if (token.kind !== "word" || KEYWORDS.includes(token.text.toLowerCase())) {
      this.#fail(token, `${shown(token)} found where a fact must be`, hintFor(token));
    }
    this.#next += 1;
    const rank = LEVELS.indexOf(token.text.toLowerCase());
    if (rank >= 0) return { kind: "level", rank };
    if (isFact(token.text)) return { kind: "fact", name: token.text };
    const names = [...Object.keys(FACTS), ...LEVELS];
    const hint = didYouMean(token.text, nearest(token.text, names) === null ? Object.keys(FACTS) : names);
    this.#note(token, `there is no fact "${token.text}"`, hint);
    return { kind: "unknown" };
  }

  #check(left: Operand, leftToken: Token, right: Operand, rightToken: Token): void {
    if (left.kind === "unknown" || right.kind === "unknown") return;
    if (left.kind !== "fact" && right.kind !== "fact") {
      this.#note(leftToken, "the comparison names no fact", `facts are ${Object.keys(FACTS).join(", ")}`);
    } else if (typeOf(left) === typeOf(right)) {
      this.#checkRange(left, right, rightToken);
    } else {
      this.#noteKinds(left, leftToken, right, rightToken);
    }
  }

  #noteKinds(left: Known, leftToken: Token, right: Known, rightToken: Token): void {
    const [fact, other] = left.kind === "fact" ? [leftToken, rightToken] : [rightToken, leftToken];
    const wants = typeOf(left.kind === "fact" ? left : right);
    const hint = wants === "level" ? `compare it with ${LEVELS.join(", ")}` : "compare it with a number";
    this.#note(other, `${fact.text} is a ${wants}, "${other.text}" is not`, hint);
  }

  /** Shares beyond 1 are percentages in disguise; they would make the comparison constant. */
  #checkRange(left: Operand, right: Operand, token: Token): void {
    const [fact, literal] = left.kind === "fact" ? [left, right] : [right, left];
    if (fact.kind !== "fact" || literal.kind !== "number") return;
    const share = fact.name === "confidence" || fact.name === "error_rate";
    if (literal.value < 0) this.#note(token, `${fact.name} is never below 0`, "compare it with 0 or more");
    if (share && literal.value > 1) {
      const hint = literal.value <= 100 ? `did you mean ${literal.value / 100}?` : "write a ratio from 0 to 1";
      this.#note(token, `${fact.name} is a ratio from 0 to 1, never ${literal.value}`, hint);
    }
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: "end", text: "", offset: 0 };
  }

  #takeWord(word: string): boolean {
    const token = this.#peek();
    if (token.kind !== "word" || token.text.toLowerCase() !== word) return false;
    this.#next += 1;
    return true;
  }

  #note({ offset }: Token, what: string, hint: string): void {
    this.errors.push({ offset, what, hint });
  }

  #fail(token: Token, what: string, hint: string): never {
    throw new Wrong({ offset: token.offset, what, hint });
  }
}

function isFact(name: string): name is FactName {
  return Object.hasOwn(FACTS, name);
}

type Known = Exclude<Operand, { kind: "unknown" }>;

function typeOf(operand: Known): "level" | "number" {
  return operand.kind === "fact" ? FACTS[operand.name] : operand.kind;
}

function comparisonOf(text: string): Comparison {
  const all: readonly Comparison[] = [">", ">=", "<", "<=", "==", "!="];
  return all.find((one) => one === text) ?? "!=";
}

function shown(token: Token): string {
  return token.kind === "end" ? "the end" : `"${token.text}"`;
}

function hintFor(token: Token): string {
  if (token.text === "&") return "write AND";
  if (token.text === "|") return "write OR";
  if (token.text === "!") return "write NOT";
  return "for example: business_impact > high OR affected_services > 3";
}
