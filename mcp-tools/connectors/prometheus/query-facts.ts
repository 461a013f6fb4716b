import { parser } from "@prometheus-io/lezer-promql";
import { all, childOf, parsePromql, type Syntax } from "./syntax.ts";

/** What a query selects by one name: `http_requests_total{status=~"5.."}`. Offsets count characters of the query. */
export interface SelectorFacts {
  readonly text: string;
  readonly from: number;
  /** null: it names no metric, or names it by a pattern. */
  readonly metric: string | null;
  /** Labels that a series has to carry to fit; those that also fit a series without them are left out. */
  readonly needs: readonly { readonly label: string; readonly from: number }[];
  readonly hasMatchers: boolean;
}

export interface QueryFacts {
  readonly selectors: readonly SelectorFacts[];
  /** Labels that results are grouped by, each with the metrics under it. */
  readonly groupings: readonly { readonly label: string; readonly from: number; readonly metrics: readonly string[] }[];
}

/**
 * Where a query stops to be PromQL: the first character that the grammar has no place for; null: it is PromQL. Whether a
 * function's arguments have the right types only a server can say.
 */
export function promqlFault(query: string): { readonly at: number; readonly because: string } | null {
  let at: number | null = null;
  parser.parse(query).iterate({
    enter(node) {
      if (node.type.isError) at ??= node.from;
    },
  });
  if (at !== null) {
    const rest = query.slice(at).trim();
    return {
      at,
      because: rest === "" ? "it ends too early" : `nothing there can be ${JSON.stringify(rest.slice(0, 20))}`,
    };
  }
  const parsed = parsePromql(query);
  return parsed.ok ? null : { at: 0, because: parsed.because };
}

/** What a query selects and groups by; null for one that is no PromQL. */
export function queryFacts(query: string): QueryFacts | null {
  const parsed = parsePromql(query);
  if (!parsed.ok) return null;
  const selectors = all(parsed.root, ({ kind }) => kind === "VectorSelector").map(selectorFacts);
  const groupings = all(parsed.root, ({ kind }) => kind === "AggregateExpr").flatMap((node) => {
    const modifier = childOf(node, "AggregateModifier");
    if (modifier === undefined || childOf(modifier, "By") === undefined) return [];
    const labels = childOf(modifier, "GroupingLabels");
    const made =
      all(node, ({ kind, text }) => kind === "FunctionCall" && /^label_(replace|join)/.test(text)).length > 0;
    const metrics = all(node, ({ kind }) => kind === "VectorSelector").flatMap(
      (one) => selectorFacts(one).metric ?? [],
    );
    // A label that the query makes itself need not be on any series; neither one of what is not named.
    if (made || metrics.length === 0 || labels === undefined) return [];
    return labels.children.map(({ text, from }) => ({ label: unquoted(text), from, metrics }));
  });
  return { selectors, groupings: groupings.filter(({ label }) => label !== "le") };
}

function selectorFacts(node: Syntax): SelectorFacts {
  const named = childOf(node, "Identifier")?.text ?? null;
  const matchers = all(node, ({ kind }) => kind === "UnquotedLabelMatcher" || kind === "QuotedLabelMatcher");
  const read = matchers.map((matcher) => {
    const [label, operator, value] = matcher.children;
    return {
      label: unquoted(label?.text ?? ""),
      operator: operator?.text ?? "",
      value: unquoted(value?.text ?? ""),
      from: matcher.from,
    };
  });
  const byName = read.find(({ label, operator }) => label === "__name__" && operator === "=")?.value ?? null;
  const quoted = childOf(childOf(node, "LabelMatchers") ?? node, "QuotedLabelName")?.text ?? null;
  return {
    text: node.text,
    from: node.from,
    metric: named ?? byName ?? (quoted === null ? null : unquoted(quoted)),
    needs: read
      .filter(({ label, operator, value }) => label !== "__name__" && !fitsAbsence(operator, value))
      .map(({ label, from }) => ({ label, from })),
    hasMatchers: read.some(({ label }) => label !== "__name__"),
  };
}

/** Whether a matcher also fits series that do not carry its label: those read as the empty text. */
function fitsAbsence(operator: string, value: string): boolean {
  if (operator === "=") return value === "";
  if (operator === "!=") return value !== "";
  if (operator !== "=~") return true;
  try {
    return new RegExp(`^(?:${value})$`).test("");
  } catch {
    return true; // RE2 knows forms that JavaScript does not; then nothing is claimed
  }
}

const unquoted = (text: string): string => (/^(["'`]).*\1$/s.test(text) ? text.slice(1, -1) : text);
