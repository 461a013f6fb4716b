import { all, argumentsOf, childOf, functionOf, parsePromql } from "./syntax.ts";

/**
 * The query with each `rate(…[5m])` in it over `range` instead ("30s"): the same series without their long memory. Null
 * where that would change what the query means, since something else in it looks back over a time of its own.
 */
export function withRateWindow(query: string, range: string): string | null {
  const parsed = parsePromql(query);
  if (!parsed.ok) return null;
  const ranged = all(parsed.root, ({ kind }) => kind === "MatrixSelector" || kind === "SubqueryExpr");
  const rated = all(parsed.root, (node) => node.kind === "FunctionCall" && functionOf(node) === "Rate")
    .map((call) => argumentsOf(call)[0])
    .filter((argument) => argument?.kind === "MatrixSelector");
  if (rated.length === 0 || rated.length !== ranged.length) return null;
  const windows = ranged.map((selector) => childOf(selector, "DurationExpr")).filter((window) => window !== undefined);
  return windows.toReversed().reduce((text, { from, to }) => text.slice(0, from) + range + text.slice(to), query);
}
