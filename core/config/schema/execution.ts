import { z } from "zod";
import { count, duration, field, name } from "./fields.ts";
import { BlastRadius } from "./limits.ts";

const requireApproval = field(
  z.boolean().default(true),
  "true: always needs a person. false: an automatic policy condition is enough, inside the guardrails.",
);
const perHour = field(
  count().optional(),
  "How often this action may happen in any hour, approved ones included. The next one needs a person.",
  {
    unit: "actions an hour",
    unless: "no limit by the hour",
  },
);
const scope = (what: string) =>
  field(z.array(name()).min(1).optional(), `The ${what} it may touch, by exact name; "*": any.`, { unless: "any" });

const AllowedAction = z.discriminatedUnion("type", [
  z.strictObject({
    type: field(z.literal("kubectl_rollout_undo"), "Puts a workload back to its last known-good revision."),
    namespaces: scope("namespaces"),
    require_approval: requireApproval,
    max_rollbacks_per_hour: perHour,
  }),
  z.strictObject({
    type: field(z.literal("argocd_sync_to_previous"), "Syncs an Argo CD application to its previous version."),
    applications: scope("applications"),
    require_approval: requireApproval,
    max_rollbacks_per_hour: perHour,
  }),
  z.strictObject({
    type: field(z.literal("feature_flag_disable"), "Switches a feature flag off."),
    environments: scope("environments"),
    require_approval: requireApproval,
    max_rollbacks_per_hour: perHour,
  }),
  z.strictObject({
    type: field(z.literal("database_migration_rollback"), "Rolls a database migration back."),
    namespaces: scope("namespaces"),
    require_approval: field(z.literal(true).default(true), "Always true: a database change needs a person."),
    max_rollbacks_per_hour: perHour,
  }),
  z.strictObject({
    type: field(
      z.literal("argocd_resume_auto_sync"),
      "Switches on again the auto-sync of an Argo CD application that a rollback switched off. Always needs a person.",
    ),
    applications: scope("applications"),
    require_approval: field(
      z.literal(true).default(true),
      "Always true: what Git asks for by now is deployed at once.",
    ),
    max_rollbacks_per_hour: perHour,
  }),
  z.strictObject({
    type: field(
      z.literal("rollout_abort"),
      "Aborts the trial of an Argo Rollout: all traffic back to the stable version.",
    ),
    namespaces: scope("namespaces"),
    require_approval: requireApproval,
    max_rollbacks_per_hour: perHour,
  }),
  z.strictObject({
    type: field(z.literal("rollout_pause"), "Holds the trial of an Argo Rollout where it is."),
    namespaces: scope("namespaces"),
    require_approval: requireApproval,
    max_rollbacks_per_hour: perHour,
  }),
  z.strictObject({
    type: field(z.literal("rollout_promote"), "Gives all traffic to the new version of an Argo Rollout."),
    namespaces: scope("namespaces"),
    require_approval: requireApproval,
    max_rollbacks_per_hour: perHour,
  }),
]);

const Guardrails = z.strictObject({
  max_auto_rollbacks_per_day: field(
    count().default(5),
    "How many actions without a person may happen in any 24 hours. The next one needs a person.",
    {
      unit: "actions a day",
    },
  ),
  cooldown_between_rollbacks: field(
    duration().default("10m"),
    "How long after an action the next one needs a person.",
    {
      unit: "duration",
    },
  ),
  cooldown_scope: field(
    z.enum(["service", "global"]).default("service"),
    "Whether the cooldown is counted for each service or for all together.",
  ),
  escalate_to_human_after: field(
    count().default(2),
    "So many automatic rollbacks of a service in a row, with no healthy change between, and the next needs a person. A failed one does so at once.",
    {
      unit: "rollbacks",
    },
  ),
  never_auto_rollback: field(
    z.array(name()).default([]),
    "Names that never change without a person: matched against service, workload, application, flag owner and every object that a plan would change.",
  ),
  blast_radius: field(BlastRadius.prefault({}), "How much one plan may touch without a person.", {
    unless: "3 services, no limit by traffic or pods",
  }),
  evidence_kinds: field(
    count(1).default(1),
    "How many kinds of evidence must agree that it is bad before it acts alone: errors, latency, health, resources, traffic, other metrics, logs that point at the change, one version of it doing worse than the other.",
    { unit: "kinds of evidence" },
  ),
});

export const Execution = z.strictObject({
  allowed_actions: field(
    z.array(AllowedAction).default([]),
    "What may be done at all. An action that is not listed is denied, with a person too.",
  ),
  guardrails: field(Guardrails.prefault({}), "Limits on what happens without a person.", {
    unless: "5 a day, 10m cooldown by service, a person after 2 in a row, at most 3 services a plan",
  }),
});
