import { countedIn } from "./counted.ts";
import { all, argumentsOf, functionOf, metricsIn, parsePromql } from "./syntax.ts";

/**
 * The requests that a query for an error rate divides by: `sum(rate(err[5m])) / sum(rate(all[5m]))` → the latter. How
 * many requests there are decides how sure a share of them can be, so they must be counted where the errors are. Null
 * where the query is no such share.
 */
export function requestsOf(errorRate: string): string | null {
  const parsed = parsePromql(errorRate);
  if (!parsed.ok) return null;
  for (const { children } of all(
    parsed.root,
    ({ kind, children }) => kind === "BinaryExpr" && children[1]?.kind === "Div",
  )) {
    const [errors, requests] = [children[0], children.at(-1)].map((side) => (side ? countedIn(side) : null));
    if (!errors || !requests) continue;
    const rated = (node: typeof errors.sum) => all(node, (one) => functionOf(one) === "Rate").length > 0;
    const same = new Set([...metricsIn(errors.sum), ...metricsIn(requests.sum)]).size === 1;
    if ((same || errors.zero) && rated(requests.sum)) return requests.sum.text;
  }
  return null;
}

/** A query for one quantile of a histogram → the same for another; null where it is no such query. */
export function withQuantile(query: string, quantile: number): string | null {
  const parsed = parsePromql(query);
  if (!parsed.ok) return null;
  const calls = all(parsed.root, (node) => functionOf(node) === "HistogramQuantile");
  const [call] = calls;
  const asked = call === undefined ? undefined : argumentsOf(call)[0];
  if (calls.length !== 1 || asked?.kind !== "NumberDurationLiteral") return null;
  return query.slice(0, asked.from) + quantile + query.slice(asked.to);
}
