import { z } from "zod";
import { Moment } from "./time.ts";

export const DecisionAction = z.enum(["rollback", "feature_flag_disable", "hotfix_recommendation", "no_action"]);
export type DecisionAction = z.infer<typeof DecisionAction>;

/**
 * What a person needs to mend it by hand: names, range, signature, owner, why no rollback, mitigation and its check.
 * `changeIds`: all that would have to be taken back together, in the order that would be safe; nothing of it is executed.
 */
export const Hotfix = z.strictObject({
  changeId: z.string(),
  changeIds: z.array(z.string()).optional(),
  commitRange: z.string().nullable(),
  suspects: z.array(z.string()).describe("Files or error signatures"),
  owner: z.string().nullable(),
  whyNoRollback: z.string(),
  mitigation: z.string(),
  check: z.string().describe("What shows that the mitigation worked"),
});
export type Hotfix = Readonly<z.infer<typeof Hotfix>>;

/**
 * One of the four actions, with its reasons. Pure: the same evidence and policy give the same decision.
 * `changeIds`: the changes to take back, in the order of execution; empty for no_action and hotfix.
 * `automatic`: an automatic policy condition (policy action rollback_immediate) holds now.
 * `needsPerson`: why a person must agree before it is done; empty: nobody needs to.
 */
export const Decision = z.strictObject({
  action: DecisionAction,
  service: z.string(),
  culprit: z.strictObject({ changeId: z.string(), probability: z.number() }).nullable(),
  changeIds: z.array(z.string()),
  automatic: z.boolean(),
  needsPerson: z.array(z.string()),
  why: z.array(z.string()).min(1),
  hotfix: Hotfix.nullable(),
  noOlder: z.string().optional().describe("That what was changed has no older revision to restore, in words"),
  decidedAt: Moment,
});
export type Decision = Readonly<z.infer<typeof Decision>>;
