import { review } from "../../../core/guardrails/review.ts";
import { ASK_FOR_EVIDENCE } from "./ask-for-evidence-rows.ts";
import { ASK } from "./ask-rows.ts";
import { DENY } from "./deny-rows.ts";
import { EDGES, EDGES_DENY, EDGES_SILENT, TOLD } from "./edge-rows.ts";
import { LIMITS, LIMITS_DENY, LIMITS_SILENT } from "./limit-rows.ts";
import { OWN_ACTS, OWN_ACTS_SILENT } from "./own-acts-rows.ts";
import type { Row, Silent } from "./rule-situations.ts";
import { SILENT } from "./silent-rows.ts";
import { WORST_FIRST, WORST_FIRST_SILENT } from "./worst-first-rows.ts";

/** Situations in which a rule denies, asks a person, or only says something, and those in which it says nothing. */
export const DENYING: readonly Row[] = [...DENY, ...LIMITS_DENY, ...EDGES_DENY];
export const ASKING: readonly Row[] = [...ASK, ...ASK_FOR_EVIDENCE, ...LIMITS, ...WORST_FIRST, ...OWN_ACTS, ...EDGES];
export const TELLING: readonly Row[] = TOLD;
export const QUIET: readonly Silent[] = [
  ...SILENT,
  ...LIMITS_SILENT,
  ...WORST_FIRST_SILENT,
  ...OWN_ACTS_SILENT,
  ...EDGES_SILENT,
];

/** The name of the first row that does not hold of this rule as it is now; null: all do. */
export function brokenRow(rule: string): string | null {
  for (const [name, input, of, verdict, says] of [...DENYING, ...ASKING, ...TELLING]) {
    if (of !== rule) continue;
    const answer = review(input).rules.find((one) => one.rule === rule);
    if (answer?.verdict !== verdict || !answer.reason.includes(says)) return name;
  }
  for (const [name, input, of] of QUIET) {
    if (of === rule && review(input).rules.some((one) => one.rule === rule)) return name;
  }
  return null;
}
