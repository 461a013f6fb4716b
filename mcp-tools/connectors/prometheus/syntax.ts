import { parser } from "@prometheus-io/lezer-promql";

/** A node of PromQL's syntax tree, with its own text at hand. Named as the grammar of Prometheus' web UI names it. */
export interface Syntax {
  readonly kind: string;
  readonly text: string;
  /** Where its text begins and ends in the query. */
  readonly from: number;
  readonly to: number;
  readonly children: readonly Syntax[];
}

type TreeNode = ReturnType<typeof parser.parse>["topNode"];

/**
 * PromQL → its syntax tree (without comments), or why it is none. Accepts what Prometheus' own editor accepts; whether
 * a function's arguments have the right types only Prometheus itself can say.
 */
export function parsePromql(
  query: string,
): { readonly ok: true; readonly root: Syntax } | { readonly ok: false; readonly because: string } {
  const tree = parser.parse(query);
  let wrong: number | null = null;
  tree.iterate({
    enter(node) {
      if (node.type.isError) wrong ??= node.from;
    },
  });
  if (wrong !== null) return { ok: false, because: `the query is no PromQL from character ${wrong + 1} on` };
  const [root] = convert(tree.topNode, query).children;
  return root === undefined ? { ok: false, because: "the query is empty" } : { ok: true, root };
}

function convert(node: TreeNode, query: string): Syntax {
  const children: Syntax[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== "LineComment") children.push(convert(child, query));
  }
  return { kind: node.name, text: query.slice(node.from, node.to), from: node.from, to: node.to, children };
}

export function childOf(node: Syntax, kind: string): Syntax | undefined {
  return node.children.find((child) => child.kind === kind);
}

/** Every node below (and including) this one that fits, outermost first. */
export function all(node: Syntax, fits: (node: Syntax) => boolean): readonly Syntax[] {
  return [...(fits(node) ? [node] : []), ...node.children.flatMap((child) => all(child, fits))];
}

/** The name of a function call: "Rate", "HistogramQuantile". */
export function functionOf(call: Syntax): string {
  return childOf(call, "FunctionIdentifier")?.children[0]?.kind ?? "";
}

export function argumentsOf(call: Syntax): readonly Syntax[] {
  return childOf(call, "FunctionCallBody")?.children ?? [];
}

/** The labels in `by (…)`, `without (…)`, `on (…)`, `group_left (…)`, as written. */
export function labelsIn(grouping: Syntax | undefined): readonly string[] {
  return grouping?.children.map(({ text }) => text) ?? [];
}

/** A label's name as PromQL writes it: quoted where it is no plain identifier (Prometheus 3 alone reads those). */
export function labelText(label: string): string {
  return /^[a-zA-Z_]\w*$/.test(label) ? label : JSON.stringify(label);
}

/** The names of all metrics that a part of a query selects. */
export function metricsIn(node: Syntax): readonly string[] {
  return all(node, ({ kind }) => kind === "VectorSelector").map(
    (selector) => childOf(selector, "Identifier")?.text ?? selector.text,
  );
}
