import { constantOf, countedIn } from "./counted.ts";
import { keeps, resultLabels } from "./result-labels.ts";
import {
  all,
  argumentsOf,
  childOf,
  functionOf,
  labelsIn,
  labelText,
  metricsIn,
  parsePromql,
  type Syntax,
} from "./syntax.ts";

export type Rewritten =
  | { readonly ok: true; readonly query: string }
  | { readonly ok: false; readonly because: string };

/** Why a part of a query cannot be told apart by service; thrown within this file alone. */
class NotByLabel extends Error {}

/**
 * A query over all services → the same question for each service: its result carries `labels` and no others.
 *
 * - Aggregations keep the labels too: `sum(x)` → `sum by (service) (x)`; `by`, `without`, `on` and `ignoring` that stand
 *   there are extended or shortened.
 * - `histogram_quantile` over series that are not aggregated reads their sum by `le` and the labels; without that a
 *   service would have a quantile for each pod and route, and none of its own.
 * - A share of counted events, `sum(rate(x{a="b"}[5m])) / sum(rate(x[5m]))`, is 0 where there is an x but none with a="b":
 *   a vector of one service lacks the series that a vector of all has nearly always. `… or vector(0)` means the same.
 * - What is left with further labels is reduced by `worst`: any series above a threshold is the maximum above it.
 * - An expression of which one side already tells services apart and the other does not on purpose (a service's share of
 *   all traffic) is left as it is.
 *
 * For a system of one service the values are the original's, but for the 0 in the place of no result.
 * `ok: false` says why, in words for the person who wrote the query.
 */
export function rewriteByService(
  query: string,
  labels: string | readonly string[],
  worst: "max" | "min" = "max",
): Rewritten {
  const wanted = typeof labels === "string" ? [labels] : labels;
  try {
    let current = query;
    for (const label of wanted) current = root(tree(current), labelText(label));
    const result = resultLabels(tree(current));
    const names = wanted.map(labelText);
    const exact = result.kind === "only" && result.labels.length === names.length;
    if (exact && names.every((name) => keeps(result, name))) return { ok: true, query: current };
    return { ok: true, query: `${worst} by (${names.join(", ")}) (${current})` };
  } catch (error) {
    if (error instanceof NotByLabel) return { ok: false, because: error.message };
    throw error;
  }
}

function root(node: Syntax, label: string): string {
  if (resultLabels(node).kind === "scalar") throw new NotByLabel("its result is one number for all services");
  return withLabel(node, label);
}

function tree(query: string): Syntax {
  const parsed = parsePromql(query);
  if (!parsed.ok) throw new NotByLabel(parsed.because);
  return parsed.root;
}

/** The expression with `label` (as PromQL writes it) in its result. */
function withLabel(node: Syntax, label: string): string {
  switch (node.kind) {
    case "VectorSelector":
    case "MatrixSelector":
      return node.text;
    case "AggregateExpr":
      return aggregation(node, label);
    case "FunctionCall":
      return call(node, label);
    case "BinaryExpr":
      return operation(node, label);
    case "ParenExpr":
      return `(${within(node, label)})`;
    case "UnaryExpr":
      return `${node.children[0]?.text ?? ""}${part(node.children.at(-1), label)}`;
    case "SubqueryExpr":
    case "OffsetExpr":
    case "StepInvariantExpr":
    case "AnchoredExpr":
    case "SmoothedExpr": {
      const inner = node.children[0];
      return part(inner, label) + node.text.slice((inner?.to ?? node.to) - node.from);
    }
    case "NumberDurationLiteral":
    case "StringLiteral":
      throw new NotByLabel(`${node.text} is the same for all services`);
    default:
      throw new NotByLabel(`it uses ${node.text}, which this version cannot evaluate by ${label}`);
  }
}

function within(node: Syntax, label: string): string {
  return part(node.children[0], label);
}

/** A part of an expression: numbers and strings as they are, vectors with the label. */
function part(node: Syntax | undefined, label: string): string {
  if (node === undefined) throw new NotByLabel("it is incomplete");
  if (resultLabels(node).kind !== "scalar") return withLabel(node, label);
  const collapsed = all(node, ({ kind }) => kind === "VectorSelector")[0];
  if (collapsed === undefined) return node.text;
  throw new NotByLabel(`${node.text} makes one number of all services`);
}

function aggregation(node: Syntax, label: string): string {
  const op = childOf(node, "AggregateOp");
  const modifier = childOf(node, "AggregateModifier");
  const labels = labelsIn(modifier && childOf(modifier, "GroupingLabels"));
  const inner = argumentsOf(node).map((argument) => part(argument, label));
  const clause =
    modifier !== undefined && childOf(modifier, "Without")
      ? `without (${labels.filter((one) => one !== label).join(", ")})`
      : `by (${[...labels.filter((one) => one !== label), label].join(", ")})`;
  return `${op?.text} ${clause} (${inner.join(", ")})`;
}

