import { ActionType } from "../../model/plan.ts";
import type { AllowedAction, Config, Guardrails } from "../config.ts";
import { formatDuration } from "../durations.ts";
import { sizeLines } from "./limits.ts";
import { listed, missingHand, ordinal, plural, type Section, under } from "./words.ts";

const DEEDS: Readonly<Record<ActionType, string>> = {
  kubectl_rollout_undo: "puts a workload back to its last known-good revision",
  argocd_sync_to_previous: "syncs an application to its previous version",
  feature_flag_disable: "switches a flag off",
  database_migration_rollback: "rolls a database migration back",
  argocd_resume_auto_sync: "switches on again the auto-sync of an application that a rollback switched off",
  rollout_abort: "gives all traffic of an Argo Rollout back to its stable version",
  rollout_pause: "holds the trial of an Argo Rollout where it is",
  rollout_promote: "gives all traffic of an Argo Rollout to its new version",
};

/** Action by action: where it is allowed, when a person is needed, and how often it may happen. */
export function explainActions(config: Config): Section {
  const denied = ActionType.options.filter((type) => !config.allowedActions.some((one) => one.type === type));
  const all = config.allowedActions.length === 0;
  return {
    heading: "What it may do",
    lines: [
      ...config.allowedActions.flatMap((action) => actionLines(action, config)),
      ...(denied.length === 0
        ? []
        : [
            all
              ? "Nothing: allowed_actions lists no action, so every plan is denied."
              : `Never, with a person neither: ${listed(denied)} (not in allowed_actions).`,
          ]),
    ],
  };
}

function actionLines(action: AllowedAction, config: Config): readonly string[] {
  const missing = missingHand(action.type, config);
  const perHour = action.maxRollbacksPerHour;
  return [
    `${action.type} ${DEEDS[action.type]}, ${scopeWords(action)}.`,
    ...under([
      personWords(action, config),
      ...(perHour === null ? [] : [perHourWords(perHour)]),
      ...(missing === null ? [] : [`Cannot be carried out with this configuration: ${missing}.`]),
    ]),
  ];
}

function perHourWords(limit: number): string {
  if (limit === 0) return "Each one needs a person: max_rollbacks_per_hour is 0.";
  return `At most ${limit} in any hour, approved ones included; the ${ordinal(limit + 1)} needs a person.`;
}

function perDayWords(limit: number): string {
  if (limit === 0) return "- anything would be done at all: max_auto_rollbacks_per_day is 0";
  return `- ${plural(limit, "automatic action")} happened in the last 24 hours (one target counts as one)`;
}

function inARowWords(limit: number): string {
  if (limit === 0) return "- anything would be done at all: escalate_to_human_after is 0";
  return `- it would be the ${ordinal(limit + 1)} automatic rollback of a service in a row, with no healthy change between`;
}

function personWords({ requireApproval }: AllowedAction, { mode }: Config): string {
  if (requireApproval) return "Always needs a person.";
  const free = "no person while an automatic condition holds, inside the limits below.";
  return mode === "approve" ? `Needs a person, by the mode. In mode auto it would need ${free}` : `Needs ${free}`;
}

function scopeWords({ type, namespaces, applications, environments }: AllowedAction): string {
  const [what, names] =
    type === "argocd_sync_to_previous" || type === "argocd_resume_auto_sync"
      ? (["application", applications] as const)
      : type === "feature_flag_disable"
        ? (["environment", environments] as const)
        : (["namespace", namespaces] as const);
  if (names === null || names.includes("*")) return `in any ${what}`;
  return names.length === 1 ? `in the ${what} ${names[0]} alone` : `in the ${what}s ${listed(names)} alone`;
}

/** What turns an automatic action into a question to a person. */
export function explainLimits(config: Config): Section {
  const { maxAutoRollbacksPerDay, cooldownMs, cooldownScope, escalateToHumanAfter } = config.guardrails;
  const scope = cooldownScope === "global" ? "any service" : "the same service";
  return {
    heading: "A person is asked instead, when",
    lines: [
      ...(maxAutoRollbacksPerDay === null ? [] : [perDayWords(maxAutoRollbacksPerDay)]),
      ...(cooldownMs === 0 ? [] : [`- ${scope} was rolled back less than ${formatDuration(cooldownMs)} ago`]),
      ...(escalateToHumanAfter === null ? [] : [inARowWords(escalateToHumanAfter)]),
      "- the last automatic rollback of the service failed, or did not help",
      ...neverLines(config.guardrails, config),
      ...sizeLines(config),
      "- the change is a database migration, or no automatic condition holds, or evidence that is needed cannot be had",
      ...config.chain.flatMap(({ confidenceThreshold, requireHumanApprovalIf }) => [
        ...(confidenceThreshold === null ? [] : [`- no change is ${confidenceThreshold} probable`]),
        ...(requireHumanApprovalIf === null ? [] : [`- ${requireHumanApprovalIf.text}`]),
      ]),
    ],
  };
}

function neverLines({ neverAutoRollback }: Guardrails, config: Config): readonly string[] {
  if (neverAutoRollback.length === 0) return [];
  return [
    "- the service, workload, application, flag, owner of the flag or any other object of the plan goes by one of these names, or by one that can be mistaken for it:",
    ...under(neverAutoRollback.map((name) => `  ${name} (${matchWords(name, config)})`)),
  ];
}

/** What a protected name means in this file. */
function matchWords(name: string, { services }: Config): string {
  const matches = Object.entries(services).flatMap(([service, config]) => [
    ...(service === name ? [`the service ${service}`] : []),
    ...(config.workload?.name === name ? [`the workload of ${service}`] : []),
    ...(config.argocdApplication === name ? [`the application of ${service}`] : []),
    ...(config.flags.includes(name) ? [`a flag of ${service}`] : []),
  ]);
  return matches.length === 0 ? "this file describes nothing by it; whatever has it is protected" : listed(matches);
}
