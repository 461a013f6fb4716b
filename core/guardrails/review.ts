import { own } from "../model/fenced.ts";
import type { GateReview, GuardrailVerdict } from "../model/plan.ts";
import { name } from "../model/untrusted-text.ts";
import type { Rule, RuleInput } from "./rule.ts";
import { RULES } from "./rules.ts";

const STRICTNESS: Readonly<Record<GuardrailVerdict, number>> = { allow: 0, require_approval: 1, deny: 2 };

/** The strictest of the given verdicts; `allow` where there are none. */
export function strictest(verdicts: readonly GuardrailVerdict[]): GuardrailVerdict {
  return verdicts.reduce<GuardrailVerdict>((so, one) => (STRICTNESS[one] > STRICTNESS[so] ? one : so), "allow");
}

/**
 * Runs every rule, and answers with the strictest verdict and all that spoke, the strictest first. A rule that
 * throws denies: a guardrail that is broken must not be one that is open. Takes no list of rules from a caller.
 */
export function review(input: RuleInput): GateReview {
  return reviewWith(RULES, input);
}

/** As `review`, over the given rules: for tests of the review itself. */
export function reviewWith(rules: readonly Rule[], input: RuleInput): GateReview {
  const spoke = rules.flatMap((rule) => {
    const answer = answerOf(rule, input);
    return answer === undefined ? [] : [{ rule: rule.name, ...answer }];
  });
  spoke.sort((a, b) => STRICTNESS[b.verdict] - STRICTNESS[a.verdict]);
  return { verdict: strictest(spoke.map(({ verdict }) => verdict)), rules: spoke };
}

function answerOf(rule: Rule, input: RuleInput): ReturnType<Rule["check"]> {
  try {
    return rule.check(input);
  } catch {
    return { verdict: "deny", reason: own`the rule ${name(rule.name)} failed, and a rule that fails denies` };
  }
}
