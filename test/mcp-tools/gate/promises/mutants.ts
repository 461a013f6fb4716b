import fc from "fast-check";
import type { Rule, RuleAnswer } from "../../../../core/guardrails/rule.ts";
import { RULES } from "../../../../core/guardrails/rules.ts";
import { own } from "../../../../core/model/fenced.ts";
import { NOTHING_PLAYED, sequences } from "./play.ts";

/** One rule of the gate made wrong in one way. `break` breaks it, until what it returns is called. */
export interface Mutant {
  readonly rule: string;
  readonly how: "deleted" | "softened" | "inverted";
  break(): () => void;
}

type Check = Rule["check"];
const SOFTER = { deny: "require_approval", require_approval: "allow", allow: "allow" } as const;
const HARDER = { deny: "allow", require_approval: "allow", allow: "deny" } as const;

/** deleted: never speaks. softened: says one step less. inverted: content where it was not, and against the rest. */
const WAYS: Readonly<Record<Mutant["how"], (check: Check) => Check>> = {
  deleted: () => () => undefined,
  softened: (check) => (input) => changed(check(input), SOFTER),
  inverted: (check) => (input) => changed(check(input) ?? { verdict: "allow", reason: own`nothing` }, HARDER),
};

const changed = (answer: RuleAnswer | undefined, to: Readonly<Record<RuleAnswer["verdict"], RuleAnswer["verdict"]>>) =>
  answer === undefined ? undefined : { ...answer, verdict: to[answer.verdict] };

/** Every rule, in each way. Where a rule only informs (it never holds anything), softening it changes nothing. */
export const MUTANTS: readonly Mutant[] = RULES.flatMap((rule) =>
  (["deleted", "softened", "inverted"] as const)
    .filter((how) => how !== "softened" || rule.name !== "aftermath")
    .map((how): Mutant => ({ rule: rule.name, how, break: () => replaced(rule, WAYS[how]) })),
);

function replaced(rule: Rule, way: (check: Check) => Check): () => void {
  const check = rule.check;
  rule.check = way(check.bind(rule));
  return () => {
    rule.check = check;
  };
}

/** After how many sequences the property fails over the broken gate; null: it never did. */
export async function killedAfter(
  mutant: { break(): (() => void) | Promise<() => void> },
  numRuns: number,
  seed: number,
): Promise<number | null> {
  const mend = await mutant.break();
  try {
    const found = await fc.check(sequences({ ...NOTHING_PLAYED }), { numRuns, seed, endOnFailure: true });
    return found.failed ? found.numRuns : null;
  } finally {
    mend();
  }
}
