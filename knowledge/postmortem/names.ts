import type { Change } from "../../core/model/change.ts";
import type { DecisionAction } from "../../core/model/decision.ts";
import type { GateReview, Target } from "../../core/model/plan.ts";
import { code } from "./markdown.ts";

/** `the deploy of `checkout` v1.4.1 → v1.4.2`. */
export function changeWords({ kind, service, from, to, flag }: Change): string {
  const what = kind === "flag" ? `the switch of flag ${code(flag ?? service)}` : `the ${kind} of ${code(service)}`;
  return `${what} ${code(from)} → ${code(to)}`;
}

/** Who made a change: "`carol`", or "somebody" where its source does not say. */
export const authorWords = ({ author }: Pick<Change, "author">): string =>
  author === undefined ? "somebody" : code(author, 60);

/** What a target of a plan was made to do: "put `checkout` back to `v1.4.1`". */
export function targetWords({ action, object, service, restore }: Target): string {
  if (action === "feature_flag_disable") return `switched flag ${code(object.name)} off`;
  if (action === "argocd_resume_auto_sync") return `switched the auto-sync of ${code(object.name)} on again`;
  if (action === "rollout_abort") return `aborted the rollout of ${code(service)}, back to ${code(restore.version)}`;
  if (action === "rollout_pause") return `paused the rollout of ${code(service)}`;
  if (action === "rollout_promote") return `promoted ${code(restore.version)} of ${code(service)}`;
  return `put ${code(service)} back to ${code(restore.version)}`;
}

const ACTIONS: Readonly<Record<DecisionAction, string>> = {
  rollback: "rollback",
  feature_flag_disable: "flag off",
  hotfix_recommendation: "hotfix recommended",
  no_action: "no action",
};

/** A decision's action as people say it. */
export const actionWords = (action: DecisionAction): string => ACTIONS[action];

const VERDICTS: Readonly<Record<GateReview["verdict"], string>> = {
  allow: "allowed",
  require_approval: "needs approval",
  deny: "denied",
};

/** A verdict of the gate, or of one of its rules, as people say it. */
export const verdictWords = (verdict: GateReview["verdict"]): string => VERDICTS[verdict];

/** Names of actions, verdicts and outcomes as the record spells them, and as people say them. */
const SPELLED: Readonly<Record<string, string>> = {
  ...ACTIONS,
  require_approval: VERDICTS.require_approval,
  "no-action": "no action",
};
const NAMES = new RegExp(
  String.raw`(?<![\w-])(?:${Object.keys(SPELLED)
    .filter((name) => /[_-]/.test(name))
    .join("|")})(?![\w-])`,
  "g",
);

/** A line of the record with the names in it as people say them: "no_action d7" → "no action d7". */
export const inWords = (line: string): string => line.replaceAll(NAMES, (name) => SPELLED[name] ?? name);
