import { resultLabels } from "./result-labels.ts";
import { all, argumentsOf, childOf, functionOf, type Syntax } from "./syntax.ts";

/** `vector(0)` → `(0)`: as an operand it is the number, and a number has no labels to match. */
export function constantOf(node: Syntax): string | null {
  if (node.kind === "ParenExpr" && node.children[0]) return constantOf(node.children[0]);
  if (node.kind !== "FunctionCall" || functionOf(node) !== "Vector") return null;
  const [value] = argumentsOf(node);
  return value === undefined || all(value, ({ kind }) => kind === "VectorSelector").length > 0
    ? null
    : `(${value.text})`;
}

/** The sum (or count) in an expression that scales it by numbers at most. */
export function countedIn(node: Syntax): { readonly sum: Syntax; readonly zero: boolean } | null {
  const [left, op] = node.children;
  const right = node.children.at(-1);
  if (left === undefined || right === undefined) return null;
  if (node.kind === "ParenExpr") return countedIn(left);
  if (node.kind === "BinaryExpr" && op !== undefined) {
    if (op.kind === "Or") {
      const counted = constantOf(right) === "(0)" ? countedIn(left) : null;
      return counted === null ? null : { ...counted, zero: true };
    }
    if (op.kind !== "Mul" && op.kind !== "Div") return null;
    if (resultLabels(right).kind === "scalar") return countedIn(left);
    return op.kind === "Mul" && resultLabels(left).kind === "scalar" ? countedIn(right) : null;
  }
  const adds =
    node.kind === "AggregateExpr" && ["Sum", "Count"].includes(childOf(node, "AggregateOp")?.children[0]?.kind ?? "");
  return adds ? { sum: node, zero: false } : null;
}
