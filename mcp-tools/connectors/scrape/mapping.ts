import { parser } from "@prometheus-io/lezer-promql";
import type { Worse } from "../../../core/model/signal.ts";

/** A metric of the user's own: which series make it, and how several of one service become one number. */
export interface CustomMetric {
  readonly series: string;
  readonly matchers: readonly (readonly [label: string, value: string])[];
  /** A counter is read as its rate a second. */
  readonly kind: "gauge" | "counter";
  readonly aggregate: "sum" | "max" | "min" | "avg";
  readonly unit: string;
  /** Factor from what is exported to `unit`. */
  readonly scale: number;
  readonly worse: Worse;
}

export type MappedQuery =
  | { readonly ok: true; readonly mapping: Pick<CustomMetric, "series" | "matchers" | "kind" | "aggregate"> }
  | { readonly ok: false; readonly because: string };

const AGGREGATES = { Sum: "sum", Max: "max", Min: "min", Avg: "avg" } as const;

/**
 * What of PromQL can be answered without Prometheus: `name`, `name{label="value"}`, `rate(…[any])` of either, and sum,
 * max, min or avg over that. Anything more needs a Prometheus, and the answer says so.
 */
export function mappingOf(query: string): MappedQuery {
  let node = parser.parse(query).topNode.firstChild;
  let aggregate: CustomMetric["aggregate"] = "sum";
  let kind: CustomMetric["kind"] = "gauge";
  if (node?.name === "AggregateExpr") {
    const op = node.getChild("AggregateOp")?.firstChild?.name ?? "";
    if (!(op in AGGREGATES) || node.getChild("AggregateModifier") !== null) return refused("its aggregation");
    aggregate = AGGREGATES[op as keyof typeof AGGREGATES];
    node = node.getChild("FunctionCallBody")?.firstChild ?? null;
  }
  if (node?.name === "FunctionCall" && node.getChild("FunctionIdentifier")?.firstChild?.name === "Rate") {
    kind = "counter";
    node = node.getChild("FunctionCallBody")?.getChild("MatrixSelector")?.firstChild ?? null;
  }
  if (node?.name !== "VectorSelector" || node.nextSibling?.name === "⚠") return refused("it");
  const text = (part: { from: number; to: number } | null | undefined) =>
    part === null || part === undefined ? "" : query.slice(part.from, part.to);
  const matchers: [string, string][] = [];
  for (const matcher of node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []) {
    if (matcher.getChild("MatchOp")?.firstChild?.name !== "EqlSingle") return refused("a matcher other than =");
    matchers.push([text(matcher.getChild("LabelName")), text(matcher.getChild("StringLiteral")).slice(1, -1)]);
  }
  const series = text(node.getChild("Identifier"));
  return series === "" ? refused("it") : { ok: true, mapping: { series, matchers, kind, aggregate } };
}

function refused(what: string): MappedQuery {
  const can = 'name, name{label="value"} or rate(name[…]), within sum, max, min or avg';
  return { ok: false, because: `without Prometheus, ${what} cannot be evaluated; what can is ${can}` };
}