function call(node: Syntax, label: string): string {
  const name = functionOf(node);
  if (["Absent", "AbsentOverTime"].includes(name))
    throw new NotByLabel(`${node.text} is about series that do not exist, and those belong to no service`);
  if (resultLabels(node).kind !== "except" && argumentsOf(node).every((one) => resultLabels(one).kind === "scalar"))
    throw new NotByLabel(`${node.text} is the same for all services`);
  if (["HistogramQuantiles", "Info"].includes(name))
    throw new NotByLabel(`it uses ${node.text}, which this version cannot evaluate by ${label}`);
  const makesIt =
    (name === "LabelReplace" || name === "LabelJoin") && argumentsOf(node)[1]?.text.slice(1, -1) === label;
  if (makesIt) return node.text;
  const texts = argumentsOf(node).map((argument) => {
    const text = part(argument, label);
    const raw = name === "HistogramQuantile" && resultLabels(argument).kind === "except";
    return raw ? `sum by (le, ${label}) (${text})` : text;
  });
  return `${childOf(node, "FunctionIdentifier")?.text}(${texts.join(", ")})`;
}

function operation(node: Syntax, label: string): string {
  const [left, op] = node.children;
  const right = node.children.at(-1);
  if (left === undefined || op === undefined || right === undefined) throw new NotByLabel("it is incomplete");
  const text = (one: Syntax) => part(one, label);
  const modifiers = (...kinds: readonly string[]) => kinds.flatMap((kind) => childOf(node, kind)?.text ?? []);
  const [leftResult, rightResult] = [resultLabels(left), resultLabels(right)];
  const join = (a: string, matching: readonly string[], b: string) =>
    [a, op.text, ...modifiers("BoolModifier"), ...matching, ...modifiers("FillModifier"), b].join(" ");
  if (leftResult.kind === "scalar" || rightResult.kind === "scalar") return join(text(left), [], text(right));
  const set = ["And", "Or", "Unless"].includes(op.kind);
  const [leftNumber, rightNumber] = [constantOf(left), constantOf(right)];
  if (op.kind === "Or" && rightNumber !== null) return text(left); // a default for all of nothing; see `shareOf`
  if (!set && (leftNumber !== null || rightNumber !== null))
    return join(leftNumber ?? text(left), [], rightNumber ?? text(right));
  const share = op.kind === "Div" ? shareOf(node, left, right, label) : null;
  const matching = childOf(node, "MatchingModifierClause");
  if (keeps(leftResult, label) !== keeps(rightResult, label)) {
    const carrying = keeps(leftResult, label) ? left : right;
    if (op.kind === "Or" || !keeps(resultLabels(node), label))
      throw new NotByLabel(`${node.text} joins what tells services apart with what does not`);
    return join(
      carrying === left ? text(left) : left.text,
      modifiers("MatchingModifierClause"),
      carrying === right ? text(right) : right.text,
    );
  }
  const clause =
    matching === undefined ? [] : [keeps(leftResult, label) ? matching.text : matchingWith(matching, label)];
  return join(share ?? text(left), clause, text(right));
}

function matchingWith(matching: Syntax, label: string): string {
  const on = childOf(matching, "On") !== undefined;
  const [labels, include] = matching.children.filter(({ kind }) => kind === "GroupingLabels");
  const rest = labelsIn(labels).filter((one) => one !== label);
  const side = childOf(matching, "GroupLeft") ?? childOf(matching, "GroupRight");
  const group = side === undefined ? "" : ` ${side.text}${include === undefined ? "" : ` ${include.text}`}`;
  return on ? `on (${[...rest, label].join(", ")})${group}` : `ignoring (${rest.join(", ")})${group}`;
}

/**
 * The dividend of a share of counted events, 0 where the divisor knows the service and the dividend does not; null where
 * the division is no such share. Both sides add up the same metric, or the query itself says `or vector(0)`.
 */
function shareOf(node: Syntax, dividend: Syntax, divisor: Syntax, label: string): string | null {
  if (
    childOf(node, "MatchingModifierClause")?.children.some(
      ({ kind }) => kind.startsWith("Group") && kind !== "GroupingLabels",
    )
  )
    return null;
  const part = countedIn(dividend);
  const whole = countedIn(divisor);
  if (part === null || whole === null) return null;
  const same = new Set([...metricsIn(part.sum), ...metricsIn(whole.sum)]).size === 1;
  const alike = JSON.stringify(resultLabels(part.sum)) === JSON.stringify(resultLabels(whole.sum));
  if (!alike || !(same || part.zero)) return null;
  return `(${withLabel(dividend, label)} or ${withLabel(whole.sum, label)} * 0)`;
}
