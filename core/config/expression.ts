import { likelihood } from "../model/likelihood.ts";
import type { ApprovalExpression, ApprovalFacts } from "./config.ts";
import { parseExpression } from "./expression-parse.ts";
import type { Comparison, Expression, ExpressionError, FactName, Operand } from "./expression-tree.ts";
import { LEVELS } from "./expression-tree.ts";

export type CompiledExpression =
  | { readonly ok: true; readonly expression: ApprovalExpression }
  | { readonly ok: false; readonly errors: readonly ExpressionError[] };

/**
 * `require_human_approval_if` → a function of facts, or where and why it is none. Nothing in it is ever run as code.
 *
 * Comparisons (`> >= < <= == !=`) of facts with levels, numbers and one another; NOT binds closest, then AND, then OR
 * (any case); parentheses. At most 1000 characters.
 */
export function compileExpression(text: string): CompiledExpression {
  const parsed = parseExpression(text);
  if (!parsed.ok) return parsed;
  const named = factsOf(parsed.tree);
  return {
    ok: true,
    expression: Object.freeze({ text, holds: (facts: ApprovalFacts) => judge(parsed.tree, text, named, facts) }),
  };
}

/** An unknown fact makes the whole expression true, wherever it stands in it (S9): under a NOT it would make it false. */
function judge(tree: Expression, text: string, named: readonly FactName[], facts: ApprovalFacts) {
  const unknown = named.filter((name) => knownValue(facts, name) === null);
  if (unknown.length > 0) {
    const them = unknown.length === 1 ? `${unknown[0]} is not known` : `${unknown.join(" and ")} are not known`;
    return { holds: true, because: `${them}, so "${text}" counts as true` };
  }
  const holds = evaluate(tree, facts);
  const figures = named.map((name) => FIGURES[name](facts)).join(", ");
  return { holds, because: `${figures}: the file ${holds ? "asks" : "does not ask"} for approval if "${text}"` };
}

const count = (many: number | null, what: string): string => `${many} ${what}${many === 1 ? "" : "s"}`;
const percent = (ratio: number | null): string => `${Number((100 * (ratio ?? Number.NaN)).toPrecision(2))} %`;

/** Each fact as people read it: "impact medium", "5 services affected". */
const FIGURES: Readonly<Record<FactName, (facts: ApprovalFacts) => string>> = {
  business_impact: ({ business_impact }) => `impact ${business_impact}`,
  affected_services: ({ affected_services }) => `${count(affected_services, "service")} affected`,
  confidence: ({ confidence }) => `confidence ${confidence === null ? "" : likelihood(confidence)}`,
  targets: ({ targets }) => count(targets, "target"),
  error_rate: ({ error_rate }) => `error rate ${percent(error_rate)}`,
};

function evaluate(tree: Expression, facts: ApprovalFacts): boolean {
  switch (tree.kind) {
    case "not":
      return !evaluate(tree.of, facts);
    case "and":
      return evaluate(tree.left, facts) && evaluate(tree.right, facts);
    case "or":
      return evaluate(tree.left, facts) || evaluate(tree.right, facts);
    case "compare":
      return compare(operandValue(tree.left, facts), tree.comparison, operandValue(tree.right, facts));
  }
}

function operandValue(operand: Operand, facts: ApprovalFacts): number {
  if (operand.kind === "number") return operand.value;
  if (operand.kind === "level") return operand.rank;
  return operand.kind === "fact" ? (knownValue(facts, operand.name) ?? Number.NaN) : Number.NaN;
}

/** A fact as a number (a level by its rank); null where it is not known, which NaN and unheard-of levels are too. */
function knownValue(facts: ApprovalFacts, name: FactName): number | null {
  const value = facts[name];
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return Number.isNaN(value) ? null : value;
  const rank = LEVELS.indexOf(value);
  return rank < 0 ? null : rank;
}

function compare(left: number, comparison: Comparison, right: number): boolean {
  switch (comparison) {
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case "==":
      return left === right;
    case "!=":
      return left !== right;
  }
}

function factsOf(tree: Expression): readonly FactName[] {
  switch (tree.kind) {
    case "not":
      return factsOf(tree.of);
    case "compare":
      return [tree.left, tree.right].flatMap((operand) => (operand.kind === "fact" ? [operand.name] : []));
    default:
      return [...new Set([...factsOf(tree.left), ...factsOf(tree.right)])];
  }
}
