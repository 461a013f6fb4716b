import type { Plan } from "../model/plan.ts";

/** What is known of the processes that carry out what people approve. */
export interface AtTheLedger {
  /** Whether the gate is a process of its own: then it carries out what others than the watch proposed. */
  readonly isGateApart: boolean;
  /** Whether a watch runs; null: that cannot be seen from here. */
  readonly isWatched: boolean | null;
}

/** What an approved plan waits for where no watch runs. */
export const NO_WATCH = "no watch runs: nobody carries it out until one is started (unship watch)";

/** Who carries a plan out once it is approved, truthfully: "the gate carries it out at its next evaluation". Pure. */
export function carriedOutBy(
  { proposedBy }: Pick<Plan, "proposedBy">,
  { isGateApart, isWatched }: AtTheLedger,
): string {
  if (isGateApart && proposedBy !== "watch") return "the gate carries it out at its next evaluation";
  if (isWatched === false) return NO_WATCH;
  const known = isWatched === null ? "; whether one runs cannot be seen from here: unship status" : "";
  return `the watch carries it out at its next evaluation${known}`;
}
