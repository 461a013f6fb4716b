import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ApprovalFacts } from "../../../core/config/config.ts";
import { compileExpression } from "../../../core/config/expression.ts";

const FACTS: ApprovalFacts = {
  business_impact: "high",
  affected_services: 3,
  confidence: 0.9,
  targets: 1,
  error_rate: 0.2,
};

function holds(text: string, facts: Partial<ApprovalFacts> = {}): boolean {
  const compiled = compileExpression(text);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors));
  return compiled.expression.holds({ ...FACTS, ...facts }).holds;
}

describe("require_human_approval_if", () => {
  it.each([
    ["business_impact > high OR affected_services > 3", {}, false],
    ["business_impact > high OR affected_services > 3", { business_impact: "critical" }, true],
    ["business_impact > high OR affected_services > 3", { affected_services: 4 }, true],
    ["business_impact >= high", {}, true],
    ["business_impact < high", { business_impact: "low" }, true],
    ["business_impact == medium", {}, false],
    ["business_impact != medium", {}, true],
    ["high <= business_impact", {}, true],
    ["not business_impact > low", {}, false],
    ["NOT (targets > 1) and confidence<0.95", {}, true],
    ["targets > affected_services", {}, false],
    ["targets > 0 OR targets > 1 AND targets > 2", {}, true],
    ["(targets > 0 OR targets > 1) AND targets > 2", {}, false],
    ["NOT targets > 1 AND targets > 1", {}, false],
    ["NOT NOT targets == 1", {}, true],
    ["error_rate >= .2", {}, true],
  ] as const)("%s, with %j, is %s", (text, facts, result) => {
    expect(holds(text, facts)).toBe(result);
  });

  it("says which figures made it true or false", () => {
    const compiled = compileExpression("business_impact > high OR affected_services > 3");
    expect(compiled.ok && compiled.expression.holds({ ...FACTS, affected_services: 5 })).toEqual({
      holds: true,
      because:
        'impact high, 5 services affected: the file asks for approval if "business_impact > high OR affected_services > 3"',
    });
  });

  it.each([
    ["business_impact >= low", {}, "impact high"],
    ["affected_services == 1", { affected_services: 1 }, "1 service affected"],
    ["targets > 0", { targets: 2 }, "2 targets"],
    ["error_rate > 0.01", { error_rate: 0.0377 }, "error rate 3.8 %"],
    ["confidence < 1", { confidence: 0.974 }, "confidence 97 %"],
  ] as const)("%s is told with its figure in words", (text, facts, figure) => {
    const compiled = compileExpression(text);
    const answer = compiled.ok ? compiled.expression.holds({ ...FACTS, ...facts }) : null;
    expect(answer).toEqual({ holds: true, because: `${figure}: the file asks for approval if "${text}"` });
  });

  it.each([
    ["affected_services > 3", 'affected_services is not known, so "affected_services > 3" counts as true'],
    ["NOT affected_services > 3", 'affected_services is not known, so "NOT affected_services > 3" counts as true'],
    ["targets > 5 AND affected_services > 3", expect.stringContaining("affected_services is not known")],
    ["targets >= 1 OR affected_services > 3", expect.stringContaining("affected_services is not known")],
  ])("%s is true when a fact in it is not known, wherever the fact stands", (text, because) => {
    const compiled = compileExpression(text);
    const answer = compiled.ok && compiled.expression.holds({ ...FACTS, affected_services: null });
    expect(answer).toEqual({ holds: true, because });
  });

  it("does not mind a fact that it does not name", () => {
    expect(holds("targets > 5", { affected_services: null })).toBe(false);
  });

  it("takes a figure that is no number for unknown", () => {
    expect(holds("error_rate > 0.5 OR targets > 5", { error_rate: Number.NaN })).toBe(true);
  });
});

