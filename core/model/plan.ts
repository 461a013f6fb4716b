import { z } from "zod";
import { WorkloadRef } from "./change.ts";
import { Moment } from "./time.ts";

/** The action types of the configuration's `execution.allowed_actions`. */
export const ActionType = z.enum([
  "kubectl_rollout_undo",
  "argocd_sync_to_previous",
  "feature_flag_disable",
  "database_migration_rollback",
  "argocd_resume_auto_sync",
  "rollout_abort",
  "rollout_pause",
  "rollout_promote",
]);
export type ActionType = z.infer<typeof ActionType>;

/** What takes no change back: nothing that it leads to is a cure that could be verified. */
const NO_CURE: readonly ActionType[] = ["argocd_resume_auto_sync", "rollout_pause", "rollout_promote"];
export const takesBack = ({ targets }: { readonly targets: readonly { readonly action: ActionType }[] }): boolean =>
  targets.some(({ action }) => !NO_CURE.includes(action));

/**
 * One thing to take back. `expected` is what must stand at the target when we act (S6), `restore` what will stand
 * there afterwards. For a workload: version = image tag or app version, revision = the controller's revision number.
 * For a flag: version = the flag's version, revision = "on" / "off". A pause leaves the version and ends at the revision
 * "paused", a promotion at "promoted"; auto-sync goes from "auto-sync-off" to "auto-sync-on".
 */
export const Target = z.strictObject({
  action: ActionType,
  service: z.string(),
  changeId: z.string(),
  object: WorkloadRef,
  environment: z.string().optional(),
  expected: z.strictObject({ version: z.string(), revision: z.string() }),
  restore: z.strictObject({ version: z.string(), revision: z.string() }),
});
export type Target = Readonly<z.infer<typeof Target>>;

/** Stands in a plan's `incidentId` where it was proposed outside any incident; no incident has this id. */
export const NO_INCIDENT = "none";

/** Longest reason that a plan is filed with. */
export const REASON_CHARS = 4000;

/** The decision made concrete: targets in the order of execution. Never edited: another plan is another id and hash (S4). */
export const Plan = z.strictObject({
  id: z.string(),
  hash: z.string().describe("SHA-256 (hex) of the canonical JSON of incidentId and targets"),
  incidentId: z.string().describe("Or NO_INCIDENT"),
  targets: z.array(Target).min(1),
  reason: z.string(),
  proposedBy: z.string().describe("watch, mcp:<transport>:<client>, cli:<user>: for the record; never widens anything"),
  createdAt: Moment,
  expiresAt: Moment,
});
export type Plan = Readonly<z.infer<typeof Plan>>;

export const GuardrailVerdict = z.enum(["allow", "require_approval", "deny"]);
export type GuardrailVerdict = z.infer<typeof GuardrailVerdict>;

/** What the rules of the gate say of a plan: the strictest verdict, and every rule that spoke. */
export const GateReview = z.strictObject({
  verdict: GuardrailVerdict,
  rules: z.array(z.strictObject({ rule: z.string(), verdict: GuardrailVerdict, reason: z.string() })),
});
export type GateReview = Readonly<z.infer<typeof GateReview>>;

/** What an executor says of one target. `unknown`: sent, no answer; must be reconciled before anything else (S5). */
export const TargetResult = z.strictObject({
  target: Target,
  result: z.enum(["done", "nothing-to-do", "refused", "stale", "unreachable", "failed", "unknown"]),
  detail: z.string(),
  at: Moment,
  warnings: z.array(z.string()).describe("What stays undone, or would bring the bad version back (S13)"),
  carriedOut: z
    .strictObject({ from: Moment, to: Moment })
    .optional()
    .describe("Of what was found done only afterwards: between which moments it was done; absent: at `at`"),
  untouched: z
    .boolean()
    .optional()
    .describe("Of a failure: whether the target was found afterwards as it was before; absent: nobody could tell"),
});
export type TargetResult = Readonly<z.infer<typeof TargetResult>>;

/**
 * The gate's answer to `submit`. `in-progress`: another call executes the plan and its end is not known yet; ask again.
 */
export const GateAnswer = z.strictObject({
  planId: z.string(),
  outcome: z.enum(["executed", "held", "denied", "stopped", "nothing-to-do", "in-progress"]),
  review: GateReview,
  results: z.array(TargetResult),
  executedAt: Moment.nullable().describe("When the last target was rolled back; see `deedTime` for how surely"),
});
export type GateAnswer = Readonly<z.infer<typeof GateAnswer>>;
