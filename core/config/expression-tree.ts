import { ImpactLevel } from "../model/impact.ts";
import type { ApprovalFacts } from "./config.ts";

/** Facts that an expression may name, and what kind of value each has. */
export const FACTS = {
  business_impact: "level",
  affected_services: "number",
  confidence: "number",
  targets: "number",
  error_rate: "number",
} as const satisfies Record<keyof ApprovalFacts, "level" | "number">;
export type FactName = keyof typeof FACTS;

/** Ordered: low < medium < high < critical. */
export const LEVELS: readonly string[] = ImpactLevel.options;

export type Comparison = ">" | ">=" | "<" | "<=" | "==" | "!=";

/** A fact, a level by its place in `LEVELS`, or a number. */
export type Operand =
  | { readonly kind: "fact"; readonly name: FactName }
  | { readonly kind: "level"; readonly rank: number }
  | { readonly kind: "number"; readonly value: number }
  /** Stands only in expressions that were refused. */
  | { readonly kind: "unknown" };

export type Expression =
  | { readonly kind: "compare"; readonly left: Operand; readonly comparison: Comparison; readonly right: Operand }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression };

/** Where an expression is wrong: `offset` counts characters from 0. */
export interface ExpressionError {
  readonly offset: number;
  readonly what: string;
  readonly hint: string;
}
