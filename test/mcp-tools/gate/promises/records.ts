import type { Trouble } from "./catalog.ts";

/** What the model keeps of plans and acts. */
export interface Standing {
  readonly version: string;
  readonly revision: string;
}
export interface PlannedTarget {
  readonly thing: string;
  readonly changeId: string;
  readonly expected: Standing;
  readonly restore: Standing;
}
export interface Answered {
  readonly by: string;
  readonly yes: boolean;
  readonly until: number;
  readonly untilByClock: number;
  /** By the clock of the machine, when it was given. */
  readonly clockAt: number;
  /** What else changes with the plan, as was shown to whoever gave it. */
  readonly shown: readonly string[];
  /** Somebody looked at the plan later, by a clock that had not come as far again. */
  outlived: boolean;
}
export interface ModelPlan {
  readonly id: string;
  readonly targets: readonly PlannedTarget[];
  readonly proposedBy: string;
  readonly outside: boolean;
  readonly edited: boolean;
  readonly expiresAt: number;
  readonly answers: Answered[];
  /** What else changes with it, as the last review of it says. */
  shown: readonly string[];
  permitUntil: number | null;
  outcome: string | null;
  results: readonly string[];
}
/** One target of a plan that was reserved: the unit that budgets count. */
export interface Act {
  readonly planId: string;
  readonly position: number;
  readonly target: PlannedTarget;
  readonly automatic: boolean;
  /** What would change with it, as its own system said when it was reserved. */
  readonly reached: readonly string[];
  readonly at: number;
  /** Tries that were written down; the count of a plan that a crash ended is read from the ledger. */
  attempts: number;
  /** null: not known yet. */
  result: string | null;
  finishedAt: number | null;
  /** It may have written something: its unit stays used. */
  used: boolean;
  recovery: string | null;
}
export interface Situation {
  readonly troubles: ReadonlySet<Trouble>;
  /** The targets that the gate's own decision names now. */
  readonly fresh: readonly PlannedTarget[];
}
export interface Judgement {
  readonly verdict: "allow" | "require_approval" | "deny";
  readonly because: readonly string[];
  /** What must be said beside it: here, that the bad version would come back (S13). */
  readonly warns: boolean;
}