describe("an expression that cannot be read", () => {
  it.each([
    ["affected_service > 3", 0, 'there is no fact "affected_service"', "did you mean affected_services?"],
    ["business_impact > hihg", 18, 'there is no fact "hihg"', "did you mean high?"],
    [
      "business_impact > 3",
      18,
      'business_impact is a level, "3" is not',
      "compare it with low, medium, high, critical",
    ],
    ["targets > high", 10, 'targets is a number, "high" is not', "compare it with a number"],
    ["3 > 2", 0, "the comparison names no fact", expect.stringContaining("facts are business_impact")],
    ["confidence < 80", 13, "confidence is a ratio from 0 to 1, never 80", "did you mean 0.8?"],
    ["error_rate > 5%", 13, "5% is no number", "shares are ratios: write 0.05"],
    ["targets > -1", 10, "targets is never below 0", "compare it with 0 or more"],
    ["targets = 1", 8, '"=" found where a comparison must be', "write =="],
    ["targets > 1 && confidence < 1", 12, '"&" found where AND or OR must be', "write AND"],
    ["(targets > 1", 0, '"(" is never closed', 'add ")"'],
    ["targets > 1)", 11, '")" closes nothing', "remove it or open it before"],
    ["targets > 1 AMD confidence < 1", 12, '"AMD" found where AND or OR must be', "did you mean AND?"],
    ["targets >", 9, "the end found where a fact must be", expect.stringContaining("for example")],
    ["", 0, "the end found where a fact must be", expect.stringContaining("for example")],
    ["process.exit()", 0, 'there is no fact "process"', expect.stringContaining("valid here")],
  ])("%j is wrong at %d", (text, offset, what, hint) => {
    const compiled = compileExpression(text);
    expect(compiled.ok ? [] : compiled.errors[0]).toEqual({ offset, what, hint });
  });

  it("names every wrong name at once", () => {
    const compiled = compileExpression("business_impct > high OR affected_servces > 3");
    expect(compiled.ok ? [] : compiled.errors.map(({ offset }) => offset)).toEqual([0, 25]);
  });

  it("may be any text: it is refused or compiled, never thrown", () => {
    const words = fc.constantFrom(
      "targets",
      "business_impact",
      "high",
      "AND",
      "OR",
      "NOT",
      "(",
      ")",
      ">",
      "3",
      "&",
      "é",
      "\n",
    );
    const text = fc.oneof(
      fc.string({ maxLength: 2000 }),
      fc.array(words, { maxLength: 400 }).map((list) => list.join(" ")),
    );
    fc.assert(
      fc.property(text, (source) => {
        const compiled = compileExpression(source);
        if (compiled.ok) expect(typeof compiled.expression.holds(FACTS).holds).toBe("boolean");
        else expect(compiled.errors.length).toBeGreaterThan(0);
      }),
    );
  });
});

/** A reference that shares nothing with the parser: trees are made first, and written out as text. */
type Tree =
  | { readonly op: "leaf"; readonly text: string; readonly value: (facts: ApprovalFacts) => boolean | null }
  | { readonly op: "not"; readonly of: Tree }
  | { readonly op: "and" | "or"; readonly of: readonly [Tree, Tree] };

const LEVELS = ["low", "medium", "high", "critical"] as const;
const SIGNS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

const sign = fc.constantFrom(...Object.keys(SIGNS));
const apply = (name: string, a: number | null, b: number) => (a === null ? null : (SIGNS[name]?.(a, b) ?? null));
const rank = (level: string | null) => (level === null ? null : [...LEVELS].map(String).indexOf(level));
const levelLeaf = fc.tuple(sign, fc.constantFrom(...LEVELS)).map(
  ([name, level]): Tree => ({
    op: "leaf",
    text: `business_impact ${name} ${level}`,
    value: (facts) => apply(name, rank(facts.business_impact), rank(level) ?? -1),
  }),
);
const countLeaf = fc.tuple(fc.constantFrom("targets", "affected_services"), sign, fc.nat({ max: 6 })).map(
  ([fact, name, limit]): Tree => ({
    op: "leaf",
    text: `${fact}${name}${limit}`,
    value: (facts) => apply(name, fact === "targets" ? facts.targets : facts.affected_services, limit),
  }),
);
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    levelLeaf,
    countLeaf,
    tie("tree").map((of): Tree => ({ op: "not", of })),
    fc
      .tuple(fc.constantFrom("and" as const, "or" as const), tie("tree"), tie("tree"))
      .map(([op, a, b]): Tree => ({ op, of: [a, b] })),
  ),
}));

const BINDING = { or: 0, and: 1, not: 2, leaf: 3 } as const;

/** As few parentheses as precedence allows, so that it is precedence that is tested. */
function written(tree: Tree, around = 0): string {
  if (tree.op === "leaf") return tree.text;
  const own = BINDING[tree.op];
  const inner =
    tree.op === "not"
      ? `not ${written(tree.of, own)}`
      : `${written(tree.of[0], own)} ${tree.op === "and" ? "AND" : "Or"} ${written(tree.of[1], own + 1)}`;
  return own < around ? `(${inner})` : inner;
}

/** null: a fact is not known. */
function reference(tree: Tree, facts: ApprovalFacts): boolean | null {
  if (tree.op === "leaf") return tree.value(facts);
  if (tree.op === "not") {
    const of = reference(tree.of, facts);
    return of === null ? null : !of;
  }
  const [a, b] = tree.of.map((one) => reference(one, facts));
  if (a === null || b === null || a === undefined || b === undefined) return null;
  return tree.op === "and" ? a && b : a || b;
}

const anyFacts = fc.record({
  business_impact: fc.constantFrom(...LEVELS, null),
  affected_services: fc.oneof(fc.nat({ max: 6 }), fc.constant(null)),
  confidence: fc.constant(null),
  targets: fc.nat({ max: 6 }),
  error_rate: fc.constant(null),
});

describe("any expression", () => {
  it("means what the tree that it was written from means, and true where a fact is not known", () => {
    fc.assert(
      fc.property(tree, anyFacts, (made, facts) => {
        const text = written(made);
        fc.pre(text.length <= 1000);
        expect(holds(text, facts)).toBe(reference(made, facts) ?? true);
      }),
      { numRuns: 500 },
    );
  });
});
