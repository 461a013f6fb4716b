/** The approval of a plan that is not carried out yet. */
export interface PlanApproved {
  readonly by: readonly string[];
  /** When it is over, or the plan is; Unix ms. */
  readonly until: number;
  /** The gate denied it when it judged it last. */
  readonly isDenied: boolean;
}
