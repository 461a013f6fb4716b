import type { Config } from "../config/config.ts";
import type { Assessment } from "../model/assessment.ts";
import { type Fenced, joined } from "../model/fenced.ts";
import type { GuardrailVerdict, Plan, Target } from "../model/plan.ts";
import type { TargetState } from "../ports.ts";
import type { StoreFacts } from "./gate-store.ts";
import type { Rival } from "./rivals.ts";

/** The part of the configuration that the rules read: policy, which nothing but the file can change (S14). */
export type GatePolicy = Pick<
  Config,
  | "mode"
  | "policies"
  | "chain"
  | "allowedActions"
  | "guardrails"
  | "services"
  | "blastRadius"
  | "evidenceKinds"
  | "freezeWindows"
  | "approval"
>;

/** What its own system says of a target now. `state` null: it could not be asked, and `problem` says why. */
export interface InspectedTarget {
  readonly target: Target;
  readonly state: TargetState | null;
  readonly problem: string | null;
  /** Something here can carry out this action type. */
  readonly executable: boolean;
}

/** All that a rule may look at: gathered by the gate itself, never by who proposes. `now` is the ledger's time. */
export interface RuleInput {
  readonly plan: Plan;
  /** The plan's hash, computed anew from what it holds. */
  readonly contentHash: string;
  readonly now: number;
  readonly policy: GatePolicy;
  /** The gate's own fresh deterministic result; null: it could not be made (S9). */
  readonly assessment: Assessment | null;
  readonly targets: readonly InspectedTarget[];
  /** Requests a second by service, as the gate itself measured them; null: not asked for, or not known. */
  readonly traffic: ReadonlyMap<string, number> | null;
  /** Plans of worse incidents that wait for what all share; absent: none. */
  readonly rivals?: readonly Rival[];
  /** Why there is no assessment, or no traffic, in words for a person; absent where it is there or was not asked for. */
  readonly problems?: { readonly assessment?: string; readonly traffic?: string };
  readonly store: StoreFacts;
}

export interface RuleAnswer {
  readonly verdict: GuardrailVerdict;
  /**
   * One sentence that the person on call can act on: figures, names, and when it ends. What others named or said is fenced in
   * it (S11): wherever it is shown, it cannot pass for the gate's own words.
   */
  readonly reason: Fenced;
}

/** One guardrail. Pure; `undefined`: it has nothing to say about this plan. */
export interface Rule {
  readonly name: string;
  check(input: RuleInput): RuleAnswer | undefined;
}

export const deny = (reason: Fenced): RuleAnswer => ({ verdict: "deny", reason });
export const askPerson = (reason: Fenced): RuleAnswer => ({ verdict: "require_approval", reason });

/** The answer of the given reasons together; `undefined` where there are none. */
export function allOf(verdict: GuardrailVerdict, reasons: readonly Fenced[]): RuleAnswer | undefined {
  return reasons.length === 0 ? undefined : { verdict, reason: joined([...new Set(reasons)], "; ") };
}
