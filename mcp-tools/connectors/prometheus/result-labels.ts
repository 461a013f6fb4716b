import { argumentsOf, childOf, functionOf, labelsIn, type Syntax } from "./syntax.ts";

/**
 * Which labels the result of an expression has.
 *
 * `only`: exactly these. `except`: whatever the stored series have, but for these. `scalar`: it is a number or a string,
 * not a vector.
 */
export type ResultLabels =
  | { readonly kind: "only"; readonly labels: readonly string[] }
  | { readonly kind: "except"; readonly labels: readonly string[] }
  | { readonly kind: "scalar" };

/** Whether series that differ in `label` stay apart in the result, as far as the query tells. */
export function keeps(result: ResultLabels, label: string): boolean {
  if (result.kind === "scalar") return false;
  return result.kind === "only" ? result.labels.includes(label) : !result.labels.includes(label);
}

const SCALAR: ResultLabels = { kind: "scalar" };
const NO_LABELS: ResultLabels = { kind: "only", labels: [] };
const ALL_LABELS: ResultLabels = { kind: "except", labels: [] };

/** Aggregations that pick series rather than add them up: what they pick keeps its labels. */
export const PICKING = new Set(["Topk", "Bottomk", "LimitK", "LimitRatio"]);

/** Works out the labels of an expression's result by PromQL's own rules. */
export function resultLabels(node: Syntax): ResultLabels {
  const [first] = node.children;
  switch (node.kind) {
    case "NumberDurationLiteral":
    case "StringLiteral":
      return SCALAR;
    case "VectorSelector":
    case "MatrixSelector":
      return ALL_LABELS;
    case "AggregateExpr":
      return ofAggregation(node);
    case "FunctionCall":
      return ofCall(node);
    case "BinaryExpr":
      return ofOperation(node);
    case "UnaryExpr": {
      const operand = node.children.at(-1);
      return operand === undefined ? SCALAR : resultLabels(operand);
    }
    default:
      return first === undefined ? SCALAR : resultLabels(first);
  }
}

function ofAggregation(node: Syntax): ResultLabels {
  const inner = argumentsOf(node).at(-1);
  const op = childOf(node, "AggregateOp")?.children[0]?.kind ?? "";
  if (inner !== undefined && PICKING.has(op)) return resultLabels(inner);
  const modifier = childOf(node, "AggregateModifier");
  const labels = labelsIn(modifier && childOf(modifier, "GroupingLabels"));
  if (modifier !== undefined && childOf(modifier, "Without") && inner !== undefined) {
    const before = resultLabels(inner);
    if (before.kind === "except") return { kind: "except", labels: [...before.labels, ...labels] };
    return before.kind === "only"
      ? { kind: "only", labels: before.labels.filter((label) => !labels.includes(label)) }
      : SCALAR;
  }
  const counted = op === "CountValues" ? argumentsOf(node)[0]?.text.slice(1, -1) : undefined;
  return { kind: "only", labels: counted === undefined ? labels : [...labels, counted] };
}

function ofCall(node: Syntax): ResultLabels {
  const name = functionOf(node);
  if (["Time", "Pi", "Scalar"].includes(name)) return SCALAR;
  if (["Vector", "Absent", "AbsentOverTime"].includes(name)) return NO_LABELS;
  const vector = argumentsOf(node)
    .map(resultLabels)
    .find(({ kind }) => kind !== "scalar");
  if (vector === undefined) return argumentsOf(node).length === 0 ? NO_LABELS : SCALAR;
  if (name === "HistogramQuantile" || name === "HistogramFraction") return without(vector, "le");
  const made = name === "LabelReplace" || name === "LabelJoin" ? argumentsOf(node)[1]?.text.slice(1, -1) : undefined;
  return made === undefined ? vector : withLabel(vector, made);
}

function ofOperation(node: Syntax): ResultLabels {
  const [left, right] = [node.children[0], node.children.at(-1)].map((side) => (side ? resultLabels(side) : SCALAR));
  if (left === undefined || right === undefined || left.kind === "scalar") return right ?? SCALAR;
  if (right.kind === "scalar") return left;
  const op = node.children[1]?.kind;
  if (op === "Or") return union(left, right);
  const matching = childOf(node, "MatchingModifierClause");
  if (matching === undefined || op === "And" || op === "Unless") return left;
  if (childOf(matching, "GroupLeft")) return left;
  if (childOf(matching, "GroupRight")) return right;
  const labels = labelsIn(childOf(matching, "GroupingLabels"));
  if (childOf(matching, "On")) return { kind: "only", labels };
  return labels.reduce<ResultLabels>(without, left);
}

function without(result: ResultLabels, label: string): ResultLabels {
  if (result.kind === "scalar") return result;
  if (result.kind === "only") return { kind: "only", labels: result.labels.filter((one) => one !== label) };
  return { kind: "except", labels: [...result.labels, label] };
}

function withLabel(result: ResultLabels, label: string): ResultLabels {
  if (result.kind === "scalar") return result;
  if (result.kind === "except") return { kind: "except", labels: result.labels.filter((one) => one !== label) };
  return { kind: "only", labels: [...result.labels.filter((one) => one !== label), label] };
}

/** `or` lets series of both sides through, each with its own labels: the labels that any of them may have. */
function union(left: ResultLabels, right: ResultLabels): ResultLabels {
  if (left.kind === "scalar" || right.kind === "scalar") return left;
  if (left.kind === "only" && right.kind === "only") return right.labels.reduce<ResultLabels>(withLabel, left);
  if (left.kind === "only") return left.labels.reduce<ResultLabels>(withLabel, right);
  if (right.kind === "only") return right.labels.reduce<ResultLabels>(withLabel, left);
  return { kind: "except", labels: left.labels.filter((label) => right.labels.includes(label)) };
}
